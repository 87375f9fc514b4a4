import Table from "cli-table3";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../configs/settings";
import { Stack } from "../test/support/stacks/cli";
import { copyProject, filesBelow } from "../test/support/stacks/scratch-project";
import { gunzipSync } from "node:zlib";

/**
 * How long the usual changes take, and how large the state gets, by number of sites. Only ratios and differences
 * within one run mean anything: the same work takes different times on different machines.
 *
 *   make bench                  2 and 50 sites
 *   make bench ARGS=200         200 sites as well
 */

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The fastest of five runs: whatever else the machine does only makes one slower. */
async function fastest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 5; run++) times.push(await timed(work));
  return Math.min(...times);
}

function fleetOf(count: number): RawSettings {
  return {
    // The default; without it the stacks of tests are not rehearsed.
    rehearsal: "onChange",
    hub: { maxFile: `${Math.ceil(count / 8) + 1}GiB` },
    sites: Array.from({ length: count }, (_, i) => ({ name: `site-${i + 1}`, quota: "128MiB" })),
    streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "64MiB", collect: { maxBytes: "64MiB" } }],
  };
}

/** Bytes of the checkpoint: as the engine handles it, and as it lies on disk. */
function stateSize(stack: Stack): { plain: number; stored: number } {
  const file = filesBelow(stack.stateFolder).find((name) => name.includes(`/stacks/`) && /\.json(\.gz)?$/.test(name));
  if (file === undefined) return { plain: NaN, stored: NaN };
  const bytes = fs.readFileSync(file);
  return { plain: file.endsWith(".gz") ? gunzipSync(bytes).length : bytes.length, stored: bytes.length };
}

interface Measured {
  sites: number;
  up: number;
  noop: number;
  added: number;
  state: { plain: number; stored: number };
}

async function measure(count: number): Promise<Measured> {
  const stack = await Stack.create(`bench-${count}`, fleetOf(count));
  try {
    const up = await timed(() => stack.up());
    const state = stateSize(stack);
    const noop = await fastest(() => stack.up());
    let sites = count;
    const added = await fastest(() => {
      stack.configure(fleetOf(++sites));
      return stack.up();
    });
    return { sites: count, up, noop, added, state };
  } finally {
    await stack.remove();
  }
}

/** The same project with a program that does nothing. */
async function measureEmpty(): Promise<{ up: number; noop: number }> {
  const folder = copyProject("empty");
  fs.writeFileSync(path.join(folder, "index.ts"), "export {};\n");
  const stack = await Stack.create("bench-empty", {}, { folder });
  try {
    const up = await timed(() => stack.up());
    return { up, noop: await fastest(() => stack.up()) };
  } finally {
    await stack.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const more = process.argv.slice(2).map(Number).filter(Number.isInteger);
  const empty = await measureEmpty();
  console.log(`empty program: up ${seconds(empty.up)}, no-op ${seconds(empty.noop)}`);
  const results: Measured[] = [];
  for (const count of [2, 50, ...more]) {
    const result = await measure(count);
    results.push(result);
    console.log(
      `${count} sites: up ${seconds(result.up)}, no-op ${seconds(result.noop)}, one more site ${seconds(result.added)}, state ${result.state.plain} B (${result.state.stored} B stored)`,
    );
  }
  const [two, fifty] = results;
  if (two === undefined || fifty === undefined) return;
  const perSite = (kind: "plain" | "stored") => `${((fifty.state[kind] - two.state[kind]) / 48 / 1000).toFixed(1)} kB`;
  const table = new Table({ head: ["what", "measured", "target"], style: { head: [] } });
  table.push(
    ["2 sites from nothing to proven, beyond an empty program", seconds(two.up - empty.up), "4 s"],
    ["50 sites from nothing to proven", seconds(fifty.up), "40 s"],
    ["no-op of 2 sites / no-op of an empty program", (two.noop / empty.noop).toFixed(2), "2"],
    ["one site added to 50 / added to 2", (fifty.added / two.added).toFixed(2), "2"],
    ["state per site, as the engine handles it", perSite("plain"), "12 kB"],
    ["state per site, as stored", perSite("stored"), "12 kB"],
  );
  console.log(table.toString());
}

void main();
