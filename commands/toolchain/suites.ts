import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Totals } from "../../test/support/reporter";
import { Refusal, report } from "../../machine/refusal";

// `make unit`, `make test`: runs the named suites one after the other and ends with the total over all of them, alone
// on the last line. All suites run even when one fails: CI must show everything in one run. The files of suites with
// lanes run side by side, each in a mocha of its own whose output is shown when it ends.

/** What a test file does most of its time. Those that wait leave the processors to those that compute. */
type Lane = "computes" | "waits";

interface Suite {
  readonly folder: string;
  /** For one test, unless the test says otherwise. */
  readonly timeoutSeconds: number;
  /** What its files do, except those in EXCEPTIONS. Without it, one mocha runs them all. */
  readonly lane?: Lane;
  /** For a mocha that runs all of its files. With -g, a file without such a test would be a failure on its own. */
  readonly options?: readonly string[];
}

const SUITES: Readonly<Record<string, Suite>> = {
  unit: { folder: "test/unit", timeoutSeconds: 10, options: ["--parallel", "--jobs", "2"] },
  integration: { folder: "test/integration", timeoutSeconds: 120, lane: "waits" },
  e2e: { folder: "test/e2e", timeoutSeconds: 600, lane: "computes" },
};

/** So many files at a time, by what they do. The file that computes most uses about one processor. */
const LANES: Readonly<Record<Lane, number>> = { computes: 2, waits: 2 };

/** Files whose time goes elsewhere than that of their suite: to Docker engines, or to hundreds of rehearsals. */
export const EXCEPTIONS: Readonly<Record<string, Lane>> = {
  "test/e2e/away.test.ts": "waits",
  "test/e2e/changes.test.ts": "waits",
  "test/e2e/docker.test.ts": "waits",
  "test/e2e/docker-refusals.test.ts": "waits",
  "test/e2e/docker-support.test.ts": "waits",
  "test/e2e/machines.test.ts": "waits",
  "test/e2e/paused.test.ts": "waits",
  "test/e2e/resize.test.ts": "waits",
  "test/e2e/three-containers.test.ts": "waits",
  "test/integration/changes.test.ts": "computes",
  "test/integration/files-cases.test.ts": "computes",
};

/** What takes longest begins first, so that nothing long is left alone at the end. */
export const LONGEST: readonly string[] = [
  "test/e2e/docker.test.ts",
  "test/integration/book.test.ts",
  "test/integration/catalogue.test.ts",
  "test/e2e/machines.test.ts",
  "test/e2e/journal.test.ts",
  "test/e2e/watcher-container.test.ts",
  "test/e2e/life-cycle.test.ts",
  "test/e2e/changes.test.ts",
  "test/e2e/resize.test.ts",
  "test/integration/changes.test.ts",
  "test/e2e/three-containers.test.ts",
  "test/e2e/away.test.ts",
  "test/e2e/interrupted.test.ts",
  "test/e2e/three.test.ts",
  "test/integration/three.test.ts",
  "test/integration/watcher-three.test.ts",
  "test/e2e/doctor.test.ts",
  "test/e2e/waves.test.ts",
  "test/e2e/paused.test.ts",
  "test/integration/doubling.test.ts",
  "test/integration/faults.test.ts",
  "test/integration/repair.test.ts",
  "test/integration/doctor-foreign.test.ts",
  "test/integration/watcher.test.ts",
  "test/e2e/backup.test.ts",
  "test/e2e/docker-refusals.test.ts",
  "test/e2e/remote-engines.test.ts",
  "test/e2e/environments.test.ts",
  "test/integration/files-cases.test.ts",
  "test/integration/files-rehearsal.test.ts",
  "test/e2e/mixed.test.ts",
  "test/e2e/moved.test.ts",
  "test/integration/soak.test.ts",
  "test/e2e/secrets.test.ts",
  "test/e2e/preview-report.test.ts",
  "test/e2e/tutorial.test.ts",
  "test/e2e/watcher-docker.test.ts",
  "test/e2e/workflows.test.ts",
  "test/integration/streams.test.ts",
];

