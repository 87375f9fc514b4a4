import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { casesOf, loadCase, writeCase } from "../../support/cases/case-files";

const SECRET = /\bS[UAO][A-Z2-7]{56}\b|\beyJ[\w-]+\.|PRIVATE KEY/;

describe("the cases of check-config", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cases-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const kind of ["good", "mistakes"] as const) {
    for (const one of casesOf(kind)) {
      it(`can be written: ${one.kind}`, async () => {
        assert.equal(one.right.verdict === "good", kind === "good");
        assert.equal(one.about.length === 0, kind === "good");
        for (const { path, text } of one.files) {
          assert.doesNotMatch(text, SECRET, path);
          for (const [, port] of text.matchAll(/:(2\d{4})\b/g))
            assert.ok(Number(port) >= 21_000 && Number(port) < 29_000);
        }
        const given = await writeCase(one, folder);
        assert.ok(given.length > 0);
        for (const { path } of one.files) assert.doesNotMatch(readFileSync(join(folder, path), "utf8"), /<[A-Z-]+[:>]/);
      });
    }
  }

  it("gives one key one name", async () => {
    const file = join(folder, "one.txt");
    writeFileSync(file, "what: a\n  b\nreal: c\nright: good\n-- a.conf --\n<PUBLIC:x>\n-- b/c --\n<PUBLIC:x>\n");
    const one = loadCase(file);
    assert.equal(one.what, "a b");
    assert.deepEqual(await writeCase(one, folder), [join(folder, "a.conf")]);
    assert.equal(readFileSync(join(folder, "a.conf"), "utf8"), readFileSync(join(folder, "b/c"), "utf8"));
    assert.match(readFileSync(join(folder, "a.conf"), "utf8"), /^U[A-Z2-7]{55}\n$/);
  });

  it("refuses a verdict on a file that is not there", () => {
    const file = join(folder, "one.txt");
    writeFileSync(file, "what: a\nreal: c\nright: error b.conf\n-- a.conf --\nx\n");
    assert.throws(() => loadCase(file), /'error b\.conf' is no verdict/);
  });
});
