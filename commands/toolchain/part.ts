import * as fs from "node:fs";
import * as path from "node:path";
import * as lockfile from "proper-lockfile";
import { step, type Say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";

/** One way to get a part: a download, a build. `run` puts the part in its place in one move, or throws and leaves nothing. */
export interface Way {
  readonly what: string;
  readonly run: () => Promise<void>;
}

/** Something the program needs on this machine that npm does not bring. */
export interface Part {
  readonly name: string;
  /** Where the part is, or undefined when it is not there (or is too old). */
  readonly find: () => Promise<string | undefined>;
  /** The best way first; another way is tried only when those before it have failed. */
  readonly ways: readonly Way[];
  /** What a person can do when every way has failed. */
  readonly cure: string;
}

/** Unfinished files carry this in their name. They are left over only from an install that was killed. */
export const UNFINISHED = ".unfinished-";

/** Makes sure that every part is there; gets what is missing. Returns where each part is, in the order given. */
export async function ensureParts(home: string, parts: readonly Part[], say: Say): Promise<string[]> {
  const found = await Promise.all(parts.map((part) => part.find()));
  if (found.every((place) => place !== undefined)) return found;
  return await holdingLock(home, say, async () => {
    const places: string[] = [];
    for (const part of parts) {
      // Looked for again: another install may have finished while this one waited for the lock.
      places.push((await part.find()) ?? (await getPart(part, say)));
    }
    return places;
  });
}

async function getPart(part: Part, say: Say): Promise<string> {
  const failures: string[] = [];
  for (const way of part.ways) {
    try {
      await step(say, `${part.name}: ${way.what}`, way.run);
      const place = await part.find();
      if (place !== undefined) return place;
      failures.push(`${way.what}: succeeded, but the part is not there`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${way.what}: ${reason}`);
      say(`${part.name}: ${way.what}: not possible (${inOneLine(reason)})`);
    }
  }
  throw new Refusal(
    [`${part.name} is not available`, ...failures.map((line) => `  ${line}`), `  cure: ${part.cure}`].join("\n"),
  );
}

/** What failed and its last word: what a program printed in between is shown only when no other way is left. */
function inOneLine(reason: string): string {
  const lines = reason.split("\n").map((line) => line.trim());
  return lines.length > 1 ? `${lines[0]}: ${lines.at(-1)}` : reason;
}

/** Another install that was killed holds the lock no longer than this. */
const STALE_AFTER_MS = 20_000;
const LOOK_AGAIN_AFTER_MS = 1_000;

async function holdingLock<T>(home: string, say: Say, work: () => Promise<T>): Promise<T> {
  fs.mkdirSync(home, { recursive: true });
  const release = await takeLock(home, say);
  try {
    removeUnfinished(home);
    return await work();
  } finally {
    await release();
  }
}

async function takeLock(home: string, say: Say): Promise<() => Promise<void>> {
  const options: lockfile.LockOptions = {
    lockfilePath: path.join(home, "nats-hub-leaf-install.lock"),
    stale: STALE_AFTER_MS,
    // A machine that slept: the other one may have begun as well. Both finish, for each part is put in place in one move.
    onCompromised: (error) => say(`lost the install lock (${error.message}); going on`),
  };
  for (let waited = false; ;) {
    try {
      return await lockfile.lock(home, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
      if (!waited) say(`another install runs in ${home}; waiting for it`);
      waited = true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_AFTER_MS));
    }
  }
}

function removeUnfinished(home: string): void {
  for (const entry of fs.readdirSync(home)) {
    if (entry.startsWith(UNFINISHED)) fs.rmSync(path.join(home, entry), { recursive: true, force: true });
  }
}

/**
 * A scratch folder inside the Pulumi home (one file system, so that a rename moves in one step) that is gone afterwards.
 */
export async function inScratchFolder<T>(home: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(home, UNFINISHED));
  try {
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Moves a finished executable to its place in one step: a reader sees all of it or nothing. */
export function putInPlace(finished: string, place: string): void {
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.chmodSync(finished, 0o755);
  fs.renameSync(finished, place);
}
