import { StoreLimits } from "./plan-server";
import { Settings, StreamSettings } from "../settings";

/** What each account may store, derived from the streams that it holds. */

/** Room kept free for probes in every account that stores streams, in bytes. */
export const PROBE_ROOM = 16 * 2 ** 20;

/** Sites whose probes run side by side; the account HUB keeps room for as many. */
export const PROBE_CONCURRENCY = 8;

export const siteStreamBytes = (streams: readonly StreamSettings[], storage: "file" | "memory"): number =>
  streams.filter((stream) => stream.storage === storage).reduce((sum, stream) => sum + stream.maxBytes, 0);

function collectedBytes(
  streams: readonly StreamSettings[],
  mode: "perSite" | "merged",
  storage: "file" | "memory",
): number {
  return streams
    .filter(({ collect }) => collect.mode === mode && collect.storage === storage)
    .reduce((sum, { collect }) => sum + collect.maxBytes * collect.replicas, 0);
}

function limits(streams: readonly StreamSettings[], mode: "perSite" | "merged", room: number): StoreLimits {
  const used = streams.some(({ collect }) => collect.mode === mode);
  return {
    maxFile: collectedBytes(streams, mode, "file") + (used ? room : 0),
    maxMemory: collectedBytes(streams, mode, "memory"),
  };
}

/** Limits of a site's account on the hub. */
export const hubLimits = ({ streams }: Pick<Settings, "streams">): StoreLimits =>
  limits(streams, "perSite", PROBE_ROOM);

/** Limits of the account HUB. */
export const mergedLimits = ({ streams, sites }: Pick<Settings, "streams" | "sites">): StoreLimits =>
  limits(streams, "merged", PROBE_ROOM * Math.max(1, Math.min(sites.length, PROBE_CONCURRENCY)));

/** Limits of the site's own account at the site. */
export const siteLimits = (streams: readonly StreamSettings[], quota: number): StoreLimits => ({
  maxFile: quota,
  maxMemory: siteStreamBytes(streams, "memory"),
});

/** JetStream's own limits can be raised while a server runs, and lowered only by a restart (nats-server reload.go). */
export const isLowered = (wanted: Partial<StoreLimits>, limits: Partial<StoreLimits>): boolean =>
  (wanted.maxFile ?? 0) < (limits.maxFile ?? 0) || (wanted.maxMemory ?? 0) < (limits.maxMemory ?? 0);

/** Limits that are no smaller than others. */
export const atLeast = (limits: StoreLimits, least: StoreLimits | undefined): StoreLimits => ({
  maxFile: Math.max(limits.maxFile, least?.maxFile ?? 0),
  maxMemory: Math.max(limits.maxMemory, least?.maxMemory ?? 0),
});
