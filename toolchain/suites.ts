import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Totals } from "../test/support/reporter";
import { Refusal, report } from "./refusal";

// `make unit`, `make test`: runs the named suites one after the other, each in a mocha of its own, and ends with the
// total over all of them, alone on the last line. All suites run even when one fails: CI shall show everything at once.

interface Suite {
  readonly folder: string;
  /** For one test, unless the test says otherwise. */
  readonly timeoutSeconds: number;
}

const SUITES: Readonly<Record<string, Suite>> = {
  unit: { folder: "test/unit", timeoutSeconds: 10 },
  integration: { folder: "test/integration", timeoutSeconds: 60 },
  e2e: { folder: "test/e2e", timeoutSeconds: 600 },
};

const PROJECT_ROOT = path.resolve(__dirname, "..");

/** The line that people and CI read: exactly this form, `skipped` only when there are any. */
export function totalLine(totals: Totals): string {
  const line = `${totals.passed} passed, ${totals.failed} failed`;
  return totals.skipped > 0 ? `${line}, ${totals.skipped} skipped` : line;
}

/**
 * The totals of one run. A mocha that died, or exits non-zero with no failed test (a file that does not load), counts as
 * one failure; so does a run without any test: neither may look green.
 */
export function judge(exitCode: number | null, counted: Totals | undefined): Totals {
  const totals = counted ?? { passed: 0, failed: 0, skipped: 0 };
  const ranNothing = totals.passed + totals.failed + totals.skipped === 0;
  const broken = totals.failed === 0 && (exitCode !== 0 || ranNothing);
  return broken ? { ...totals, failed: 1 } : totals;
}

async function main(names: readonly string[], mochaArguments: readonly string[]): Promise<number> {
  const sum: Totals = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  for (const name of names) {
    const suite = SUITES[name];
    if (suite === undefined) {
      throw new Refusal(`toolchain/suites.ts: '${name}' is no suite; there are ${Object.keys(SUITES).join(", ")}`);
    }
    console.log(`\n--- ${name} tests (${suite.folder})`);
    const totals = await runSuite(suite, mochaArguments);
    sum.passed += totals.passed;
    sum.failed += totals.failed;
    sum.skipped += totals.skipped;
    failures.push(...(totals.failures ?? []).map((failure) => `${name}: ${failure}`));
  }
  // Said again here: the end of the output is what CI shows first.
  if (failures.length > 0) console.log(`\nfailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
  console.log(`\n${totalLine(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

async function runSuite(suite: Suite, mochaArguments: readonly string[]): Promise<Totals> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-totals-"));
  try {
    const totalsFile = path.join(scratch, "totals.json");
    const exitCode = await runMocha(suite, mochaArguments, totalsFile);
    const counted = fs.existsSync(totalsFile) ? (JSON.parse(fs.readFileSync(totalsFile, "utf8")) as Totals) : undefined;
    return judge(exitCode, counted);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

function runMocha(suite: Suite, mochaArguments: readonly string[], totalsFile: string): Promise<number | null> {
  const mocha = require.resolve("mocha/bin/mocha.js");
  const child = spawn(
    process.execPath,
    [mocha, "--timeout", `${suite.timeoutSeconds}s`, ...mochaArguments, `${suite.folder}/**/*.test.ts`],
    { cwd: PROJECT_ROOT, stdio: "inherit", env: { ...process.env, MOCHA_TOTALS_FILE: totalsFile } },
  );
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

if (require.main === module) {
  // ts-node toolchain/suites.ts <suite …> [-- <options for mocha …>]
  const args = process.argv.slice(2);
  const separator = args.includes("--") ? args.indexOf("--") : args.length;
  main(args.slice(0, separator), args.slice(separator + 1)).then(
    (exitCode) => (process.exitCode = exitCode),
    (error: unknown) => {
      report(error);
      process.exitCode = 1;
    },
  );
}
