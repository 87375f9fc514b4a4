import { readFileSync } from "node:fs";
import { soak } from "../support/soak/soak";

/** Random operations of people, machines and networks: the book equals the count by ids. The long form is in bench/. */
describe("a fleet under random operations", function () {
  const OPERATIONS = Number(process.env.SOAK_OPERATIONS ?? 12);
  this.timeout(OPERATIONS > 50 ? "90m" : "10m");
  const SEED = Number(process.env.SOAK_SEED ?? 1);
  const { SOAK_SCRIPT: file } = process.env;
  const SCRIPT = file === undefined ? [] : readFileSync(file, "utf8").split("\n");
  for (const mode of ["perSite", "merged"] as const)
    it(`keeps its book as the ids say (${mode}, seed ${SEED}, ${OPERATIONS} operations)`, async () => {
      console.log(JSON.stringify(await soak(mode, SEED, OPERATIONS, SCRIPT)));
    });
});
