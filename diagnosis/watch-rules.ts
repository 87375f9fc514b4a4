import { WatcherFacts } from "./facts/facts";
import { Draft, SiteRule, UP } from "./facts/finding";

/** Rules about the watcher: without it everything works, but a source whose link was away for long waits after that. */

const EFFECT = "after a link was away for long, its sources wait for 30 to 80 s before they continue";

const draft = (cause: string, evidence: string, next = UP): Draft => ({
  symptom: "the watcher does not watch",
  cause: `${cause}: ${EFFECT}`,
  evidence,
  next,
});

const BRING_BACK =
  "bring that engine back; if its machine is lost for good, give the hub's server there another engine. Then run 'make up'";

type ByState = Readonly<Partial<Record<WatcherFacts["state"], (said: string) => Draft>>>;

const DOWN: ByState = {
  gone: () => draft("the watcher does not run", "its process is gone"),
  unreachable: (said) => draft("the engine of the watcher's container cannot be asked", said, BRING_BACK),
};

const STUCK: ByState = {
  frozen: () => draft("the watcher's process was stopped (frozen)", "the process is in state 'stopped'"),
  silent: (said) => draft("the watcher's process exists but does not answer", `its health page: ${said}`),
  behind: (said) => draft("the watcher is behind", `its health page says: ${said}, while the hub answers others`),
};

export const WATCH_RULES: readonly SiteRule[] = [
  {
    code: "watcher-down",
    by: "seen",
    find: ({ watcher }) => DOWN[watcher?.state ?? "watches"]?.(watcher?.said ?? ""),
  },
  {
    code: "watcher-stuck",
    by: "seen",
    unless: ["hub-down", "server-frozen"],
    find: ({ watcher }) => (watcher === undefined ? undefined : STUCK[watcher.state]?.(watcher.said ?? "")),
  },
];
