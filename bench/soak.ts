import Table from "cli-table3";
import { soak, Soaked } from "../test/support/soak/soak";

/**
 * 200 random operations of people, machines and networks over a fleet of three sites, in both modes side by side; after each
 * look the account book equals the count by ids, exactly. SOAK_SEED repeats a run, SOAK_OPERATIONS makes it longer,
 * SOAK_VERBOSE=1 shows its operations as they come, and SOAK_BOOK=<site> what that site's book says at every look.
 */
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 1e6));
const OPERATIONS = Number(process.env.SOAK_OPERATIONS ?? 200);
const MODES = ["perSite", "merged"] as const;

describe(`a fleet under ${OPERATIONS} random operations, seed ${SEED}`, function () {
  this.timeout("90m");
  const ended: Soaked[] = [];
  let runs: Promise<Soaked>[] = [];
  before(() => {
    runs = MODES.map((mode, i) => soak(mode, SEED + i, OPERATIONS));
    for (const run of runs) run.catch(() => undefined);
  });

  for (const [i, mode] of MODES.entries())
    it(`keeps its book as the ids say (${mode}, seed ${SEED + i})`, async () => {
      const run = await runs[i];
      if (run !== undefined) ended.push(run);
    });

  after(() => {
    const head = [
      "mode",
      "seed",
      "operations",
      "looks",
      "acknowledged",
      "missing",
      "doubled",
      "dropped",
      "pairs",
    ] as const;
    const table = new Table({ head: [...head], style: { head: [] } });
    for (const one of ended) table.push(head.map((column) => String(one[column])));
    console.log(table.toString());
  });
});
