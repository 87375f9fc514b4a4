import { ServerConfig } from "../server-config";

/** A value of the nats-server configuration format. */
type ConfigValue =
  string | number | boolean | undefined | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/**
 * A string of the configuration format. Always in double quotes: bare words turn into numbers, sizes, booleans and
 * `$VARIABLES` (nats-server conf/lex.go), quoted ones stay what they are.
 */
export function quote(text: string): string {
  const escaped = Array.from(text, (char) => {
    if (char === '"' || char === "\\") return `\\${char}`;
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    if (char === "\t") return "\\t";
    const code = char.charCodeAt(0);
    return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : char;
  });
  return `"${escaped.join("")}"`;
}

const keyText = (key: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : quote(key));

function renderValue(value: ConfigValue, indent: string): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object") return String(value);
  const inner = `${indent}  `;
  if (isList(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item) => `${inner}${renderValue(item, inner)}`).join("\n")}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  return `{\n${entries.map(([key, item]) => renderEntry(key, item, inner)).join("\n")}\n${indent}}`;
}

const isList = (value: object): value is readonly ConfigValue[] => Array.isArray(value);

const renderEntry = (key: string, value: ConfigValue, indent: string): string =>
  `${indent}${keyText(key)}: ${renderValue(value, indent)}`;

/** The text of a nats-server configuration file: the same text for the same configuration. */
export const render = (config: ServerConfig): string => renderEntries(config as unknown as Record<string, ConfigValue>);

/** The same for any entries. */
export function renderEntries(entries: Readonly<Record<string, ConfigValue>>): string {
  return `${Object.entries(entries)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => renderEntry(key, value, ""))
    .join("\n")}\n`;
}
