import { spawn } from "node:child_process";
import type { PulumiStack } from "./backend";
import type { Deployment } from "./pending";
import { passphraseCure, wrongPassphrase } from "./passphrase";
import { present } from "../../configs/values";
import { Refusal } from "../../machine/refusal";
import { run, RunError } from "../../machine/run";

// The real Pulumi CLI on one stack: on the terminal, or quietly for what it knows.

/** All outputs of a large fleet are thousands of lines; the table of the proof says what matters of them. */
export const QUIET = "--suppress-outputs";

/** Runs the CLI on the terminal. Errors: a Refusal when it failed because the passphrase is not the stack's. */
export async function pulumi(target: PulumiStack, args: readonly string[]): Promise<number> {
  const exitCode = await onTerminal(target, args, "inherit");
  const wrong = exitCode === 0 ? undefined : wrongPassphrase(target);
  if (wrong !== undefined) throw new Refusal(wrong);
  return exitCode;
}

/** Runs the CLI with its standard output kept, whatever its exit code. */
export async function answer(
  target: PulumiStack,
  args: readonly string[],
): Promise<{ exitCode: number; stdout: string }> {
  const parts: Buffer[] = [];
  const exitCode = await onTerminal(target, [...args, "--non-interactive"], (part) => parts.push(part));
  return { exitCode, stdout: Buffer.concat(parts).toString("utf8") };
}

function onTerminal(
  { binary, projectFolder, stack, env }: PulumiStack,
  args: readonly string[],
  stdout: "inherit" | ((part: Buffer) => void),
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [...args, "--stack", stack], {
      cwd: projectFolder,
      env,
      stdio: ["inherit", stdout === "inherit" ? stdout : "pipe", "inherit"],
    });
    if (stdout !== "inherit") child.stdout?.on("data", stdout);
    // A Ctrl-C reaches the CLI as well, which then stops cleanly; exiting before it would hide the result.
    const wait = (): void => undefined;
    process.on("SIGINT", wait);
    const passOn = (): void => void child.kill("SIGTERM");
    process.on("SIGTERM", passOn);
    child.once("error", reject);
    // "close", not "exit": what it printed last has arrived.
    child.once("close", (code) => {
      process.removeListener("SIGINT", wait);
      process.removeListener("SIGTERM", passOn);
      resolve(code ?? 1);
    });
  });
}

/** Runs the CLI quietly and gives back its standard output. Errors: a Refusal. */
export async function ask(target: PulumiStack, args: readonly string[], input?: string): Promise<string> {
  const { binary, projectFolder, stack, env } = target;
  try {
    return await run(binary, [...args, "--stack", stack, "--non-interactive"], {
      cwd: projectFolder,
      env,
      ...present({ input }),
    });
  } catch (error) {
    const isWrong = error instanceof RunError && /incorrect passphrase/.test(error.said);
    throw isWrong ? new Refusal(passphraseCure(target)) : error;
  }
}

/** The stack's state as the CLI exports it (secrets stay encrypted), or undefined when there is no such stack. */
export const exportState = (target: PulumiStack): Promise<Deployment | undefined> => stateOf(target, []);

/** The state with its secrets in plain text: no part of it may be shown. */
export const exportSecrets = (target: PulumiStack): Promise<Deployment | undefined> =>
  stateOf(target, ["--show-secrets"]);

/** Like `exportSecrets`, of a stack that must be there. Errors: a Refusal with the cure when it is not. */
export async function deployedState(
  target: PulumiStack,
  cure = "name another with STACK=…, or run 'make up'",
): Promise<Deployment> {
  const state = await exportSecrets(target);
  if (state === undefined) throw new Refusal(`stack '${target.stack}': does not exist; ${cure}`);
  return state;
}

async function stateOf(target: PulumiStack, options: readonly string[]): Promise<Deployment | undefined> {
  try {
    return JSON.parse(await ask(target, ["stack", "export", ...options])) as Deployment;
  } catch (error) {
    if (error instanceof RunError && /no stack named/.test(error.said)) return undefined;
    throw error;
  }
}

/** Its secrets get encrypted, or stay so; the state is in no file before that. */
export async function importState(target: PulumiStack, state: Deployment): Promise<void> {
  await ask(target, ["stack", "import"], JSON.stringify(state));
}
