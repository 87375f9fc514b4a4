import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { until } from "../until";

/** What one run of a command left behind. */
export interface Ran {
  readonly command: string;
  readonly code: number;
  /** Everything that it printed, on both streams. */
  readonly output: string;
  readonly stdout: string;
}

/** A command that is still under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
}

/** Starts a command in the folder, in a process group of its own. */
export function startCommand(
  folder: string,
  [program = "true", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  input = "",
): Running {
  const child = spawn(program, args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"], detached: true });
  let [output, stdout] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  // It may end without having read, and its exit code tells what is to be told.
  child.stdin.on("error", () => undefined).end(input);
  const command = [path.basename(program), ...args].join(" ");
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    // What outlives a killed command may hold its pipes open.
    child.once("exit", () =>
      setTimeout(() => [child.stdout, child.stderr].forEach((pipe) => pipe.destroy()), 2_000).unref(),
    );
    child.once("close", (code) => resolve({ command, code: code ?? -1, output, stdout }));
  });
  return { child, ended };
}

export function succeeded(ran: Ran): Ran {
  assert.equal(ran.code, 0, `'${ran.command}' failed:\n${ran.output}`);
  return ran;
}

/** Kills a command, with all that it started, when something holds. */
export async function killWhen(
  { child, ended }: Running,
  what: string,
  look: () => boolean | Promise<boolean>,
  withinMs?: number,
): Promise<void> {
  let ran: Ran | undefined;
  void ended.then((one) => (ran = one));
  const holds = async (): Promise<boolean> => {
    if (ran !== undefined) throw new Error(`it ended before:\n${ran.output}`);
    return await look();
  };
  await until(what, holds, withinMs);
  process.kill(-child.pid!, "SIGKILL");
  await ended;
}
