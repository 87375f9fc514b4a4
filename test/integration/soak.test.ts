import { readFileSync } from "node:fs";
import { type Soaked, soak } from "../support/soak/soak";

/** Random operations of people, machines and networks: the book equals the count by ids. The long form is in bench/. */
describe("a fleet under random operations", function () {
  const OPERATIONS = Number(process.env.SOAK_OPERATIONS ?? 12);
  this.timeout(OPERATIONS > 50 ? "90m" : "10m");
  const SEED = Number(process.env.SOAK_SEED ?? 1);
  const { SOAK_SCRIPT: file } = process.env;
  const SCRIPT = file === undefined ? [] : readFileSync(file, "utf8").split("\n");
  const MODES = ["perSite", "merged"] as const;
  // They mostly wait for sources: side by side they take half the time.
  let soaked: Promise<Soaked>[] = [];
  before(() => {
    soaked = MODES.map((mode) => soak(mode, SEED, OPERATIONS, SCRIPT));
    // Its own test sees the failure.
    for (const one of soaked) one.catch(() => undefined);
  });
  after(() => Promise.allSettled(soaked));

  for (const [i, mode] of MODES.entries())
    it(`keeps its book as the ids say (${mode}, seed ${SEED}, ${OPERATIONS} operations)`, async () => {
      console.log(JSON.stringify(await soaked[i]));
    });
});
