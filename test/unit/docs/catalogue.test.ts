import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { casesOf, found } from "../../support/catalogue/catalogue";
import { GROUPS } from "../../support/catalogue/rows";

describe("the page of the catalogue (cure: make catalogue)", () => {
  const page = readFileSync(join(__dirname, "../../../docs/catalogue.md"), "utf8");
  const cells = page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .slice(2, -2)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
  const CASES = casesOf(Object.values(GROUPS).flat());

  it("has a row for every mistake, with the finding that is expected of it", () => {
    for (const { title, row } of CASES) {
      const [, shown] = cells.find(([name]) => name === title) ?? [];
      const codes = (shown ?? "not there").replace(/\[([a-z-]+)\]\(findings\.md#\1\)/g, "$1");
      assert.equal(codes, [...row.finds].sort().join(", ") || "none", title);
    }
  });

  it("has no row that is not in the catalogue", () => {
    const titles = new Set(CASES.map(({ title }) => title));
    const rows = cells.filter(([, , verdict]) => verdict === "right" || verdict === "wrong");
    assert.equal(rows.length, CASES.length);
    assert.deepEqual(
      rows.filter(([title]) => !titles.has(title ?? "")),
      [],
    );
  });

  it("calls all of them right", () => {
    assert.ok(page.includes(`**${CASES.length} of ${CASES.length} right.**`));
  });
});

describe("the catalogue", () => {
  const CASES = casesOf(Object.values(GROUPS).flat());

  it("names each of its rows once", () => {
    assert.equal(new Set(CASES.map(({ title }) => title)).size, CASES.length);
  });

  it("says of every finding about oslo what its evidence must show", () => {
    for (const { row, title } of CASES) {
      const codes = row.finds
        .filter((one) => one.startsWith("oslo: "))
        .map((one) => one.replace(/^oslo: | \(warning\)$/g, ""));
      assert.deepEqual(
        [...new Set(codes)].filter((code) => !(code in row.evidence)),
        [],
        title,
      );
    }
  });

  it("sorts what was found", () => {
    const finding = { site: "oslo", symptom: "", cause: "", evidence: "", next: "" };
    assert.deepEqual(
      found([
        { ...finding, code: "b" },
        { ...finding, code: "a" },
      ]),
      ["oslo: a", "oslo: b"],
    );
  });
});
