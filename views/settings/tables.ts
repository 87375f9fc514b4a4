import { table, withPart } from "./page";
import { JsonSchema, settingsSchema } from "./schema";

/** The settings as docs/settings.md and Pulumi.yaml show them. */

interface Row {
  setting: string;
  meaning: string;
  change: string;
  unset: string;
}

const shown = (value: unknown): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

function rowOf(setting: string, schema: JsonSchema, isRequired: boolean): Row {
  const { description = "", change = "", unset, default: value } = schema;
  const without = unset ?? (isRequired ? "required" : value === undefined ? "none" : shown(value));
  return { setting: `\`${setting}\``, meaning: description, change, unset: without };
}

/** A row for each setting below; groups are represented by their settings. */
function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, one]) =>
    one.properties === undefined
      ? [rowOf(prefix + name, one, required.includes(name)), ...rowsOfList(one, `${prefix}${name}[].`)]
      : rowsOf(one, `${prefix}${name}.`),
  );
}

/** The settings of each entry, of what may be a list too. */
const rowsOfList = ({ anyOf = [] }: JsonSchema, prefix: string): Row[] =>
  anyOf.flatMap(({ items }) => (items?.properties === undefined ? [] : rowsOf(items, prefix)));

const tableOf = (rows: readonly Row[]): string =>
  table(
    ["setting", "meaning", "a change", "without it"],
    rows.map(({ setting, meaning, change, unset }) => [setting, meaning, change, unset]),
  );

/** Settings that are lists or made of others have a section of their own. */
const isPlain = ({ properties, items, type }: JsonSchema): boolean =>
  properties === undefined && (items === undefined || items.properties === undefined) && type !== "object";

/** The tables of docs/settings.md, by section. */
export function settingsTables(): Record<string, string> {
  const { properties = {} } = settingsSchema();
  const entries = Object.entries(properties);
  const ofStack = entries.filter(([, one]) => isPlain(one)).map(([name, one]) => rowOf(name, one, false));
  const sections = entries.flatMap(([name, one]): [string, Row[]][] =>
    one.items?.properties !== undefined
      ? [[`${name}[]`, rowsOf(one.items, "")]]
      : one.properties !== undefined
        ? [[name, rowsOf(one, `${name}.`)]]
        : [],
  );
  return Object.fromEntries([["stack", ofStack] as const, ...sections].map(([name, rows]) => [name, tableOf(rows)]));
}

/** The page with its tables as the schema has them. Errors: a section without its marks. */
export const withSettingsTables = (page: string): string =>
  Object.entries(settingsTables()).reduce(
    (text, [name, rows]) => withPart(text, [`<!-- settings: ${name} -->`, "<!-- end of settings -->"], rows),
    page,
  );

/** The first sentence, as plain text; a word of the settings at its beginning stays as it is written. */
function brief(text: string): string {
  const [first = ""] = text.replaceAll("`", "").split(/\. (?=[A-Z])/);
  return `${text.startsWith("`") ? first : first.charAt(0).toUpperCase() + first.slice(1)}.`;
}

const EMPTY: Record<string, unknown> = { array: [], object: {}, boolean: false };

/** Settings that Pulumi itself must not give a value to: `state` is read before the CLI runs, the others have no fixed default. */
const WITHOUT_DEFAULT = ["natsServer", "sitesFile", "state", "keys", "watch"];

/** The block `config` of Pulumi.yaml: what Pulumi checks and shows of each setting. */
export function pulumiConfig(): string {
  const { properties = {} } = settingsSchema();
  const blocks = Object.entries(properties)
    .filter(([name]) => !WITHOUT_DEFAULT.includes(name))
    .map(([name, { type = "boolean", description = "", default: value = EMPTY[type], items }]) =>
      [
        `  ${name}:`,
        `    type: ${type}`,
        `    description: ${JSON.stringify(brief(description))}`,
        ...(items === undefined ? [] : ["    items:", "      type: object"]),
        `    default: ${typeof value === "string" ? value : JSON.stringify(value)}`,
      ].join("\n"),
    );
  return `config:\n${blocks.join("\n")}\n`;
}
