import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { digest } from "../../machine/digest";
import { makeFolder, readText, writePrivate } from "../../machine/folders";

/** A watcher's program: texts of files by their path in its folder. */
export type Program = Readonly<Record<string, string>>;

/** Changes whenever the program does. */
export const programDigest = (program: Program): string => digest(program);

/** Where it begins. */
export const PROGRAM_START = "doctor/watch/run.js";

/** A heap that stays small, and no compiler, whose memory is more than what the watcher knows of its sites. */
export const NODE_FLAGS = ["--jitless", "--max-semi-space-size=1", "--max-old-space-size=64"];

/** Writes the program in the place of the one that was there. */
export function writeProgram(folder: string, program: Program): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of Object.entries(program)) {
    const file = join(folder, name);
    makeFolder(dirname(file));
    writePrivate(file, text);
  }
}

export const isProgramThere = (folder: string, program: Program): boolean =>
  Object.entries(program).every(([name, text]) => readText(join(folder, name)) === text);
