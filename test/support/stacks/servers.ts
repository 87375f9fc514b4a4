import * as fs from "node:fs";
import * as path from "node:path";
import { pulumiHome } from "../../../machine/locate";

/** The servers of a stack, seen from outside: /proc, the port registry, the files. Nothing here asks the program. */

export interface ServerProcess {
  readonly pid: number;
  readonly config: string;
}

const read = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
};

export const pids = (): number[] =>
  fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

export const commandOf = (pid: number): string[] => (read(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);

export const environmentOf = (pid: number): string => read(`/proc/${pid}/environ`) ?? "";

/** What /proc/<pid>/stat says; undefined when the process is gone. `started`: in hundredths of a second since the boot. */
export function statOf(pid: number): { state: string; parent: number; started: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state, parent] = fields;
  return state === undefined ? undefined : { state, parent: Number(parent), started: Number(fields[STARTED]) };
}

/** Of the fields behind the command (proc(5), starttime). */
const STARTED = 19;

/** Every living process that runs a configuration below the folder. */
export function serversOf(folder: string): ServerProcess[] {
  return pids().flatMap((pid) => {
    const config = commandOf(pid).at(-1) ?? "";
    const state = statOf(pid)?.state;
    const lives = state !== undefined && state !== "Z";
    return lives && config.startsWith(`${folder}/`) && config.endsWith(".conf") ? [{ pid, config }] : [];
  });
}

/** The process of the hub, of one of its servers, or of a site. */
export function pidOf(fleet: string, server: string): number {
  const folders = [path.join(fleet, "hub", server), path.join(fleet, "sites", server)];
  const folder = server === "hub" ? path.join(fleet, "hub") : (folders.find(fs.existsSync) ?? "");
  const found = serversOf(folder);
  if (found.length !== 1) throw new Error(`${server}: ${found.length} processes run in ${folder}`);
  return found[0]!.pid;
}

/** kill -9, and waits until it is gone. */
export async function killHard(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  for (const deadline = Date.now() + 5_000; ;) {
    const state = statOf(pid)?.state;
    if (state === undefined || state === "Z") return;
    if (Date.now() > deadline) throw new Error(`process ${pid} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function killAll(servers: readonly { pid: number }[]): void {
  for (const { pid } of servers) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
}

/** Reservations of ports for servers below the folder. */
export function reservedPorts(folder: string): { port: number; file: string; owner: string }[] {
  const registry = path.join(pulumiHome(), "nats-hub-leaf", "ports");
  if (!fs.existsSync(registry)) return [];
  return fs.readdirSync(registry).flatMap((name) => {
    const file = path.join(registry, name);
    const owner = read(file) ?? "";
    return owner.startsWith(`${folder}/`) ? [{ port: Number(name), file, owner }] : [];
  });
}