const PROJECT_ROOT = path.resolve(__dirname, "../..");

const NOTHING: Totals = { passed: 0, failed: 0, skipped: 0, failures: [] };

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
  const totals = counted ?? NOTHING;
  const ranNothing = totals.passed + totals.failed + totals.skipped === 0;
  const broken = totals.failed === 0 && (exitCode !== 0 || ranNothing);
  return broken ? { ...totals, failed: 1, failures: [`mocha ended with exit code ${exitCode}`] } : totals;
}

const sumOf = (a: Totals, b: Totals): Totals => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failures: [...a.failures, ...b.failures],
});

async function main(names: readonly string[], mochaArguments: readonly string[]): Promise<number> {
  const suites = names.map((name) => {
    const suite = SUITES[name];
    if (suite !== undefined) return suite;
    throw new Refusal(
      `commands/toolchain/suites.ts: '${name}' is not a suite; there are ${Object.keys(SUITES).join(", ")}`,
    );
  });
  const isWhole = ({ lane }: Suite): boolean => lane === undefined || mochaArguments.length > 0;
  const ran: Ran[] = [];
  for (const suite of suites.filter(isWhole)) {
    console.log(`\n--- ${suite.folder}`);
    const options = mochaArguments.length > 0 ? mochaArguments : (suite.options ?? []);
    const run = (output: Output) => runFiles(suite, [...options, `${suite.folder}/**/*.test.ts`], output);
    ran.push({ file: suite.folder, seconds: 0, totals: await run("inherit"), again: () => run("at the end") });
  }
  ran.push(...(await runSideBySide(suites.filter((suite) => !isWhole(suite)))));
  // Who runs chosen tests wants to see each run for itself.
  const sum = (mochaArguments.length > 0 ? ran.map(({ totals }) => totals) : await counted(ran)).reduce(sumOf, NOTHING);
  // Said again here: the end of the output is what CI shows first.
  if (sum.failures.length > 0) console.log(`\nfailed:\n${sum.failures.map((failure) => `  ${failure}`).join("\n")}`);
  console.log(`\n${totalLine(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

interface Job {
  readonly suite: Suite;
  /** Below the project's folder. */
  readonly file: string;
  readonly lane: Lane;
}

interface Ran {
  /** Or the folder of a suite. */
  readonly file: string;
  readonly seconds: number;
  readonly totals: Totals;
  readonly again: () => Promise<Totals>;
}

/** All files of these suites, so many at a time. */
async function runSideBySide(suites: readonly Suite[]): Promise<Ran[]> {
  const ran: Ran[] = [];
  await inLanes(inOrder(suites.flatMap(jobsOf)), LANES, async ({ suite, file }) => {
    const started = Date.now();
    const again = () => runFiles(suite, [file], "at the end");
    const totals = await again();
    ran.push({ file, seconds: (Date.now() - started) / 1000, totals, again });
  });
  const slowest = ran.sort((a, b) => b.seconds - a.seconds).slice(0, 12);
  const said = slowest.map(
    ({ file, seconds, totals: { cpuSeconds = 0 } }) =>
      `  ${seconds.toFixed(0).padStart(4)} s, ${cpuSeconds.toFixed(0).padStart(4)} s of CPU  ${file}`,
  );
  if (said.length > 0) console.log(["\nslowest:", ...said].join("\n"));
  return ran;
}

/** What counts: of files that failed, if they are few, their second run. */
async function counted(ran: readonly Ran[]): Promise<readonly Totals[]> {
  const { totals, alone } = await failedAgain(ran, ({ file, again }) => {
    console.log(`\n--- ${file}, again and alone`);
    return again();
  });
  if (alone.length > 0)
    console.log(["\nfailed beside other files, and passed alone:", ...alone.map((one) => `  ${one}`)].join("\n"));
  return totals;
}

/** A fault shows in every run of its file. On a busy machine a few files may meet a deadline of the machine's. */
const MOST_AGAIN = 3;

/** Runs the files that failed a second time, unless they are more than three: what counts then is the second run. */
export async function failedAgain<R extends { totals: Totals }>(
  ran: readonly R[],
  run: (one: R) => Promise<Totals>,
): Promise<{ totals: Totals[]; alone: string[] }> {
  const failed = ran.filter(({ totals }) => totals.failed > 0);
  const totals: Totals[] = [];
  const alone: string[] = [];
  for (const one of ran) {
    const isAgain = failed.length <= MOST_AGAIN && failed.includes(one);
    const counted = isAgain ? await run(one) : one.totals;
    totals.push(counted);
    if (isAgain && counted.failed === 0) alone.push(...one.totals.failures);
  }
  return { totals, alone };
}

function jobsOf(suite: Suite): Job[] {
  const { folder, lane = "waits" } = suite;
  return fs
    .readdirSync(path.join(PROJECT_ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`)
    .map((file) => ({ suite, file, lane: EXCEPTIONS[file] ?? lane }));
}

