import type { LimitedWatch } from "../doctor/watch/watched";
import type { WatcherConfig } from "../doctor/watch/run";
import { startWatcher, stopWatcher, watcherFacts } from "../servers/watch/process";
import { WATCHER } from "../configs/watch/watch";
import { changed } from "../configs/values";
import { digest } from "../machine/digest";
import { makeFolder, readText, removeFolder, watcherFiles, writePrivate } from "../machine/folders";
import { NOT_RUNNING, report, faultReport } from "../machine/report";
import { programDigest, programOf, writeProgram } from "./watcher/program";

/** The watcher beside the hub: a process that restarts waiting sources. */

export interface WatcherInputs {
  /** The stack's folder. */
  root: string;
  folder: string;
  /** Of its health and metrics, on loopback. */
  port: number;
  /** What is watched, but for the hub's access. */
  watch: Omit<LimitedWatch, "hub">;
  /** The hub's client URL, and the seed of the watcher's key (secret). */
  hub: LimitedWatch["hub"];
}

export interface WatcherOutputs extends WatcherInputs {
  /** Digest of its program. */
  program: string;
  running: boolean;
}

const textOf = ({ watch, hub, port }: WatcherInputs): string =>
  JSON.stringify({ ...watch, hub, port } satisfies WatcherConfig, null, 2);

/** Brings the process to its configuration and its program; one that watches with both is left alone. */
async function apply(inputs: WatcherInputs): Promise<WatcherOutputs> {
  const { folder, port } = inputs;
  const files = watcherFiles(folder);
  const program = programOf();
  const isCurrent = (await whatIsWrong(inputs, digest(textOf(inputs)))) === undefined && isWritten(folder, program);
  if (!isCurrent) {
    await stopWatcher(folder);
    makeFolder(folder);
    writeProgram(files.program, program);
    writePrivate(files.config, textOf(inputs));
    await startWatcher({ folder, port });
  }
  return { ...inputs, program: programDigest(program), running: true };
}

const isWritten = (folder: string, program: ReturnType<typeof programOf>): boolean =>
  Object.entries(program).every(([name, text]) => readText(`${watcherFiles(folder).program}/${name}`) === text);

/** What is wrong with the watcher, as in "it is not running"; undefined when nothing is. */
async function whatIsWrong({ folder, port }: Pick<WatcherInputs, "folder" | "port">, config: string) {
  const { state, said = "" } = await watcherFacts({ folder, port });
  const text = readText(watcherFiles(folder).config);
  switch (state) {
    case "gone":
      return NOT_RUNNING;
    case "frozen":
      return { what: "is stopped (frozen)", isDead: false };
    case "silent":
      return { what: `runs but does not answer (${said})`, isDead: false };
    case "behind":
      return { what: `is behind (${said})`, isDead: false };
    case "watches":
      if (text === undefined || digest(text) !== config)
        return { what: "has a configuration file that was changed by hand", isDead: false };
      return undefined;
    default:
      return never(state);
  }
}

function never(state: never): never {
  throw new Error(`a watcher has no state ${String(state)}`);
}

export async function create(inputs: WatcherInputs) {
  return { id: WATCHER, outs: await apply(inputs) };
}

export async function diff(_id: string, olds: WatcherOutputs, news: WatcherInputs) {
  if ((["folder", "port", "watch", "hub"] as const).some((key) => changed(news[key], olds[key]))) {
    report("watcher: up restarts it with what has changed");
    return { changes: true };
  }
  const wrong = await whatIsWrong(olds, digest(textOf(olds)));
  if (wrong !== undefined) report(`watcher: it ${wrong.what}; up repairs it`, faultReport(WATCHER, wrong));
  else if (olds.program !== programDigest(programOf()))
    report("watcher: up restarts it: this version of the program has another watcher");
  else return { changes: false };
  return { changes: true };
}

export async function update(_id: string, olds: WatcherOutputs, news: WatcherInputs) {
  if (olds.folder !== news.folder) await stopWatcher(olds.folder);
  return { outs: await apply(news) };
}

export async function read(id: string, props: WatcherOutputs) {
  const wrong = await whatIsWrong(props, digest(textOf(props)));
  return { id, props: { ...props, running: wrong === undefined } };
}

async function remove(_id: string, { root, folder }: WatcherOutputs): Promise<void> {
  await stopWatcher(folder);
  removeFolder(folder, root);
}

export { remove as delete };
