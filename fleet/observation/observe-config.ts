import { Parsed, parse } from "../../configs/format/parse";
import { maskSeeds } from "../../configs/seeds";
import { RemoteFacts } from "../../diagnosis/facts/facts";
import { readText } from "../../machine/folders";
import { maskOutput } from "../../servers/nats-server-binary";
import { Access, shared } from "../../servers/nats/connection";
import { varz } from "../../servers/nats/system";
import { handChanges } from "../../servers/server-config";
import { CONFIG_FILE } from "../../servers/files/server-files";
import { sinceStart } from "../../servers/server-end";
import { hostOf } from "../../servers/hosts";
import type { Place } from "../../servers/server-host";
import type { Observed } from "./observed";
import { publicKeyOf } from "../../servers/nats/authenticator";

/** What a site's files show: its leaf remote, and the errors in its log. */

type Entries = Record<string, Parsed>;

const textAt = (map: Entries, ...names: string[]): string | undefined =>
  names.map((name) => map[name]).find((value) => typeof value === "string");

/** A map with its keys in lower case, as nats-server takes them; undefined when the value is no map. */
const mapOf = (value: Parsed | undefined): Entries | undefined =>
  typeof value !== "object" || Array.isArray(value)
    ? undefined
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));

const isText = (value: Parsed): value is string => typeof value === "string";

const textsOf = (value: Parsed | undefined): string[] =>
  value === undefined ? [] : [value].flat().filter(isText).map(maskSeeds);

/** An address as it may be shown: without the login that it may carry. */
const shownUrl = (url: string): string => maskSeeds(url.replace(/\/\/[^@/]*@/, "//"));

/** The first leaf remote of a configuration file, however it is written; undefined when there is none. */
export function readRemote(
  text: string,
  readFile: (path: string) => string | undefined = readText,
): RemoteFacts | undefined {
  const { leafnodes, leaf = leafnodes } = mapOf(parse(text)) ?? {};
  const remotes = mapOf(leaf)?.remotes;
  const remote = Array.isArray(remotes) ? mapOf(remotes[0]) : undefined;
  if (remote === undefined) return undefined;
  const [credentials, seed, account] = [
    textAt(remote, "credentials", "creds"),
    textAt(remote, "nkey", "seed"),
    textAt(remote, "account", "local"),
  ];
  const facts: RemoteFacts = { urls: [remote.urls ?? remote.url ?? []].flat().filter(isText).map(shownUrl) };
  const [denyImports, denyExports] = [
    textsOf(remote.deny_imports ?? remote.deny_import),
    textsOf(remote.deny_exports ?? remote.deny_export),
  ];
  if (account !== undefined) facts.account = maskSeeds(account);
  if (credentials !== undefined) facts.credentials = kindOfCredentials(credentials, readFile);
  if (denyImports.length > 0) facts.denyImports = denyImports;
  if (denyExports.length > 0) facts.denyExports = denyExports;
  try {
    if (seed !== undefined) facts.key = publicKeyOf(seed);
  } catch {
    // Not a seed: the server refuses such a file itself.
  }
  return facts;
}

/** `readRemote` of the site's file; undefined when it is missing or makes no sense. */
export async function remoteOf(place: Place): Promise<RemoteFacts | undefined> {
  try {
    return readRemote((await hostOf(place).files()).read(CONFIG_FILE) ?? "");
  } catch {
    return undefined;
  }
}

function kindOfCredentials(
  value: string,
  readFile: (path: string) => string | undefined,
): NonNullable<RemoteFacts["credentials"]> {
  if (/^S[UA][A-Z2-7]{20,}/.test(value)) return "a seed";
  const text = readFile(value);
  if (text === undefined) return "a missing file";
  return /BEGIN NATS USER JWT/.test(text) || !/\bSU[A-Z2-7]{20,}/.test(text)
    ? "another file"
    : "a file that holds a bare seed";
}

/** What was changed by hand in the configuration of a running server, in words. Errors: when it does not answer. */
export async function configChanges(place: Place, access: Access): Promise<string[]> {
  const { config_digest: running } = await varz(await shared(access));
  return handChanges(await hostOf(place).files(), running);
}

/** Like `configChanges`, for the hub: for each of several servers that answers, by its own file. */
export async function hubConfigChanges(
  { hubServers, hubPlace, system }: Pick<Observed, "hubServers" | "hubPlace" | "system">,
  hub: Access,
): Promise<string[]> {
  if (hubServers === undefined) return hubPlace === undefined ? [] : await configChanges(hubPlace, hub);
  const all = hubServers.map(async ({ name, url, place }) => {
    if (place === undefined) return [];
    const changes = await configChanges(place, { url, seed: system }).catch(() => []);
    return changes.map((change) => `${name}: ${change}`);
  });
  return (await Promise.all(all)).flat();
}

const LOG_LINES = 400;
/** Errors of clients say nothing about the link; the smoke test's own attacks cause some. */
const OF_A_CLIENT = / - cid:\d+ - /;

/** The errors of the server's log since its last start, newest last, without repetition. */
export async function recentErrors(place: Place): Promise<string[]> {
  const log = await hostOf(place)
    .log()
    .catch(() => "");
  const lines = sinceStart(log.split("\n").slice(-LOG_LINES));
  const errors = lines.filter((line) => line.includes("[ERR]") && !OF_A_CLIENT.test(line));
  const words = errors.map((line) => line.replace(/^.*\[ERR\] /, "").replace(/^[\d.:]+ - lid:\d+ - /, ""));
  return words
    .filter((line, i) => words.lastIndexOf(line) === i)
    .slice(-5)
    .map(maskOutput);
}
