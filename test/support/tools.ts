import { type ChildProcess, spawn } from "node:child_process";
import { onPath } from "../../machine/locate";
import { findTool, type ToolName } from "../../commands/toolchain/test-tools";

/** Programs of others that tests run: those of NATS, got by `make test-tools`, and Debian's Prometheus. */

type Program = Exclude<ToolName, "actionlint"> | "prometheus" | "promtool" | "go";

const CURES: Readonly<Record<Program, string>> = {
  nats: "make test-tools",
  "prometheus-nats-exporter": "make test-tools",
  prometheus: "Debian package prometheus",
  promtool: "Debian package prometheus",
  go: "install Go",
};

const find = (name: Program): string | undefined =>
  name === "nats" || name === "prometheus-nats-exporter" ? findTool(name) : onPath(name)[0];

/** Where the program is. Errors: when it is not there. */
export function tool(name: Program): string {
  const found = find(name);
  if (found === undefined) throw new Error(`${name} was not found (${CURES[name]})`);
  return found;
}

/** A suite that needs programs: skipped, with the reason, where one is missing; never where nothing may be skipped. */
export function describeWith(programs: readonly Program[], title: string, tests: (this: Mocha.Suite) => void): void {
  const missing = programs.filter((name) => find(name) === undefined);
  if (missing.length === 0) return void describe(title, tests);
  const reason = missing.map((name) => `${name} was not found (${CURES[name]})`).join(", ");
  if (process.env.CI === "true") throw new Error(`${title}: ${reason}`);
  describe.skip(`${title}, skipped: ${reason}`, tests);
}

/** Programs that run beside a test; `stop` ends them by their process ids, and waits until they are gone. */
export class Beside {
  private readonly children: { child: ChildProcess; ended: Promise<unknown> }[] = [];
  /** What they printed, for a test that fails. */
  output = "";

  start(name: Program, args: readonly string[], cwd: string): void {
    const child = spawn(tool(name), args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.children.push({ child, ended: new Promise((resolve) => child.once("close", resolve)) });
  }

  async stop(): Promise<void> {
    for (const { child } of this.children) child.kill("SIGTERM");
    await Promise.all(this.children.map(({ ended }) => ended));
  }
}
