import { metricsText } from "./metrics";

/** What a watcher has seen and done. Times are milliseconds since 1970. */
export interface WatchStatus {
  /** When it began. */
  since: number;
  /** When the hub was last asked for its links, and when it answered; 0 for never. */
  asked: number;
  answered: number;
  /** Whether each site is linked, as the hub says. */
  links: Record<string, boolean>;
  /** Sources that are silent although their link is there, by `site/stream`, and since when. */
  waiting: Record<string, number>;
  /** How many sources were restarted. */
  restarts: number;
}

/** A hub that answered within so many milliseconds is being watched. */
const BEHIND_MS = 10_000;

/** Why the watcher is behind; undefined when it does not. */
export const behind = ({ since, answered }: WatchStatus, now: number): string | undefined => {
  const ms = now - Math.max(since, answered);
  if (answered > 0 && ms < BEHIND_MS) return undefined;
  return `no answer of the hub for ${(ms / 1000).toFixed(1)} s`;
};

/** The watcher's metrics, in the text format of Prometheus. */
export function watchMetrics(stack: string, status: WatchStatus): string {
  const { links, waiting, restarts, answered } = status;
  return metricsText([
    {
      name: "watcher_answered_timestamp_seconds",
      help: "When the hub last told the watcher of its links; 0 for never.",
      samples: [[{ stack }, answered / 1000]],
    },
    {
      name: "watcher_link_up",
      help: "Whether the hub has the site's link, as the watcher saw it last.",
      samples: Object.entries(links).map(([site, isUp]) => [{ stack, site }, isUp ? 1 : 0]),
    },
    {
      name: "watcher_waiting",
      help: "Sources that are silent although their link is there.",
      samples: [[{ stack }, Object.keys(waiting).length]],
    },
    {
      name: "watcher_restarts",
      help: "Sources that the watcher restarted since it began.",
      samples: [[{ stack }, restarts]],
    },
  ]);
}
