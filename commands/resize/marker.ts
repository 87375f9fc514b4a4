import { rmSync } from "node:fs";
import { join } from "node:path";
import { readJson, writePrivate } from "../../machine/folders";

// A change of the hub's number of servers that has begun: whatever interrupts it, the next run goes on.

export interface Begun {
  /** How many servers the hub had, and is to have. */
  from: number;
  to: number;
  /** Until when the readers of the hub's streams are paused. */
  until: string;
  /** The folder of the backup; absent until it is complete. */
  backup?: string;
}

const fileOf = (root: string): string => join(root, "resize.json");

/** Undefined when none has begun. */
export const begunIn = (root: string): Begun | undefined => readJson<Begun>(fileOf(root));

export const noteBegun = (root: string, begun: Begun): void => writePrivate(fileOf(root), JSON.stringify(begun));

export const forgetBegun = (root: string): void => rmSync(fileOf(root), { force: true });
