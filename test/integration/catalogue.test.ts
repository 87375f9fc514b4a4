import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { format } from "prettier";
import { Case, Outcome, casesOf, healedOf, judge, recording, runCase } from "../support/catalogue/catalogue";
import { Result, catalogueDoc, resultOf, summary } from "../support/catalogue/report";
import { Recorded, writeRecorded } from "../support/catalogue/recorded";
import { FAILED_STEP, GROUPS } from "../support/catalogue/rows";
import { concurrently } from "../support/concurrently";
import { codesOf, findingsOf, provenOf } from "../support/rules/findings";
import { TestFleet } from "../support/fleets/fleet";

/**
 * Every mistake of the catalogue on real servers of a fleet of its own, beside a healthy site: it is found, the healthy
 * site is proven all the same, the cure that is named is applied, and the proof passes.
 */
describe("the catalogue of mistakes", function () {
  this.timeout(300_000);

  const CASES = casesOf(Object.values(GROUPS).flat());
  const results: Result[] = [];
  /** Of each finding whose cure can be run: whether the fleet was well after it. */
  const healed: boolean[] = [];
  const titleOf = ({ title }: Case): string => `finds what is wrong with ${title}`;
  /** What was observed where the findings are those that are expected. */
  const recorded: Recorded[] = [];
  /** What became of each case that is made; with mocha's -g only those are made that it chooses. */
  let outcomes: (Promise<Outcome> | undefined)[] = [];

  before(() => {
    const flag = process.argv.findIndex((word) => word === "-g" || word === "--grep");
    const chosen = new RegExp(flag < 0 ? "" : (process.argv[flag + 1] ?? ""));
    const some = CASES.filter((one) => chosen.test(`the catalogue of mistakes ${titleOf(one)}`));
    const made = (some.length === 0 ? CASES : some).filter(({ row }) => row.whyNot?.() === undefined);
    // One of them waits for minutes, without work.
    const started = concurrently(
      5,
      made.map((one) => () => runCase(one)),
    );
    outcomes = CASES.map((one) => (made.includes(one) ? started[made.indexOf(one)] : undefined));
  });

  CASES.forEach((one, i) => {
    it(titleOf(one), async function () {
      if (one.row.whyNot?.() !== undefined) this.skip();
      const outcome = (await outcomes[i])!;
      results.push(resultOf(one, outcome));
      healed.push(...healedOf(one, outcome));
      if (resultOf(one, outcome).isRight) recorded.push({ title: one.title, facts: outcome.facts });
      assert.deepEqual(judge(one, outcome), []);
    });
  });

  it(`finds a step that failed: ${FAILED_STEP.title}`, async () => {
    const other = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    try {
      await using fleet = await TestFleet.deploy({
        sites: [{ name: "oslo", ports: { client: port } }, { name: "bergen" }],
      });
      const { facts, stop } = recording(fleet);
      const [finding, ...more] = await findingsOf(fleet);
      stop();
      assert.deepEqual(codesOf([finding!, ...more]), FAILED_STEP.finds);
      recorded.push({ title: FAILED_STEP.title, facts: [...facts.values()] });
      assert.match(finding!.cause, FAILED_STEP.cause["step-failed"]);
      assert.ok(finding!.cause.includes(`port ${port} `), finding!.cause);
      assert.equal(provenOf(fleet, "bergen").length, 1);
      assert.ok(other.listening, "the other program was left alone");
      other.close();
      await once(other, "close");
      await fleet.up();
      assert.equal((await fleet.prove()).length, 2);
    } finally {
      other.close();
    }
  });

  it("does not take a site that is expected offline for a mistake", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo", expect: "offline" }, { name: "bergen" }] });
    assert.deepEqual(
      (await fleet.prove()).map(({ site, status, link, messages }) => [site, status, link, messages]),
      [
        ["oslo", "pending", "pending", 0],
        ["bergen", "proven", "up", 28],
      ],
    );
    await fleet.up({ sites: [{ name: "oslo" }, { name: "bergen" }] });
    assert.deepEqual(
      (await fleet.prove()).map(({ status }) => status),
      ["proven", "proven"],
    );
  });

  after(async () => {
    if (results.length === 0) return;
    const width = Math.max(...results.map(({ title }) => title.length));
    for (const { title, found, isRight, answerMs } of results)
      console.log(
        `${isRight ? "right" : "WRONG"}  ${(answerMs / 1000).toFixed(1).padStart(4)} s  ${title.padEnd(width)}  ${found.join(", ") || "none"}`,
      );
    console.log(summary(results));
    console.log(`cures run and healed: ${healed.filter((one) => one).length} of ${healed.length}`);
    if (process.env.RECORD !== undefined)
      writeRecorded(recorded, [...CASES.map(({ title }) => title), FAILED_STEP.title]);
    // With a part of the rows only, the page would call the others not run.
    if (process.env.CATALOGUE !== "write" || results.length !== CASES.length) return;
    const page = await format(catalogueDoc(results), { parser: "markdown", printWidth: 120 });
    writeFileSync(join(__dirname, "../../docs/catalogue.md"), page);
  });
});
