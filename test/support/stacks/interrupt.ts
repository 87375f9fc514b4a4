import * as fs from "node:fs";
import * as path from "node:path";
import type { Running } from "./commands";
import { commandOf, pids, statOf } from "./servers";

/** Kills a command in the middle of its work, as a crash or an impatient person does. */

/** What outlives a command by design: servers, and who clears up behind a rehearsal. */
const outlives = (pid: number): boolean => {
  const [program = "", script = ""] = commandOf(pid);
  return path.basename(program) === "nats-server" || path.basename(script) === "rehearsal-guard.js";
};

/** The processes that a command started, itself first, without those that outlive it. */
function tree(root: number): number[] {
  const parents = new Map(pids().map((pid) => [pid, statOf(pid)?.parent]));
  const below = (pid: number): number[] => [
    pid,
    ...[...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
  ];
  return below(root).filter((pid) => !outlives(pid));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

const kill = (pid: number): void => signal(pid, "SIGKILL");

export type Victims = "all" | "cli" | "provider" | "program";

const named = (name: string) => (pid: number) => path.basename(commandOf(pid)[0] ?? "") === name;
const isProvider = (pid: number) => commandOf(pid)[1]?.endsWith("/launcher/pulumi-resource-pulumi-nodejs") === true;
const isProgram = (pid: number) => commandOf(pid).some((word) => /@pulumi\/pulumi\/cmd\/run(\/|$)/.test(word));
const IS_VICTIM: Record<Exclude<Victims, "all">, (pid: number) => boolean> = {
  cli: named("pulumi"),
  provider: isProvider,
  program: isProgram,
};

/**
 * Kills a command with kill -9 once `look` holds: with all that it started, or one part of it. Without its CLI the provider
 * goes on unseen. Fails when the command ends before.
 */
export async function interrupt(
  { child, ended }: Running,
  victims: Victims,
  what: string,
  look: () => boolean | Promise<boolean>,
): Promise<void> {
  let output: string | undefined;
  void ended.then((ran) => (output = ran.output));
  const soon = async (awaited: string, pauseMs: number, holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (
      const deadline = Date.now() + TIMEOUT_MS;
      !(await holds());
      await new Promise((next) => setTimeout(next, pauseMs))
    ) {
      if (output !== undefined) throw new Error(`the command ended before ${awaited}:\n${output}`);
      if (Date.now() > deadline) throw new Error(`${awaited}: not after ${TIMEOUT_MS / 1000} s`);
    }
  };
  let started: number[] = [];
  const lookAround = () => (started = tree(child.pid!));
  try {
    await soon("its provider runs", 20, () => lookAround().some(isProvider));
    // Known beforehand: to look for them takes longer than much of what is to be interrupted.
    const known = victims === "all" ? started.toReversed() : started.filter(IS_VICTIM[victims]);
    await soon(what, 1, look);
    // All of them stand still first: a CLI that saw its provider die would write down that the step failed.
    known.forEach((pid) => signal(pid, "SIGSTOP"));
    known.forEach(kill);
  } finally {
    if (victims === "all") lookAround().forEach(kill);
  }
  await ended;
}

const TIMEOUT_MS = 60_000;

/** Whether the file holds the text; false when there is none. */
export function holds(file: string, text: string | RegExp): boolean {
  try {
    const found = fs.readFileSync(file, "latin1");
    return typeof text === "string" ? found.includes(text) : text.test(found);
  } catch {
    return false;
  }
}

/** Bytes that a port's clients have sent and its server has not read yet (/proc/net/tcp). */
export function unreadBytes(port: number): number {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = fs
    .readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, local]) => local === address)
    .reduce((sum, [, , , , queues = "0:0"]) => sum + parseInt(queues.split(":")[1] ?? "0", 16), 0);
}
