import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../../..");
const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** The words of the glossary's second table. */
function retired(): string[] {
  const [, table = ""] = textOf("docs/glossary.md").split("Retired, and refused");
  return [...table.matchAll(/^\| ([a-z ,]+?) +\|/gm)]
    .flatMap(([, words = ""]) => words.split(", "))
    .filter((word) => word !== "not");
}

describe("the words of this program", () => {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" })
    .split("\n")
    .filter(
      (file) =>
        /\.(ts|js|mjs|md|yaml|json|sh)$/.test(file) &&
        !/^(package-lock|docs\/glossary|test\/unit\/docs\/glossary)/.test(file),
    );

  it("are not those that the glossary retires", () => {
    const words = retired();
    assert.ok(words.length > 3);
    const pattern = new RegExp(`\\b(${words.join("|")})\\b`, "i");
    const found = files.flatMap((file) => {
      try {
        return textOf(file)
          .split("\n")
          .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : []));
      } catch {
        return []; // It was removed, and is not committed yet.
      }
    });
    assert.deepEqual(found, []);
  });
});
