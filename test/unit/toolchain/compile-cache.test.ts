import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inTempFolder } from "../providers/temp-folder";

const CACHE = "test/support/compile-cache.js";
const SOURCE = readFileSync(join(__dirname, "../../..", CACHE), "utf8");

/** Longer than what is not worth being kept. */
const PADDING = `// ${"long ".repeat(200)}\n`;

describe("what the tests' processes keep of what they compile", () => {
  const temp = inTempFolder();

  /** Runs main.js in a folder with a cache of its own. */
  function run(files: Record<string, string>, ...args: string[]): string {
    mkdirSync(temp.path("test/support"), { recursive: true });
    writeFileSync(temp.path(CACHE), SOURCE);
    for (const [name, text] of Object.entries(files)) writeFileSync(temp.path(name), PADDING + text);
    const options = ["--require", temp.path(CACHE), ...args, temp.path("main.js")];
    const { stdout, stderr } = spawnSync(process.execPath, options, { encoding: "utf8", env: {} });
    assert.equal(stderr, "");
    return stdout;
  }
  const keptFiles = () => readdirSync(temp.path("node_modules/.cache/nats-hub-leaf"));

  it("is used as long as the file has the same text", () => {
    const main = `console.log(require("./other").value, require.main === module, __filename.endsWith("main.js"));`;
    const files = { "main.js": main, "other.js": "exports.value = 1;" };
    assert.deepEqual([run(files), keptFiles().length], ["1 true true\n", 2]);
    assert.deepEqual([run(files), keptFiles().length], ["1 true true\n", 2]);
    assert.deepEqual(run({ ...files, "other.js": "exports.value = 2;" }), "2 true true\n");
    assert.equal(keptFiles().length, 3);
  });

  it("is passed on to processes that a process starts", () => {
    run({ "main.js": "" });
    assert.equal(keptFiles().length, 1);
    const starts = `require("node:child_process").execFileSync(process.execPath, [__dirname + "/child.js"]);`;
    run({ "main.js": starts, "child.js": "exports.value = 1;" });
    assert.equal(keptFiles().length, 3);
  });

  it("is made anew where it is damaged, or of other flags of V8", () => {
    const files = { "main.js": "console.log('runs');" };
    run(files);
    for (const file of keptFiles()) writeFileSync(temp.path("node_modules/.cache/nats-hub-leaf", file), "damaged");
    assert.equal(run(files), "runs\n");
    assert.equal(run(files, "--stack-size=900"), "runs\n");
  });

  it("has no part in files that import at run time", () => {
    const files = { "main.js": `void import("node:path").then(({ sep }) => console.log(sep));` };
    assert.deepEqual([run(files), run(files), keptFiles()], ["/\n", "/\n", []]);
  });
});
