import { readFileSync } from "node:fs";
import { Refusal } from "../../machine/refusal";

// The passphrase of a backup. It is never an argument: every user of a machine can read those.

/** Undefined when none is set. Errors: a Refusal of an empty one, and of a file that cannot be read. */
export function backupPassphrase(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { BACKUP_PASSPHRASE: itself, BACKUP_PASSPHRASE_FILE: file = "" } = env;
  if (itself === undefined && file === "") return undefined;
  const [variable, passphrase] =
    itself === undefined ? ["BACKUP_PASSPHRASE_FILE", readFrom(file)] : ["BACKUP_PASSPHRASE", itself];
  if (passphrase !== "") return passphrase;
  throw new Refusal(`${variable}: the passphrase is empty and protects nothing; set a good one, or unset the variable`);
}

function readFrom(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new Refusal(`BACKUP_PASSPHRASE_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
