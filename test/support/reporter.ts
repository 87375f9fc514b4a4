import * as fs from "node:fs";
import Mocha from "mocha";

/** What one mocha run counted; commands/toolchain/suites.ts adds the runs up. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  /** The failed tests, each as its whole title and how its message begins: told again at the very end. */
  failures: string[];
  /** Of mocha and of the programs that it started and saw end. */
  cpuSeconds?: number;
}

/** mocha's own output, and the totals as JSON in the file that this variable names. */
const TOTALS_FILE_VARIABLE = "MOCHA_TOTALS_FILE";

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const totalsFile = process.env[TOTALS_FILE_VARIABLE];
    if (totalsFile === undefined || totalsFile === "") return;

    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const totals: Totals = {
        passed: this.stats.passes,
        failed: this.stats.failures,
        skipped: this.stats.pending,
        cpuSeconds: cpuSeconds(),
        failures: this.failures.map((test) => `${test.titlePath().join(" > ")}: ${beginningOf(test.err?.message)}`),
      };
      fs.writeFileSync(totalsFile, JSON.stringify(totals));
    });
  }
}

/** Those of ended children too, where /proc says it (proc(5): utime, stime, cutime and cstime, in hundredths). */
function cpuSeconds(): number {
  try {
    const text = fs.readFileSync("/proc/self/stat", "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / 100;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
}

/** Enough for the reasons that a failed command gave, or for the first lines of a difference. */
const MOST_LINES = 12;

/** The first line, and then what begins with the first error that it tells of: a command's progress says nothing. */
function beginningOf(message: string | undefined): string {
  const [first = "", ...rest] = String(message)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const error = rest.findIndex((line) => /\b[Ee]rror:|^pending/.test(line));
  return [first, ...rest.slice(Math.max(error, 0))].slice(0, MOST_LINES).join("\n    ");
}

// mocha takes the module itself for the reporter class, not its default export.
module.exports = CountingReporter;
