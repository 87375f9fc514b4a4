import { spawn } from "node:child_process";
import { existsSync, readdirSync, statfsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { makeFolder, removeFolder } from "../../machine/folders";
import { releasePortsBelow } from "../../machine/ports";
import { isProcess, processName } from "../../machine/processes";
import { Refusal } from "../../machine/refusal";
import { hostOf } from "../../servers/hosts";
import { membersIn } from "../../servers/moved";

/**
 * Where a rehearsal takes place: `rehearsal/<process>.<number>` in the stack's folder, after the process that rehearses.
 * When it ends, whatever way, nothing of it stays.
 */

const placeOf = (root: string): string => join(resolve(root), "rehearsal");

/** What is in a folder; nothing when there is none. */
function within(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Ends the servers of a rehearsal, gives back their ports, and removes the folder, and its parents below `above` that are empty. */
export async function clear(folder: string, above: string): Promise<void> {
  const hub = join(folder, "hub");
  const servers = [hub, ...membersIn(hub), ...within(join(folder, "sites"))];
  await Promise.all(servers.map((server) => hostOf({ kind: "process", folder: server }).stop()));
  releasePortsBelow(folder);
  removeFolder(folder, above);
}

/** Clears what rehearsals of this stack left whose processes are gone. */
export async function clearLeftBehind(root: string): Promise<void> {
  const left = within(placeOf(root)).filter((folder) => !isProcess(basename(folder)));
  for (const folder of left) await clear(folder, join(root, ".."));
}

/** The nearest folder that is there. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}

/** Bytes that a rehearsal needs beside its messages: configurations, logs, the stores' own files. */
const OVERHEAD = 32 * 2 ** 20;

/** Rehearsals of this process: what it remembers of one folder must not meet another fleet. */
let count = 0;

/** Does the work in a folder of its own, and leaves nothing. Errors: a Refusal when there is no room for `bytes` more. */
export async function inRehearsalFolder<T>(
  root: string,
  bytes: number,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const [place, above] = [placeOf(root), nearest(placeOf(root))];
  const { bavail, bsize } = statfsSync(above);
  if (bavail * bsize < bytes + OVERHEAD) throw new Refusal(`${above}: there is no room for it on the disk`);
  const folder = makeFolder(join(place, `${processName()}.${++count}`));
  const guard = spawn(process.execPath, [join(__dirname, "../rehearsal-guard.js"), folder, above], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    // Where the ports are reserved; nothing else of this process's environment: it holds the passphrase of the stack.
    env: { HOME: process.env.HOME, PULUMI_HOME: process.env.PULUMI_HOME },
  });
  // A rehearsal goes on without it: the next run clears what then stays.
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  try {
    return await work(folder);
  } finally {
    await clear(folder, above);
    guard.stdin.end();
    guard.unref();
  }
}
