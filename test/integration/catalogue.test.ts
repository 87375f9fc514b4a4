import assert from "node:assert/strict";
import { CARRIED_ROWS } from "../support/catalogue-carried";
import { LOSS_ROWS } from "../support/catalogue-losses";
import { PAIR_ROWS } from "../support/catalogue-pairs";
import { STRESS_ROWS } from "../support/catalogue-stress";
import { STREAM_ROWS } from "../support/catalogue-streams";
import { LINK_ROWS } from "../support/catalogue-links";
import { Outcome, casesOf, judge, runCase } from "../support/catalogue";
import { concurrently } from "../support/concurrently";

describe("the catalogue of mistakes", function () {
  this.timeout(300_000);
  const CASES = casesOf([
    ...LINK_ROWS,
    ...CARRIED_ROWS,
    ...STREAM_ROWS,
    ...LOSS_ROWS,
    ...PAIR_ROWS,
    ...STRESS_ROWS,
  ]).filter(({ title }) => new RegExp(process.env.ROW ?? "").test(title));
  let outcomes: Promise<Outcome>[] = [];
  before(() => {
    outcomes = concurrently(
      3,
      CASES.map((one) => () => runCase(one)),
    );
  });
  CASES.forEach((one, i) => {
    it(one.title, async () => {
      const outcome = await outcomes[i]!;
      const wrong = judge(one, outcome);
      if (wrong.length > 0 && process.env.FACTS) console.log(JSON.stringify(outcome.facts, null, 1));
      if (process.env.FACTS) console.log(outcome.answerMs);
      assert.deepEqual(wrong, []);
    });
  });
});
