import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../../..");

/** The options that `make types` gives to tsc beyond the project. */
function optionsOfMakeTypes(): string[] {
  const makefile = fs.readFileSync(path.join(ROOT, "Makefile"), "utf8");
  const options = /\/tsc --project \.(.*)$/m.exec(makefile)?.[1];
  assert.ok(options !== undefined, "Makefile: no line that runs tsc --project .");
  return options.trim().split(/\s+/).filter(Boolean);
}

/** tsc over one file, with the project's own settings. */
function typeCheck(source: string, options: readonly string[]): { exitCode: number | null; output: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-types-"));
  try {
    fs.writeFileSync(path.join(folder, "sample.ts"), source);
    const config = {
      extends: path.join(ROOT, "tsconfig.json"),
      compilerOptions: { types: [] },
      include: ["sample.ts"],
    };
    fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = require.resolve("typescript/bin/tsc");
    const child = spawnSync(process.execPath, [tsc, "--project", folder, ...options], { encoding: "utf8" });
    return { exitCode: child.status, output: child.stdout };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

describe("make types", function () {
  this.timeout(60_000);

  it("refuses a type error, although tsconfig.json switches checks off for `pulumi up`", () => {
    const { exitCode, output } = typeCheck("export const port: number = 'four';\n", optionsOfMakeTypes());
    assert.notEqual(exitCode, 0);
    assert.match(output, /sample\.ts\(1,14\): error TS2322/);
  });

  it("takes the look-up of an array element for possibly undefined", () => {
    const source = "export function first(names: string[]): string {\n  return names[0];\n}\n";
    assert.match(typeCheck(source, optionsOfMakeTypes()).output, /error TS2322/);
  });

  it("passes a file without an error", () => {
    assert.deepEqual(typeCheck("export const port: number = 4;\n", optionsOfMakeTypes()), { exitCode: 0, output: "" });
  });
});
