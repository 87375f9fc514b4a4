import { workNearLimits } from "../support/book/near-limits";
import { concurrently } from "../support/concurrently";

/** A property: whatever the program does with a fleet that is nearly full, no message of an application goes. */
describe("no message of an application leaves a stream that is nearly full", function () {
  this.timeout("10m");
  const FLEETS = Number(process.env.FLEETS ?? 6);
  const FIRST = Number(process.env.FIRST_SEED ?? 1);
  const SEEDS = Array.from({ length: FLEETS }, (_, i) => FIRST + i);
  let fleets: Promise<string[]>[] = [];
  before(() => {
    fleets = concurrently(
      2,
      SEEDS.map((seed) => () => workNearLimits(seed, 8)),
    );
  });
  SEEDS.forEach((seed, i) => {
    it(`whatever the program does (seed ${seed})`, async () => {
      const done = await fleets[i];
      if (process.env.FIRST_SEED !== undefined) console.log(done?.join("\n  "));
    });
  });
});
