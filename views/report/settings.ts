import { duration } from "../../configs/plan/plan-facts";
import { readSettings } from "../../configs/reading/read-settings";
import { Settings } from "../../configs/settings";
import type { SitesTable } from "../../configs/reading/sites-table";
import { formatSize } from "../../configs/text/units";
import { same } from "../../configs/values";
import type { SettingChange } from "./model";
import type { PreviewJson } from "./preview";

/** The settings before and after, and what differs, as people write them. */

/** The settings of a stack, but for its keys, which nothing here may see. */
export type FleetSettings = Omit<Settings, "keys">;

/** The settings that the preview ran with; undefined when they are malformed. */
export function settingsOf({ config = {} }: PreviewJson, table?: SitesTable): FleetSettings | undefined {
  const raw = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    const [project, name] = key.split(":");
    return project === "nats-hub-leaf" && name !== undefined && name !== "keys" ? [[name, parsed(value)]] : [];
  });
  const { settings } = readSettings(Object.fromEntries(raw), table);
  return settings;
}

function parsed(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const SIZES = /(^|\.)(maxFile|maxMemory|maxPayload|quota|maxBytes|sizeLimit|burst|burstMessage|memory)$/;
const DURATIONS = /(^|\.)(syncInterval|reconnect|maxAge|timeout|stopTimeout|validity|renewBefore)$/;

/** A setting's value as it is in the settings. */
export function valueWords(setting: string, value: unknown): string {
  if (typeof value === "number" && SIZES.test(setting)) return formatSize(value);
  if (typeof value === "number" && DURATIONS.test(setting)) return duration(value);
  if (Array.isArray(value)) return value.map((item) => valueWords("", item)).join(", ");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every setting that differs, by its path, in the order of the settings. */
export function settingChanges(olds: unknown, news: unknown, path = ""): SettingChange[] {
  if (same(olds, news)) return [];
  if ((isGroup(olds) || olds === undefined) && (isGroup(news) || news === undefined)) {
    const keys = [...new Set([...Object.keys(news ?? {}), ...Object.keys(olds ?? {})])].sort();
    return keys.flatMap((key) => settingChanges(olds?.[key], news?.[key], path === "" ? key : `${path}.${key}`));
  }
  return [
    {
      setting: path,
      ...(olds === undefined ? {} : { from: valueWords(path, olds) }),
      ...(news === undefined ? {} : { to: valueWords(path, news) }),
    },
  ];
}

const DEFAULTS: Partial<FleetSettings> =
  settingsOf({ config: { "nats-hub-leaf:sites": "[]", "nats-hub-leaf:streams": "[]" } }) ?? {};

/** What differs in the settings of the stack, but for its sites and streams. */
export function stackSettingChanges(olds: FleetSettings | undefined, news: FleetSettings | undefined): SettingChange[] {
  if (olds === undefined || news === undefined) return [];
  // A setting that an earlier version of the program did not have was what its default is.
  const { sites: _a, streams: _b, ...before } = { ...DEFAULTS, ...olds };
  const { sites: _c, streams: _d, ...after } = news;
  // Both have been through the CLI or not: `keys` is in neither.
  const { keys: _e, ...rest } = after as typeof after & { keys?: unknown };
  return settingChanges(before, rest);
}
