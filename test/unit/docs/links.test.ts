import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../../..");
const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** What a page's headings are linked by. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^#+ +(.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );

describe("the links of the docs", () => {
  for (const page of PAGES)
    it(`of ${page} lead somewhere`, () => {
      const broken: string[] = [];
      for (const [, link = ""] of textOf(page).matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)) {
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? page : join(dirname(page), file);
        if (!existsSync(join(ROOT, target))) broken.push(link);
        else if (anchor !== undefined && !anchorsOf(textOf(target)).has(anchor)) broken.push(link);
      }
      assert.deepEqual(broken, []);
    });
});

describe("CONTRIBUTING", () => {
  const text = textOf("CONTRIBUTING.md");

  it("names files and folders that are there", () => {
    const named = [...text.matchAll(/`([a-z-]+\/[\w./*<>-]*)`/g)].map(([, path = ""]) => path);
    const missing = named.filter((path) => !/[*<]/.test(path) && !existsSync(join(ROOT, path)));
    assert.deepEqual(missing, []);
  });

  it("names tests that there are", () => {
    const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" }).filter((f) =>
      f.endsWith(".ts"),
    );
    const all = files.map((file) => textOf(join("test", file))).join("\n");
    for (const [, title = ""] of text.matchAll(/ARGS="-g '([^']+)'"/g)) assert.ok(all.includes(title), title);
  });
});

describe("the README", () => {
  it("has at most 130 lines", () => {
    assert.ok(textOf("README.md").split("\n").length <= 131);
  });
});
