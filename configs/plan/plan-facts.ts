import { KeySource, ServerPlan, SitePlan } from "./fleet-plan";
import { LinkSecurity, Placement } from "../placement";
import { StoreLimits } from "./plan-server";
import { formatSize } from "../text/units";

/** What the text of a plan says of one server. A new field is one more entry, and finds its place by itself. */

const LINK_WORDS: Record<LinkSecurity, string> = {
  tls: "TLS, verified at both ends",
  bridge: "plain, inside the stack's Docker network",
  loopback: "plain, inside this machine",
  plain: "PLAIN OVER THE NETWORK (accepted)",
};

export const KEY_WORDS: Record<KeySource, string> = {
  generated: "generated",
  given: "given",
  hidden: "generated or given (encrypted)",
};

/** What is said of a server, by its label; an empty text is not worth saying. */
export type Facts<T> = Record<string, (of: T) => string>;

export const SERVER_FACTS: Facts<ServerPlan> = {
  runs: ({ runs }) => placeWords(runs),
  clients: ({ listens }) => listens.clients,
  "leaf links": ({ listens }) => listens.leafLinks ?? "",
  monitoring: ({ listens }) => listens.monitoring ?? "inside the container",
  "reached at": (server) => (server.listens.clients.startsWith(`${server.reachedAt}:`) ? "" : server.reachedAt),
  stores: ({ stores }) => storeWords(stores),
  messages: ({ maxPayload }) => `up to ${formatSize(maxPayload)}`,
  synced: ({ syncInterval }) => (syncInterval === "always" ? syncInterval : `every ${duration(syncInterval)}`),
  log: ({ logs }) => `${formatSize(logs.sizeLimit)}, and ${logs.keep} older`,
};

export const SITE_FACTS: Facts<SitePlan> = {
  ...SERVER_FACTS,
  "other keys": ({ keys: { link: _link, ...others } }) => keyWords(others),
  expected: ({ expect }) => expect,
};

export const LINK_FACTS: Facts<SitePlan> = {
  dials: ({ link }) => link.dials,
  link: ({ link }) => LINK_WORDS[link.security],
  reconnects: ({ link }) => `every ${duration(link.reconnect)}`,
  "link key": ({ link }) => `${KEY_WORDS[link.key]}${link.rotation === 0 ? "" : `, rotation ${link.rotation}`}`,
};

export const factRows = <T>(of: T, facts: Facts<T>): string[][] =>
  Object.entries(facts)
    .map(([label, textOf]) => [label, textOf(of)])
    .filter(([, text]) => text !== "");

export function placeWords(runs: Placement): string {
  if (runs.kind === "process") return "process on this machine";
  if (runs.network === "host") return "container on this machine's network";
  return `container on ${runs.engine === "" ? "this machine" : runs.engine}`;
}

export function keyWords(keys: Record<string, KeySource>): string {
  const given = Object.keys(keys).filter((role) => keys[role] === "given");
  const [other = "generated"] = Object.values(keys).filter((source) => source !== "given");
  if (given.length === 0) return KEY_WORDS[other];
  const rest = given.length === Object.keys(keys).length ? "" : `; others ${KEY_WORDS[other]}`;
  return `${given.join(", ")} given${rest}`;
}

export function storeWords({ maxFile, maxMemory }: StoreLimits): string {
  const parts = [maxFile === 0 ? "" : `${formatSize(maxFile)} in files`];
  if (maxMemory !== 0) parts.push(`${formatSize(maxMemory)} in memory`);
  const said = parts.filter((part) => part !== "");
  return said.length === 0 ? "nothing" : `up to ${said.join(", ")}`;
}

export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

/** Milliseconds in the largest unit that leaves no rest: `7d`, as in the settings. */
export function duration(ms: number): string {
  const units: [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ];
  const [unit, factor] = units.find(([, size]) => ms > 0 && ms % size === 0) ?? ["ms", 1];
  return `${ms / factor}${unit}`;
}
