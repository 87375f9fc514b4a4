import { present } from "../values";
import { LAG_CRITICAL, SEEN_CRITICAL_S } from "./limits";

/**
 * Metadata of the hub's streams that `nats server check stream` reads (nats-io/jsm.go, monitor/stream.go): what a healthy
 * stream looks like. An option of that command does not win over it.
 */

export const MONITOR = "io.nats.monitor.";

/** Metadata: the sites of the stream that are expected offline, by name. Each site's own update writes only its own part. */
export const OFFLINE = "nats-hub-leaf.offline";

/** Follow from the sources that are written with them: an adopted stream keeps none of its own. */
const COUNTS = { min: `${MONITOR}min-sources`, max: `${MONITOR}max-sources` } as const;
/** Limits of what a source may be. */
const SEEN = `${MONITOR}seen-critical`;
const LAG = `${MONITOR}lag-critical`;
const ENABLED = `${MONITOR}enabled`;
const PEERS = `${MONITOR}peer-expect`;
const PEER_LAG = `${MONITOR}peer-lag-critical`;
const PEER_SEEN = `${MONITOR}peer-seen-critical`;

const LIMITS: readonly string[] = [SEEN, LAG, PEER_LAG, PEER_SEEN];
const WRITTEN: readonly string[] = [...Object.values(COUNTS), ...LIMITS, ENABLED, PEERS, OFFLINE];

/** Whether this program writes the entry of a hub stream's metadata, by what the fleet is like. */
export const isWritten = (key: string): boolean => WRITTEN.includes(key);

/** Whether the entry depends on the sites that the stream sources now. */
export const isCounted = (key: string): boolean => [COUNTS.min, COUNTS.max, OFFLINE].includes(key);

export type Metadata = Readonly<Record<string, string>>;

/** What the metadata depends on. */
export interface Monitored {
  /** How many sources the stream has. */
  sources: number;
  /** The sites among them that are expected offline. */
  offline: readonly string[];
  replicas: number;
}

/**
 * The entries of a stream like this. A stream without a source is not checked for one: the check would look for a mirror.
 * While a site is expected offline, its source may be silent; the check cannot tell sources apart.
 */
export function monitorMetadata({ sources, offline, replicas }: Monitored): Record<string, string> {
  const count = sources === 0 ? undefined : String(sources);
  const lag = sources > offline.length ? String(LAG_CRITICAL) : undefined;
  const seen = offline.length === 0 && sources > 0 ? `${SEEN_CRITICAL_S}s` : undefined;
  // Without the number of copies the check takes any stream of several for broken.
  const isCopied = replicas > 1;
  return present({
    [ENABLED]: "true",
    [COUNTS.min]: count,
    [COUNTS.max]: count,
    [LAG]: lag,
    [SEEN]: seen,
    [PEERS]: isCopied ? String(replicas) : undefined,
    [PEER_LAG]: isCopied ? String(LAG_CRITICAL) : undefined,
    [PEER_SEEN]: isCopied ? `${SEEN_CRITICAL_S}s` : undefined,
    [OFFLINE]: offline.length === 0 ? undefined : [...offline].sort().join(","),
  });
}

/** The metadata of a stream that gets other sources. What else it has stays, and limits that an adopted stream has kept. */
export function relabelled(live: Metadata | undefined, monitored: Monitored): Record<string, string> {
  const labels = monitorMetadata(monitored);
  const entries = Object.entries(live ?? {});
  const own = entries.filter(([key]) => !isWritten(key));
  const kept = entries.filter(([key]) => LIMITS.includes(key) && labels[key] !== undefined);
  return { ...Object.fromEntries(own), ...labels, ...Object.fromEntries(kept) };
}

/** The sites that the metadata calls offline. */
export const offlineIn = (live: Metadata | undefined): string[] =>
  (live?.[OFFLINE] ?? "").split(",").filter((name) => name !== "");

/** The number of sources that the metadata asks for; undefined where it has none, or two. */
export function countIn(live: Metadata | undefined): number | undefined {
  const [least, most] = [live?.[COUNTS.min], live?.[COUNTS.max]];
  return least !== undefined && least === most && /^[1-9]\d*$/.test(least) ? Number(least) : undefined;
}
