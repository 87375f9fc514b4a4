import assert from "node:assert/strict";
import { repairSite } from "../../doctor/repair/repair";
import { Played } from "../support/book/played";
import { BookRow, judgeBook } from "../support/book/row";
import { BOOK_ROWS } from "../support/book/rows";
import { MERGED, Mode } from "../support/catalogue/catalogue";
import { concurrently } from "../support/concurrently";
import { TestFleet } from "../support/fleets/fleet";
import { examined, observedAt } from "../support/fleets/watched";

/**
 * The account book on real servers: every way to lose, double or drop messages that is known here, with every message
 * counted by its id. The number that is told is the number that is gone; once acknowledged, it is told no more.
 */
describe("the account book", function () {
  this.timeout(300_000);

  const CASES = BOOK_ROWS.flatMap((row) => row.modes.map((mode) => ({ row, mode })));
  const titleOf = ({ row, mode }: { row: BookRow; mode: Mode }) => `tells of ${row.name} (${mode})`;
  let outcomes: (Promise<string[]> | undefined)[] = [];

  async function play({ row, mode }: { row: BookRow; mode: Mode }): Promise<string[]> {
    const settings = row.settings?.(mode) ?? (mode === "merged" ? MERGED : {});
    await using fleet = await TestFleet.deploy(settings);
    const played = new Played(fleet, mode);
    await fleet.prove();
    await row.make(played);
    const wrong = await judgeBook(row, played);
    for (const site of ["oslo", "bergen"]) {
      const observed = observedAt(fleet, site);
      await repairSite({
        observed,
        streams: observed.streams,
        accept: "known",
        note: "a test",
        say: () => undefined,
      }).catch((error: unknown) => wrong.push(`the acknowledgement of ${site}: ${String(error)}`));
    }
    const left = (await examined(fleet)).sites.flatMap(({ findings }) =>
      findings.filter(({ code }) => code.startsWith("messages-")).map(({ site, code }) => `${site}: ${code}`),
    );
    return [...wrong, ...left.map((one) => `told after it was acknowledged: ${one}`)];
  }

  before(() => {
    const flag = process.argv.findIndex((word) => word === "-g" || word === "--grep");
    const chosen = new RegExp(flag < 0 ? "" : (process.argv[flag + 1] ?? ""));
    const some = CASES.filter((one) => chosen.test(`the account book ${titleOf(one)}`));
    const made = some.length === 0 ? CASES : some;
    const started = concurrently(
      5,
      made.map((one) => () => play(one)),
    );
    outcomes = CASES.map((one) => (made.includes(one) ? started[made.indexOf(one)] : undefined));
  });

  CASES.forEach((one, i) => {
    it(titleOf(one), async () => assert.deepEqual(await outcomes[i], []));
  });
});
