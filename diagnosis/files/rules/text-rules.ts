import type { ConfigMap, ConfigNode } from "../../../configs/format/parse";
import { draft } from "../finding";
import { Rule, place } from "../rule";
import type { ConfigServer } from "../server";

/** Rules over what nats-server silently reads as something other than what is meant. */

/** Every entry of a configuration, with those of its blocks. */
function* entries(map: ConfigMap): Iterable<[string, ConfigNode]> {
  for (const [key, node] of map) {
    yield [key, node];
    for (const item of Array.isArray(node.value) ? node.value : [node]) {
      if (item.value instanceof Map) yield* entries(item.value);
      else if (item !== node) yield [key, item];
    }
  }
}

const isBlock = ({ value }: ConfigNode): boolean => typeof value === "object";

/** What a node says, without where it stands. */
const textOf = ({ value }: ConfigNode): string =>
  JSON.stringify(value, (name, part: unknown) =>
    name === "at" || name === "replaces" ? undefined : part instanceof Map ? [...part] : part,
  );

/** Names that nats-server takes for one setting. */
const ALIASES: Readonly<Record<string, string>> = { leaf: "leafnodes", ws: "websocket" };

export const repeats: Rule<ConfigServer> = function* (server) {
  for (const [key, node] of entries(server.map)) {
    const { replaces } = node;
    if (replaces === undefined || node.isVariable === true || textOf(node) === textOf(replaces)) continue;
    // One value instead of an included one is how includes are used; "jetstream: enabled" says less than its block.
    if (!isBlock(replaces) && (isBlock(node) || replaces.at.file !== node.at.file)) continue;
    yield draft("setting-repeated", server, node.at, {
      evidence: `${key} here and at ${place(replaces.at)}, which nats-server ignores`,
      ...(isBlock(node) || isBlock(replaces) ? {} : { severity: "warning" as const }),
    });
  }
  const seen = new Map<string, ConfigNode>();
  for (const [key, node] of server.map) {
    const name = ALIASES[key.toLowerCase()] ?? key.toLowerCase();
    const other = seen.get(name);
    seen.set(name, node);
    if (other === undefined || !isBlock(node)) continue;
    yield draft("setting-repeated", server, node.at, {
      evidence: `${key} here, and again under its other name at ${place(other.at)}: nats-server may use either`,
    });
  }
};

const TEXT_ONLY = /^(password|pass|token|user|username|nkey)$/i;

/** nats-server exits at such a value, with an "interface conversion" error (opts.go). */
export const notTexts: Rule<ConfigServer> = function* (server) {
  for (const [key, { value, at }] of entries(server.map)) {
    if (!TEXT_ONLY.test(key) || (typeof value !== "number" && typeof value !== "boolean")) continue;
    yield draft("value-not-text", server, at, {
      evidence: `${key} is read as ${typeof value === "number" ? "a number" : "a boolean"}`,
    });
  }
};

/** Keys whose values are subjects, paths in which nats-server replaces variables itself, or names that begin with $. */
const TAKES_DOLLAR =
  /^(allow|deny|publish|pub|subscribe|sub|import|export|subject|stream|service|to|src|dest|source|destination|deny_\w+|accounts?|local|system_account|system|credentials|creds|\w+_file|store_dir|dir)$/i;

const VARIABLE = /^\$\{?[A-Za-z_]\w*\}?$/;
/** In the login of a url. */
const IN_LOGIN = /^[a-z-]+:\/\/[^/?#]*(\$\{?[A-Z_][A-Z0-9_]*\}?)[^/?#]*@/i;

export const quotedVariables: Rule<ConfigServer> = function* (server) {
  for (const [key, { value, isQuoted, at }] of entries(server.map)) {
    if (typeof value !== "string" || TAKES_DOLLAR.test(key)) continue;
    const name = isQuoted === true && VARIABLE.test(value) ? value : IN_LOGIN.exec(value)?.[1];
    if (name === undefined) continue;
    const isWhole = name === value;
    yield draft("variable-quoted", server, at, {
      evidence: `${key} is the text ${name}${isWhole ? "" : ", within a longer text"}`,
      next: isWhole
        ? `write it without quotes: ${key}: ${name.replace(/[{}]/g, "")}`
        : `nats-server replaces whole values only: put the whole ${key} into a variable, and write that without quotes`,
    });
  }
};
