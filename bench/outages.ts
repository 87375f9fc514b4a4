import Table from "cli-table3";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RawSettings } from "../configs/settings";
import { readJson, watcherFiles } from "../machine/folders";
import { TestFleet } from "../test/support/fleets/fleet";
import { Traffic, comesAll, settled } from "../test/support/fleets/outage";
import type { Proxy } from "../test/support/fleets/proxy";
import { killServer, startServer, stopServer } from "../test/support/fleets/servers";
import { exclusively } from "../machine/exclusively";
import { Engine } from "../test/support/docker/engine";
import { throughProxy } from "../test/support/catalogue/mistakes";
import { measureContainer } from "./container";
import { until } from "../test/support/until";

/**
 * How long the hub is without a site's messages after an outage: from the moment at which the hub has the link again until
 * it has everything that was acknowledged until then. Real servers, messages published all the time, counted by their ids.
 *
 *   make bench ARGS=outages                                   every outage five times, in both modes, with and without a watcher
 *   make bench ARGS=outages ROUNDS=2 OUTAGES=cut-5,hub-kill   some of them, twice
 */

type Mode = "perSite" | "merged";

interface Stage {
  fleet: TestFleet;
  proxy: Proxy;
}

/** What goes away, and for how long; a server is started again after a second. */
const OUTAGES: Readonly<Record<string, { words: string; make: (stage: Stage) => Promise<unknown> }>> = {
  ...Object.fromEntries(
    [5, 12, 60, 240].map((seconds) => [
      `cut-${seconds}`,
      { words: `link cut for ${seconds} s`, make: (stage: Stage) => cut(stage, seconds * 1000) },
    ]),
  ),
  ...Object.fromEntries(
    [12, 60].map((seconds) => [
      `held-${seconds}`,
      { words: `packets swallowed for ${seconds} s`, make: (stage: Stage) => hold(stage, seconds * 1000) },
    ]),
  ),
  "hub-term": { words: "hub stopped (SIGTERM)", make: ({ fleet }) => away(fleet.hub.folder, stopServer) },
  "hub-kill": { words: "hub killed (SIGKILL)", make: ({ fleet }) => away(fleet.hub.folder, killServer) },
  "site-term": { words: "site stopped (SIGTERM)", make: ({ fleet }) => away(fleet.site("oslo").folder, stopServer) },
  "site-kill": { words: "site killed (SIGKILL)", make: ({ fleet }) => away(fleet.site("oslo").folder, killServer) },
};

/** Where there is a Docker engine: one stack after the other, for each has an engine of its own. */
const CONTAINER = "container-kill";
const NO_ENGINE = Engine.unavailable();
const KNOWN: readonly string[] = [...Object.keys(OUTAGES), ...(NO_ENGINE === undefined ? [CONTAINER] : [])];
const wordsOf = (outage: string): string | undefined =>
  outage === CONTAINER ? "hub's container killed" : OUTAGES[outage]?.words;

async function cut({ fleet, proxy }: Stage, ms: number): Promise<void> {
  proxy.cut(true);
  await until("the link is gone", async () => (await fleet.links("oslo")).length === 0);
  await sleep(ms);
  proxy.cut(false);
}

/** Nothing comes through, and no connection ends: as where a firewall drops what it gets. */
async function hold({ proxy }: Stage, ms: number): Promise<void> {
  proxy.hold(true);
  await sleep(ms);
  proxy.hold(false);
}

async function away(folder: string, end: (folder: string) => Promise<void>): Promise<void> {
  await end(folder);
  await sleep(1_000);
  await startServer(folder);
}

function settingsOf(mode: Mode, isWatched: boolean): RawSettings {
  const maxBytes = "32MiB";
  const collect = mode === "merged" ? { maxBytes, mode } : { maxBytes };
  return {
    sites: [{ name: "oslo" }, { name: "bergen" }],
    streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes, collect }],
    ...(isWatched ? { watch: { deploy: true } } : {}),
  };
}

