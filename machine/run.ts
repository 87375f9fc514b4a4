import { spawn } from "node:child_process";
import { Refusal } from "./refusal";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What it reads on standard input. @default nothing */
  readonly input?: string;
}

/** A program that could not be started or exited non-zero; `message` has the last lines it said. */
export class RunError extends Refusal {
  constructor(
    readonly program: string,
    readonly said: string,
    reason: string,
  ) {
    super([`${program} ${reason}`, ...lastLines(said)].join("\n    "));
    this.name = "RunError";
  }
}

const KEPT_LINES = 15;

function lastLines(text: string): string[] {
  return text.trimEnd().split("\n").filter(Boolean).slice(-KEPT_LINES);
}

/** Runs a program without a terminal and gives back what it printed on standard output. */
export function run(program: string, args: readonly string[], { input, ...options }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    // It may end without having read, and its exit code tells what is to be told.
    child.stdin?.on("error", () => undefined).end(input);
    // The child must not go on by itself when this process is told to stop.
    const stopChild = (): void => void child.kill();
    process.once("exit", stopChild);

    let output = "";
    let everything = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      everything += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (everything += text));
    child.once("error", (error) => {
      process.removeListener("exit", stopChild);
      reject(new RunError(program, everything, `cannot be started: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      process.removeListener("exit", stopChild);
      if (code === 0) resolve(output);
      else reject(new RunError(program, everything, signal ? `was killed by ${signal}` : `exited with code ${code}`));
    });
  });
}
