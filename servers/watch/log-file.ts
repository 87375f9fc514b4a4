import { appendFileSync, renameSync, statSync } from "node:fs";
import { messageOf } from "../../machine/refusal";
import type { Say } from "../../machine/progress";

/** Bytes at which the log begins anew; the file before it is kept. */
const LIMIT = 1024 * 1024;

/** Writes lines to a file, each with its time; what it cannot write it says on standard error. */
export const logTo =
  (file: string): Say =>
  (line) => {
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LIMIT) renameSync(file, `${file}.1`);
      appendFileSync(file, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
    } catch (error) {
      process.stderr.write(`${line} (not in the log: ${messageOf(error)})\n`);
    }
  };
