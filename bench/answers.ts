import Table from "cli-table3";
import { casesOf, judge, runCase } from "../test/support/catalogue/catalogue";
import { GROUPS } from "../test/support/catalogue/rows";

/**
 * How long the first answer takes, from the last change of the servers to the findings, one mistake at a time: for each
 * finding of the catalogue the first mistake that leads to it. Probes that never arrive are given up after 3 s here, and
 * after `probes.timeout` in a fleet.
 */
const TARGET_MS = 15_000;

describe("the time to a first answer", function () {
  this.timeout(300_000);
  const answers: { code: string; title: string; answerMs: number; isRight: boolean }[] = [];
  const seen = new Set<string>();
  for (const one of casesOf(Object.values(GROUPS).flat())) {
    const code = one.row.finds.map((find) => find.replace(/^.*: /, "")).find((each) => !seen.has(each));
    if (code === undefined) continue;
    for (const find of one.row.finds) seen.add(find.replace(/^.*: /, ""));
    it(`is taken: ${one.title}`, async () => {
      const outcome = await runCase(one);
      answers.push({ code, title: one.title, answerMs: outcome.answerMs, isRight: judge(one, outcome).length === 0 });
    });
  }

  after(() => {
    const table = new Table({ head: ["finding", "mistake", "answer", ""], style: { head: [] } });
    for (const { code, title, answerMs, isRight } of [...answers].sort((a, b) => b.answerMs - a.answerMs))
      table.push([code, title, `${(answerMs / 1000).toFixed(1)} s`, isRight ? "right" : "WRONG"]);
    console.log(table.toString());
    const slowest = Math.max(...answers.map(({ answerMs }) => answerMs));
    console.log(`slowest first answer: ${(slowest / 1000).toFixed(1)} s (target ${TARGET_MS / 1000} s)`);
  });
});
