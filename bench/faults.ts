import Table from "cli-table3";
import assert from "node:assert/strict";
import type { Mode } from "../test/support/catalogue/catalogue";
import { FAULTS } from "../test/support/faults/faults";
import { type Round, Rounds } from "../test/support/faults/rounds";

/**
 * Faults of a hub of three while applications publish at three sites; every acknowledged message is counted at the hub by its
 * number after each round. A seed makes a round again: it names the fault, the server and the moments.
 *
 *   make bench ARGS=faults                        every fault twice in both modes, about 10 minutes
 *   make bench ARGS=faults ROUNDS=30 RATE=500     so many rounds in each mode, and messages a second at each site
 *   make bench ARGS=faults SEED=17 ROUNDS=1 MODES=merged
 *   make bench ARGS=faults WATCH=1                with the watcher
 */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e4) * FAULTS.length);
const ROUNDS = Number(process.env.ROUNDS ?? 2 * FAULTS.length);
const RATE = Number(process.env.RATE ?? 200);
const IS_WATCHED = process.env.WATCH === "1";
const MODES = (process.env.MODES ?? "perSite,merged").split(",") as Mode[];

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const seconds = (ms: number): string => (ms / 1000).toFixed(1);

function shown(pauses: readonly number[]): string {
  const sorted = pauses.toSorted((a, b) => a - b);
  return [0, Math.floor(sorted.length / 2), sorted.length - 1].map((at) => seconds(sorted[at] ?? NaN)).join(" / ");
}

const totals = (rounds: readonly Round[]): (string | number)[] => [
  rounds.length,
  sum(rounds.map(({ acknowledged }) => acknowledged)),
  sum(rounds.map(({ lost }) => lost.length)),
  sum(rounds.map(({ doubled }) => doubled.length)),
];

const said = ({ seed, mode, fault, server, acknowledged, lost, doubled, pauseMs, failures }: Round): void =>
  console.log(
    `seed ${seed} ${mode}: ${fault} (${server}): ${acknowledged} messages, ${lost.length} lost, ` +
      `${doubled.length} doubled, pause ${seconds(pauseMs)} s${failures.map((why) => `; up was run again: ${why}`).join("")}`,
  );

describe(`a hub of three under ${ROUNDS} faults in each mode, seed ${SEED}`, function () {
  this.timeout(0);
  const done: Round[] = [];
  let runs: Promise<void>[] = [];

  async function run(mode: Mode): Promise<void> {
    await using rounds = await Rounds.deploy({ mode, perSecond: RATE, isWatched: IS_WATCHED, said });
    for (let seed = SEED; seed < SEED + ROUNDS; seed++) done.push(await rounds.run(seed));
    const { lost, doubled } = await rounds.whole();
    assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
  }

  before(() => {
    runs = MODES.map(run);
    for (const one of runs) one.catch(() => undefined);
  });

  for (const [i, mode] of MODES.entries()) it(`loses and doubles nothing (${mode})`, async () => runs[i]);

  after(() => {
    const head = ["fault", "mode", "rounds", "acknowledged", "lost", "doubled", "pause (s): min / median / max"];
    const table = new Table({ head, style: { head: [] } });
    for (const { words } of FAULTS)
      for (const mode of MODES) {
        const rounds = done.filter((round) => round.fault === words && round.mode === mode);
        if (rounds.length > 0)
          table.push([words, mode, ...totals(rounds), shown(rounds.map(({ pauseMs }) => pauseMs))]);
      }
    table.push(["all", MODES.join(", "), ...totals(done), shown(done.map(({ pauseMs }) => pauseMs))]);
    console.log(table.toString());
  });
});
