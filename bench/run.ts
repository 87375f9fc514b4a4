import Table from "cli-table3";
import * as fs from "node:fs";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { lightened } from "../commands/stack/light-cli";
import type { RawSettings } from "../configs/settings";
import { present } from "../configs/values";
import { pulumiHome } from "../machine/locate";
import { Stack } from "../test/support/stacks/cli";
import { fleetOf as smallSites } from "../test/support/stacks/killed-up";
import { copyProject, filesBelow } from "../test/support/stacks/scratch-project";
import { PARTS, type Usage, usageOf } from "./usage";

/**
 * How long the usual changes take, what they use, and how large the state gets, by number of sites. Only ratios and
 * differences within one run mean anything: the same work takes different times on different machines.
 *
 *   make bench                  2 and 50 sites
 *   make bench ARGS=200         200 sites as well, each change run three times instead of five
 *   make bench ARGS=offline     1000 sites that are expected offline, from a table: plan and preview
 *   make bench ARGS="offline up"  the same, and what an `up` takes: long, for the state is written at each step
 */

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const shown = ({ wall, cpu, memory }: Usage): string =>
  `${seconds(wall)} (${PARTS.map((part) => `${part} ${cpu[part].toFixed(1)}`).join(", ")} s of processor; ${megabytes(memory)})`;

const bytesOf = (plain: number): string => `${(plain / 1000).toFixed(1)} kB`;

const LIGHT = lightened({
  ...present({ NATS_HUB_LEAF_PLAIN_SDK: process.env.NATS_HUB_LEAF_PLAIN_SDK }),
  PULUMI_HOME: pulumiHome(),
});

/** The CLI as `make up` starts it, without the other commands around it. */
const run = (stack: Stack, ...args: string[]): Promise<Usage> => usageOf(stack.start(args, LIGHT));
const up = (stack: Stack): Promise<Usage> => run(stack, "up", "--yes", "--skip-preview");

/** The first `up` of many sites, which only `make up` does with a journal; of a few, without the commands around it. */
const firstUp = (stack: Stack, sites: number): Promise<Usage> =>
  sites < 10 ? up(stack) : usageOf(stack.startMake("up", {}, ["--skip-preview"]));

/** The fastest of some runs: whatever else the machine does only makes one slower. */
async function fastest(times: number, work: () => Promise<Usage>): Promise<Usage> {
  const runs: Usage[] = [];
  for (let i = 0; i < times; i++) runs.push(await work());
  const [first] = runs.toSorted((a, b) => a.wall - b.wall);
  if (first === undefined) throw new Error("nothing was run");
  return { ...first, memory: Math.max(...runs.map(({ memory }) => memory)) };
}

/** Rehearsed, which is the default; without it the stacks of tests are not. */
const fleetOf = (count: number): RawSettings => ({ rehearsal: "onChange", ...smallSites(count) });

/** Bytes of the checkpoint: as the engine handles it, and as it lies on disk. */
function stateSize(stack: Stack): { plain: number; stored: number } {
  const file = filesBelow(stack.stateFolder).find((name) => name.includes(`/stacks/`) && /\.json(\.gz)?$/.test(name));
  if (file === undefined) return { plain: NaN, stored: NaN };
  const bytes = fs.readFileSync(file);
  return { plain: file.endsWith(".gz") ? gunzipSync(bytes).length : bytes.length, stored: bytes.length };
}

interface Measured {
  sites: number;
  up: Usage;
  noop: Usage;
  added: Usage;
  state: { plain: number; stored: number };
}

async function measure(count: number): Promise<Measured> {
  const times = count > 50 ? 3 : 5;
  const stack = await Stack.create(`bench-${count}`, fleetOf(count));
  try {
    const first = await firstUp(stack, count);
    const state = stateSize(stack);
    const noop = await fastest(times, () => up(stack));
    let sites = count;
    const added = await fastest(times, () => {
      stack.configure(fleetOf(++sites));
      return up(stack);
    });
    return { sites: count, up: first, noop, added, state };
  } finally {
    await stack.remove();
  }
}