interface Measured {
  ms: number[];
  lost: number;
  doubled: number;
}

/** Each outage on a fleet of its own. */
async function measure(outage: string, mode: Mode, isWatched: boolean, rounds: number): Promise<Measured> {
  if (outage === CONTAINER) return exclusively(CONTAINER, () => measureContainer(settingsOf(mode, isWatched), rounds));
  const ms: number[] = [];
  await using fleet = await TestFleet.deploy(settingsOf(mode, isWatched));
  const stage = { fleet, proxy: await throughProxy(fleet) };
  const traffic = new Traffic(fleet);
  for (let round = 0; round < rounds; round++) {
    // The source is at rest again before the next outage.
    await sleep(3_000);
    await OUTAGES[outage]?.make(stage);
    ms.push(await comesAll(fleet, traffic));
  }
  const { lost, doubled } = await settled(fleet, traffic);
  return { ms, lost: lost.length, doubled: doubled.length };
}

function shown(ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  const seconds = (at: number): string => ((sorted[at] ?? NaN) / 1000).toFixed(1);
  return `${seconds(0)} / ${seconds(Math.floor(sorted.length / 2))} / ${seconds(sorted.length - 1)} s`;
}

/** Processor time of the process so far, in seconds. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Of Linux. */
const CLOCK_TICKS = 100;
const SITES = 50;
const WATCHED_MS = 60_000;

describe("what the watcher takes", function () {
  this.timeout(0);

  it(`less than 60 MB and 2 % of a core at ${SITES} sites`, async () => {
    await using fleet = await TestFleet.deploy({
      hub: { maxFile: "8GiB" },
      sites: Array.from({ length: SITES }, (_, i) => ({ name: `site-${i + 1}`, quota: "128MiB" })),
      watch: { deploy: true },
    });
    const { pid } = readJson<{ pid: number }>(watcherFiles(fleet.watcherPlace.folder).record) ?? { pid: 0 };
    await sleep(10_000);
    const before = processorTime(pid);
    await sleep(WATCHED_MS);
    const part = ((processorTime(pid) - before) * 1000) / WATCHED_MS;
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const [now, most] = ["VmRSS", "VmHWM"].map(
      (field) => (Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6,
    );
    console.log(`${(100 * part).toFixed(2)} % of a core, ${now?.toFixed(1)} MB, ${most?.toFixed(1)} MB at most`);
    assert.ok(part < 0.02 && (most ?? Infinity) < 60);
  });
});

describe("how soon everything is at the hub after an outage", function () {
  this.timeout(0);
  const rounds = Number(process.env.ROUNDS ?? 5);
  const chosen = (process.env.OUTAGES ?? KNOWN.join(",")).split(",");
  const head = ["outage", "mode", "with the watcher", "without it", "lost", "doubled"];
  const table = new Table({ head, style: { head: [] } });

  for (const outage of chosen)
    it(wordsOf(outage) ?? outage, async () => {
      const words = wordsOf(outage);
      if (words === undefined || !KNOWN.includes(outage)) throw new Error(`OUTAGES may name ${KNOWN.join(", ")}`);
      const modes = ["perSite", "merged"] as const;
      // Side by side: most of the time they only wait.
      const measured = await Promise.all(
        modes.flatMap((mode) => [true, false].map((isWatched) => measure(outage, mode, isWatched, rounds))),
      );
      modes.forEach((mode, i) => {
        const [watched, unwatched] = measured.slice(2 * i, 2 * i + 2) as [Measured, Measured];
        const sum = (count: "lost" | "doubled") => watched[count] + unwatched[count];
        const row = [words, mode, shown(watched.ms), shown(unwatched.ms), sum("lost"), sum("doubled")];
        table.push(row);
        console.log(row.join("  "));
      });
    });

  after(() => console.log(`min / median / max of ${rounds} rounds, from the link to everything\n${table.toString()}`));
});
