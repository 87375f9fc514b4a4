import assert from "node:assert/strict";
import * as path from "node:path";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";

const ROOT = path.resolve(__dirname, "../../..");
const PURITY_RULES = ["no-restricted-globals", "no-restricted-syntax"];

// Only the name of the file counts: the text is each test's own.
const IN_CONFIGS = "configs/settings.ts";
const IN_PROVIDERS = "servers/server.ts";

describe("the purity of configs/", function () {
  this.timeout(240_000);
  // These rules need no types, and the types of the whole project take seconds.
  const eslint = new ESLint({ cwd: ROOT, overrideConfig: [tseslint.configs.disableTypeChecked] });

  async function offences(source: string, file = IN_CONFIGS): Promise<string[]> {
    const [result] = await eslint.lintText(source, { filePath: path.join(ROOT, file) });
    return result!.messages
      .filter((m) => m.fatal === true || PURITY_RULES.includes(m.ruleId ?? ""))
      .map((m) => m.message);
  }

  const IMPURE: Readonly<Record<string, string>> = {
    "an import at run time": `export const fs = import("node:fs");`,
    require: `export const fs = require("node:fs") as unknown;`,
    "the environment": `export const home = process.env.HOME;`,
    "the clock": `export const now = Date.now();`,
    "the time of day": `export const now = new Date();`,
    fetch: `export const answer = fetch("x");`,
    timers: `export const timer = setTimeout(() => undefined, 1);`,
    chance: `export const port = Math.random();`,
    "the console": `console.log("x"); export {};`,
  };
  for (const [what, source] of Object.entries(IMPURE)) {
    it(`refuses ${what}`, async () => {
      assert.equal((await offences(source)).length > 0, true);
    });
  }

  it("leaves the other rooms free", async () => {
    assert.deepEqual(await offences(IMPURE["the clock"]!, IN_PROVIDERS), []);
  });

  for (const file of [
    "diagnosis/diagnose.ts",
    "diagnosis/files/rules.ts",
    "views/outputs/contexts.ts",
    "views/topology/topology.ts",
    "views/report/changes.ts",
    "configs/values.ts",
  ]) {
    it(`holds for ${file} too`, async () => {
      const config = (await eslint.calculateConfigForFile(path.join(ROOT, file))) as {
        rules: Record<string, unknown[]>;
      };
      for (const rule of PURITY_RULES) assert.equal(config.rules[rule]?.[0], 2, rule);
    });
  }
});