/** The same project with a program that does nothing. */
async function measureEmpty(): Promise<{ up: Usage; noop: Usage }> {
  const folder = copyProject("empty");
  fs.writeFileSync(path.join(folder, "index.ts"), "export {};\n");
  const stack = await Stack.create("bench-empty", {}, { folder });
  try {
    const first = await up(stack);
    return { up: first, noop: await fastest(5, () => up(stack)) };
  } finally {
    await stack.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const OFFLINE_SITES = 1000;

/** A table of sites that are not there yet: the hub is prepared for all of them. */
async function measureOffline(withUp: boolean): Promise<void> {
  const { sites: _none, ...settings } = fleetOf(OFFLINE_SITES);
  const stack = await Stack.create("bench-offline", { ...settings, sitesFile: "sites.csv" });
  const rows = Array.from({ length: OFFLINE_SITES }, (_, i) => `site-${i + 1},128MiB,offline`);
  fs.writeFileSync(path.join(stack.folder, "sites.csv"), `${["name,quota,expect", ...rows].join("\n")}\n`);
  try {
    const table = new Table({
      head: [`${OFFLINE_SITES} sites, expected offline`, "measured", "target"],
      style: { head: [] },
    });
    const started = performance.now();
    const plan = await stack.make("plan");
    if (plan.code !== 0) throw new Error(plan.output);
    table.push(["plan", seconds(performance.now() - started), "5 s"]);
    table.push(["preview", shown(await run(stack, "preview")), "60 s"]);
    if (withUp) table.push(["up", shown(await up(stack)), "–"], ["no-op", shown(await up(stack)), "–"]);
    console.log(table.toString());
  } finally {
    await stack.remove();
  }
}

async function measureSites(more: readonly number[]): Promise<void> {
  const empty = await measureEmpty();
  console.log(`empty program: up ${shown(empty.up)}, no-op ${shown(empty.noop)}`);
  const results: Measured[] = [];
  for (const count of [2, 50, ...more]) {
    const result = await measure(count);
    results.push(result);
    console.log(
      [
        `${count} sites`,
        `up            ${shown(result.up)}`,
        `no-op         ${shown(result.noop)}`,
        `one more site ${shown(result.added)}`,
        `state         ${result.state.plain} B (${result.state.stored} B stored)`,
      ].join("\n  "),
    );
  }
  const [two, fifty] = results;
  if (two === undefined || fifty === undefined) return;
  const perSite = (kind: "plain" | "stored") => bytesOf((fifty.state[kind] - two.state[kind]) / 48);
  const table = new Table({ head: ["what", "measured", "target"], style: { head: [] } });
  table.push(
    ["2 sites from nothing to proven, beyond an empty program", seconds(two.up.wall - empty.up.wall), "4 s"],
    ["50 sites from nothing to proven", seconds(fifty.up.wall), "40 s"],
    ["no-op of 2 sites / no-op of an empty program", (two.noop.wall / empty.noop.wall).toFixed(2), "1.4"],
    ["one site added to 50 / added to 2", (fifty.added.wall / two.added.wall).toFixed(2), "1.5"],
    ["state per site, as the engine handles it", perSite("plain"), "6 kB"],
    ["state per site, as stored", perSite("stored"), "–"],
  );
  for (const { sites, up: first, noop, added } of results.slice(2)) {
    table.push(
      [`${sites} sites from nothing to proven`, seconds(first.wall), sites === 200 ? "60 s" : "–"],
      [`no-op of ${sites} sites`, seconds(noop.wall), sites === 200 ? "7 s" : "–"],
      [`one site added to ${sites}`, seconds(added.wall), sites === 200 ? "9 s" : "–"],
      [
        `most memory of CLI, program and provider at ${sites} sites`,
        megabytes(Math.max(first.memory, noop.memory, added.memory)),
        sites === 200 ? "1200 MB" : "–",
      ],
    );
  }
  console.log(table.toString());
}

const words = process.argv.slice(2);
void (words.includes("offline")
  ? measureOffline(words.includes("up"))
  : measureSites(words.map(Number).filter(Number.isInteger)));