/**
 * Runs the work for all jobs in their order, in so many lanes of each kind. Lanes with nothing left to compute take what
 * waits; the others never take what computes, for there are as many lanes for that as processors.
 */
export async function inLanes<J extends { lane: Lane }>(
  jobs: readonly J[],
  lanes: Readonly<Record<Lane, number>>,
  work: (job: J) => Promise<void>,
): Promise<void> {
  const queues = {
    computes: jobs.filter(({ lane }) => lane === "computes"),
    waits: jobs.filter(({ lane }) => lane === "waits"),
  };
  const next = {
    computes: () => queues.computes.shift() ?? queues.waits.shift(),
    waits: () => queues.waits.shift(),
  };
  const worker = async (lane: Lane) => {
    for (let job = next[lane](); job !== undefined; job = next[lane]()) await work(job);
  };
  const kinds: readonly Lane[] = ["computes", "waits"];
  await Promise.all(kinds.flatMap((kind) => Array.from({ length: lanes[kind] }, () => worker(kind))));
}

/** The longest first, the others by name. */
export function inOrder<J extends { file: string }>(jobs: readonly J[]): J[] {
  const rank = ({ file }: J): number => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length);
  return [...jobs].sort((a, b) => rank(a) - rank(b) || a.file.localeCompare(b.file));
}

/** One mocha over these files. */
async function runFiles(suite: Suite, mochaArguments: readonly string[], output: Output): Promise<Totals> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-totals-"));
  try {
    const totalsFile = path.join(scratch, "totals.json");
    const log = path.join(scratch, "output");
    const exitCode = await runMocha(suite, mochaArguments, totalsFile, output === "inherit" ? undefined : log);
    if (output !== "inherit") process.stdout.write(fs.readFileSync(log));
    const counted = fs.existsSync(totalsFile) ? (JSON.parse(fs.readFileSync(totalsFile, "utf8")) as Totals) : undefined;
    const totals = judge(exitCode, counted);
    return { ...totals, failures: totals.failures.map((failure) => `${mochaArguments.at(-1)}: ${failure}`) };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

type Output = "inherit" | "at the end";

function runMocha(
  suite: Suite,
  mochaArguments: readonly string[],
  totalsFile: string,
  log: string | undefined,
): Promise<number | null> {
  const mocha = require.resolve("mocha/bin/mocha.js");
  const output = log === undefined ? "inherit" : fs.openSync(log, "w");
  // What a failed hook left open would keep the run from its end.
  const options = ["--exit", "--timeout", `${suite.timeoutSeconds}s`];
  const child = spawn(process.execPath, [mocha, ...options, ...mochaArguments], {
    cwd: PROJECT_ROOT,
    stdio: ["inherit", output, output],
    env: { ...process.env, MOCHA_TOTALS_FILE: totalsFile },
  });
  if (output !== "inherit") fs.closeSync(output);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

if (require.main === module) {
  // ts-node commands/toolchain/suites.ts <suite …> [-- <options for mocha …>]
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
