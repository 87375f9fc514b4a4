import Table from "cli-table3";
import { Stack } from "../test/support/stacks/cli";
import { succeeded } from "../test/support/stacks/commands";
import type { Victims } from "../test/support/stacks/interrupt";
import { type Living, assertFinished, fleetOf, killUp } from "../test/support/stacks/killed-up";

/**
 * `make up` of many new sites, killed at random moments: no key of a living site changes, nothing is made twice, and the
 * next `make up` finishes it.
 *
 *   make bench ARGS=kills               50 kills at 20 sites, about half an hour
 *   make bench ARGS=kills KILLS=5 SITES=10
 */

const KILLS = Number(process.env.KILLS ?? 50);
const SITES = Number(process.env.SITES ?? 20);
/** `grown`: half of the sites are there already. */
const BEGINNINGS = ["empty", "grown"] as const;
type Beginning = (typeof BEGINNINGS)[number];
/** Most kills take all: that is what a crash of the machine or of the shell does. */
const VICTIMS: readonly Victims[] = ["all", "cli", "all", "provider", "all", "program"];

const namesOf = (settings: ReturnType<typeof fleetOf>): string[] => settings.sites.map(({ name }) => name);

describe("kills", function () {
  this.timeout(0);

  let stack: Stack;
  const survived: Record<string, [number, number]> = {};
  const took: Partial<Record<Beginning, number>> = {};

  before(async () => void (stack = await Stack.create("bench-kills", fleetOf(SITES))));
  after(async () => {
    const table = new Table({ head: ["what was killed", "survived", "of"], style: { head: [] } });
    for (const [what, [good, all]] of Object.entries(survived)) table.push([what, good, all]);
    console.log(table.toString());
    await stack.remove();
  });

  async function begin(beginning: Beginning): Promise<void> {
    if (stack.exists()) succeeded(await stack.make("down", { DISCARD: "1" }));
    if (!stack.exists()) succeeded(await stack.run(["stack", "init"]));
    if (beginning === "grown") {
      stack.configure({ ...fleetOf(SITES), sites: fleetOf(SITES).sites.slice(0, SITES / 2) });
      succeeded(await stack.make("up"));
    }
    stack.configure(fleetOf(SITES));
  }

  /** In ms: how long an undisturbed run takes. */
  async function durationOf(beginning: Beginning): Promise<number> {
    if (took[beginning] === undefined) {
      await begin(beginning);
      const started = performance.now();
      succeeded(await stack.startMake("up", {}, ["--skip-preview"]).ended);
      took[beginning] = performance.now() - started;
    }
    return took[beginning];
  }

  /** Kills at a random moment. A run that ended before proves nothing, and is done again. */
  async function killedInTime(victims: Victims, within: number, beginning: Beginning): Promise<Living> {
    for (;;) {
      const moment = Math.random() * 0.9 * within;
      const started = performance.now();
      try {
        return await killUp(stack, victims, `${moment.toFixed(0)} ms`, () => performance.now() - started > moment);
      } catch (error) {
        if (!/the command ended before/.test(String(error))) throw error;
        console.log(`      it ended before ${moment.toFixed(0)} ms; once more`);
        await begin(beginning);
      }
    }
  }

  for (let round = 0; round < KILLS; round++) {
    const victims = VICTIMS[round % VICTIMS.length] ?? "all";
    const beginning = BEGINNINGS[round % 5 === 4 ? 1 : 0] ?? "empty";
    it(`${round + 1} of ${KILLS}: ${victims}, ${beginning}`, async () => {
      const within = await durationOf(beginning);
      const count = (survived[`${victims}, ${beginning}`] ??= [0, 0]);
      await begin(beginning);
      const before = await killedInTime(victims, within, beginning);
      count[1] += 1;
      await assertFinished(stack, namesOf(fleetOf(SITES)), before);
      count[0] += 1;
    });
  }
});
