import { Metadata, Monitored, countIn, offlineIn } from "../../configs/monitor/metadata";
import { StreamConfig, StreamSource, isSourceOfSite } from "../../configs/streams";

/** What a stream of the hub is like for `nats server check stream`, as one site's own part of the program knows it. */

/** The site that brings the stream up to date. */
export interface Bringing {
  site: string;
  expect: "online" | "offline";
  /** All of the fleet, where they are known. */
  sites: ReadonlySet<string> | undefined;
}

/** The sites that the metadata calls offline and whose source is among these, without the one site. */
const othersOffline = (live: Metadata | undefined, sources: readonly StreamSource[], site: string): string[] =>
  offlineIn(live).filter((name) => name !== site && sources.some((source) => isSourceOfSite(source, name)));

/**
 * With the sources that the stream is to have by what one site knows. A larger number that the stream has already stays
 * while the fleet has as many sites: the source of another one is missing, and its own update puts it back.
 */
export function monitoredBy(
  { site, expect, sites }: Bringing,
  { metadata }: Pick<StreamConfig, "metadata">,
  sources: readonly StreamSource[],
  replicas: number,
): Monitored {
  const seen = countIn(metadata) ?? 0;
  const most = sites?.size ?? seen;
  return {
    sources: seen > sources.length && seen <= most ? seen : sources.length,
    offline: [...othersOffline(metadata, sources, site), ...(expect === "offline" ? [site] : [])],
    replicas,
  };
}

/** With the sources that are left when a site leaves. */
export const monitoredWithout = (
  site: string,
  { metadata }: Pick<StreamConfig, "metadata">,
  left: readonly StreamSource[],
  replicas: number,
): Monitored => ({ sources: left.length, offline: othersOffline(metadata, left, site), replicas });
