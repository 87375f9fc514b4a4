import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isPulumiRunning, leftBehind, readProcesses } from "./cli-processes";
import type { Say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";

/** What a Pulumi CLI writes into its lock file. */
export interface LockOwner {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** The runs that hold a stack of the file backend; none when the folder does not exist. */
export function readLocks(folder: string): LockOwner[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      try {
        return [JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as LockOwner];
      } catch (error) {
        // Gone since the folder was read: its run has just ended.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw new Refusal(
          `${path.join(folder, name)}: not a readable lock file (${String(error)}); cure: npx pulumi cancel`,
        );
      }
    });
}

/** Why a stack must be left alone, in one line for each run that may still work on it. */
export async function livingOwners(locks: readonly LockOwner[], thisHost = os.hostname()): Promise<string[]> {
  const reasons = await Promise.all(
    locks.map(async (lock) => {
      const who = `${lock.username}@${lock.hostname} (process ${lock.pid}) since ${lock.timestamp}`;
      if (lock.hostname !== thisHost) {
        return `it is held by ${who}, on another machine; if that run is certainly over: npx pulumi cancel`;
      }
      if (await isPulumiRunning(lock.pid)) return `it is held by ${who}, which still runs; wait for it, or stop it`;
      return undefined;
    }),
  );
  return reasons.filter((reason) => reason !== undefined);
}

const GRACE_MS = 3_000;

/** Ends what a killed CLI left running in the project, so that it does not create beside the next run. */
export async function endLeftBehind(projectFolder: string, say: Say): Promise<void> {
  const rows = leftBehind(readProcesses(), fs.realpathSync(projectFolder));
  if (rows.length === 0) return;
  say(`stopping what the killed run left running: process ${rows.map((row) => row.pid).join(", ")}`);
  for (const row of rows) signal(row.pid, "SIGTERM");
  const deadline = Date.now() + GRACE_MS;
  while (rows.some((row) => isThere(row.pid)) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const row of rows) signal(row.pid, "SIGKILL");
}

function isThere(pid: number): boolean {
  return fs.existsSync(`/proc/${pid}`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
