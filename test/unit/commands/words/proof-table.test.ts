import assert from "node:assert/strict";
import { proofTable } from "../../../../commands/words/proof-table";

const OSLO = {
  site: "oslo",
  link: "up",
  account: "OSLO",
  stream: "EVENTS",
  collected: "OSLO_EVENTS",
  messages: 20,
  latencyMs: 3.24,
  status: "proven",
  provenAt: "2026-11-03T10:11:12Z",
};

/** The cells of one line of the table. */
const cells = (table: string, line: number): string[] =>
  (table.split("\n")[line] ?? "").split("│").slice(1, -1).map((cell) => cell.trim()); // prettier-ignore

describe("the table of what was proven", () => {
  it("shows for each stream of each site what reached the hub", () => {
    const table = proofTable([OSLO]);
    assert.deepEqual(cells(table, 1), [
      "site",
      "link",
      "account",
      "stream",
      "messages",
      "latency",
      "status",
      "last proven",
    ]);
    const when = "3 Nov 2026, 10:11 UTC";
    assert.deepEqual(cells(table, 3), ["oslo", "up", "OSLO", "EVENTS", "20", "3.2 ms", "proven", when]);
  });

  it("has a column for notes when there is one", () => {
    const table = proofTable([{ ...OSLO, note: "slow" }, OSLO]);
    assert.deepEqual(cells(table, 1).at(-1), "note");
    assert.deepEqual(cells(table, 3).at(-1), "slow");
    assert.deepEqual(cells(table, 4).at(-1), "-");
  });

  it("shows a site that is expected offline without a latency", () => {
    assert.deepEqual(cells(proofTable([{ site: "oslo", status: "offline" }]), 3), [
      ...["oslo", "-", "-", "-", "-", "-", "offline", "never"],
    ]);
  });

  it("says so when the stack has no such output", () => {
    assert.equal(proofTable(undefined), "the stack has no output 'proof': nothing was proven");
  });

  it("says so when there was nothing to prove", () => {
    assert.match(proofTable([]), /^the stack's output 'proof' is empty/);
  });
});
