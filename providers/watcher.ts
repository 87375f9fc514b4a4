import type { LimitedWatch } from "../doctor/watch/watched";
import type { WatcherConfig } from "../doctor/watch/run";
import type { WatcherPlace } from "../servers/watch/host";
import { watcherHost } from "../servers/watch/hosts";
import { programDigest } from "../servers/watch/program-files";
import { WATCHER } from "../configs/watch/watch";
import { spotOf } from "../configs/placement";
import { changed } from "../configs/values";
import { WATCHER_PORT } from "../configs/container";
import { digest } from "../machine/digest";
import { NOT_RUNNING, report, faultReport } from "../machine/report";
import { programOf } from "./watcher/program";

/** The watcher beside the hub, which restarts waiting sources: a process, or what runs in a container. */

export interface WatcherInputs extends WatcherPlace {
  /** The stack's folder. */
  root: string;
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

const textOf = ({ watch, hub, port, container }: WatcherInputs): string => {
  const config: WatcherConfig = { ...watch, hub, port };
  const inContainer: WatcherConfig = { ...config, port: WATCHER_PORT, isInContainer: true };
  return JSON.stringify(container === undefined ? config : inContainer, null, 2);
};

const programFor = ({ container }: WatcherPlace) => programOf({ withPackages: container !== undefined });

/** Brings the watcher to its configuration and its program; one that watches with both is left alone. */
async function apply(inputs: WatcherInputs): Promise<WatcherOutputs> {
  const host = watcherHost(inputs);
  const program = programFor(inputs);
  const isCurrent = (await whatIsWrong(inputs)) === undefined && (await host.hasProgram(program));
  if (!isCurrent) {
    await host.stop();
    await host.write(program, textOf(inputs));
    await host.start();
  }
  return { ...inputs, program: programDigest(program), running: true };
}

/** What is wrong with the watcher, as in "it is not running"; undefined when nothing is. */
async function whatIsWrong(inputs: WatcherInputs) {
  const host = watcherHost(inputs);
  const { state, said = "" } = await host.facts();
  switch (state) {
    case "gone":
      return NOT_RUNNING;
    case "frozen":
      return { what: "is stopped (frozen)", isDead: false };
    case "silent":
      return { what: `runs but does not answer (${said})`, isDead: false };
    case "behind":
      return { what: `is behind (${said})`, isDead: false };
    case "unreachable":
      return { what: `cannot be looked at (${said})`, isDead: false };
    case "watches":
      if ((await host.configDigest()) !== digest(textOf(inputs)))
        return { what: "has a configuration file that was changed by hand", isDead: false };
      return undefined;
    default:
      return never(state);
  }
}

function never(state: never): never {
  throw new Error(`a watcher has no state ${String(state)}`);
}

/** Whether it is another place. A container of the same name that was made anew is one. */
const isMoved = (olds: WatcherPlace, news: WatcherPlace): boolean =>
  changed(spotOf(news.container ?? {}), spotOf(olds.container ?? {}));

export async function create(inputs: WatcherInputs) {
  return { id: WATCHER, outs: await apply(inputs) };
}

export async function diff(_id: string, olds: WatcherOutputs, news: WatcherInputs) {
  if (
    (["folder", "port", "watch", "hub"] as const).some((key) => changed(news[key], olds[key])) ||
    isMoved(olds, news)
  ) {
    report("watcher: up restarts it with what has changed");
    return { changes: true };
  }
  const wrong = await whatIsWrong(olds);
  if (wrong !== undefined) report(`watcher: it ${wrong.what}; up repairs it`, faultReport(WATCHER, wrong));
  else if (olds.program !== programDigest(programFor(news)))
    report("watcher: up restarts it: this version of the program has another watcher");
  else return { changes: false };
  return { changes: true };
}

export async function update(_id: string, olds: WatcherOutputs, news: WatcherInputs) {
  if (olds.folder !== news.folder || isMoved(olds, news)) await removeFrom(olds);
  return { outs: await apply(news) };
}

export async function read(id: string, props: WatcherOutputs) {
  const wrong = await whatIsWrong(props);
  return { id, props: { ...props, running: wrong === undefined } };
}

async function remove(_id: string, olds: WatcherOutputs): Promise<void> {
  await removeFrom(olds);
}

async function removeFrom(olds: WatcherOutputs): Promise<void> {
  const host = watcherHost(olds);
  await host.stop();
  host.clear(olds.root);
}

export { remove as delete };
