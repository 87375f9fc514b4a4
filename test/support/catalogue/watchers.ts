import { readJson, readText, watcherFiles, writePrivate } from "../../../machine/folders";
import { watcherFacts } from "../../../servers/watch/hosts";
import { startWatcher, stopWatcher } from "../../../servers/watch/process";
import { Row } from "./catalogue";
import { TestFleet } from "../fleets/fleet";
import { until } from "../until";

/** A watcher that does not watch: nothing else is wrong with the fleet. */

const WATCHED = { watch: { deploy: true } } as const;

async function signalWatcher(fleet: TestFleet, signal: NodeJS.Signals): Promise<void> {
  const { pid } = readJson<{ pid: number }>(watcherFiles(fleet.watcherPlace.folder).record)!;
  process.kill(pid, signal);
  await until("that shows", async () => (await watcherFacts(fleet.watcherPlace)).state !== "watches");
}

export const WATCHER_ROWS: Row[] = [
  {
    name: "a watcher that was killed",
    settings: WATCHED,
    make: (fleet) => signalWatcher(fleet, "SIGKILL"),
    finds: ["oslo: watcher-down (warning)"],
    evidence: { "watcher-down": /its process is gone/ },
  },
  {
    name: "a watcher that is frozen",
    settings: WATCHED,
    make: (fleet) => signalWatcher(fleet, "SIGSTOP"),
    finds: ["oslo: watcher-stuck (warning)"],
    evidence: { "watcher-stuck": /the process is in state 'stopped'/ },
  },
  {
    name: "a watcher that was started with a key that the hub does not know",
    settings: WATCHED,
    make: async (fleet) => {
      const { folder } = fleet.watcherPlace;
      const { config } = watcherFiles(folder);
      const text = readText(config)!.replace(/SU[A-Z2-7]{56}/, fleet.site("oslo").seeds.link);
      await stopWatcher(folder);
      writePrivate(config, text);
      await startWatcher(fleet.watcherPlace).catch(() => undefined);
      await until("it is behind", async () => (await watcherFacts(fleet.watcherPlace)).state === "behind");
    },
    finds: ["oslo: watcher-stuck (warning)"],
    evidence: { "watcher-stuck": /no answer of the hub for [\d.]+ s/ },
  },
];
