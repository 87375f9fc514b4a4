import { readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pulumiHome } from "../../machine/locate";
import { digest } from "../../machine/digest";
import { makeFolder, readText, writePrivate } from "../../machine/folders";

/**
 * Which rehearsal of a stack passed last, in the Pulumi home: the check of a fleet runs in the preview of an `up` and
 * again in its update, in another process each time, and must not rehearse the same twice.
 */

const VALID_MS = 3_600_000;

const memory = (): string => join(pulumiHome(), "nats-hub-leaf", "rehearsed");
const fileOf = (root: string): string => join(memory(), digest(resolve(root)));

/** So is one that is not there, or no longer: other runs clear old ones too. */
const isOld = (file: string): boolean =>
  Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > VALID_MS;

/** Whether exactly this rehearsal passed within the last hour. */
export const hasPassed = (root: string, rehearsal: string): boolean =>
  !isOld(fileOf(root)) && readText(fileOf(root)) === rehearsal;

export function notePassed(root: string, rehearsal: string): void {
  makeFolder(memory());
  for (const name of readdirSync(memory())) {
    if (isOld(join(memory(), name))) rmSync(join(memory(), name), { force: true });
  }
  writePrivate(fileOf(root), rehearsal);
}

export const forgetPassed = (root: string): void => rmSync(fileOf(root), { force: true });
