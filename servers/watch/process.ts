import { execPath } from "node:process";
import { join } from "node:path";
import type { WatcherFacts } from "../../diagnosis/facts/facts";
import { watcherFiles, readTail } from "../../machine/folders";
import { listenProblem } from "../../machine/ports";
import { findProcess, isFrozen, startProcess, stopProcess } from "../../machine/processes";
import { Refusal, messageOf } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import type { WatchStatus } from "../../views/outputs/watch-metrics";
import type { WatcherPlace } from "./host";
import { NODE_FLAGS, PROGRAM_START } from "./program-files";

/** The process of a deployed watcher: started, stopped, and asked how it is. */

/** Node, its flags, the program, `-c <configuration>`. */
const WORDS = 1 + NODE_FLAGS.length + 1 + 2;

const START_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 2_000;

const pidOf = (folder: string): number | undefined => {
  const { record, config } = watcherFiles(folder);
  return findProcess(record, config, WORDS);
};

/** What the watcher says of itself. Errors: when it does not answer in time. */
async function askHealth(port: number): Promise<WatchStatus & { status: string }> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal });
  return (await answer.json()) as WatchStatus & { status: string };
}

/** How the watcher is. Never throws. */
export async function processFacts({ folder, port }: WatcherPlace): Promise<WatcherFacts> {
  const pid = pidOf(folder);
  if (pid === undefined) return { state: "gone" };
  if (isFrozen(pid)) return { state: "frozen" };
  try {
    const { status, waiting } = await askHealth(port);
    if (status !== "ok") return { state: "behind", said: status };
    return { state: "watches", waiting: Object.keys(waiting).length };
  } catch (error) {
    return { state: "silent", said: messageOf(error) };
  }
}

/** Starts the watcher on its configuration, and waits until it answers. Errors: a Refusal with what it said. */
export async function startWatcher({ folder, port }: WatcherPlace): Promise<void> {
  const problem = await listenProblem(port);
  if (problem !== undefined)
    throw new Refusal(`watcher: it cannot listen on 127.0.0.1:${port} (${problem}); set another watch.port`);
  const files = watcherFiles(folder);
  const { ended } = startProcess(execPath, files.config, files, [...NODE_FLAGS, join(files.program, PROGRAM_START)]);
  let exit: number | undefined;
  void ended.then((code) => (exit = code));
  const look = () => askHealth(port).then(({ status }) => status, messageOf);
  const isOver = (seen: string) => seen === "ok" || exit !== undefined;
  const seen = await lookUntil(look, isOver, { within: START_TIMEOUT_MS, every: 25 });
  if (seen === "ok") return;
  const said = (readTail(files.output, 2_000) ?? "").trim();
  const how = exit === undefined ? `does not watch after ${START_TIMEOUT_MS / 1000} s: ${seen}` : `exited (${exit})`;
  throw new Refusal(`watcher: it ${how}${said === "" ? "" : `; it said: ${said}`}; see ${files.log}`);
}

/** Stops the watcher and waits until it is gone; does nothing when it does not run. */
export async function stopWatcher(folder: string): Promise<void> {
  const { record, config } = watcherFiles(folder);
  await stopProcess(record, config, WORDS);
}
