import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder, readText } from "../folders";
import { GroupCommit } from "../group-commit";
import { Refusal } from "../refusal";
import { type Derivation, keyOf, newDerivation } from "./derivation";

// A file of entries, each encrypted with a passphrase. What was appended outlives a process that is killed at any moment;
// what was also synced outlives a loss of power.

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** About a tenth of a second for each guess at a passphrase: it is made at the start of each such run. */
const COST = 2 ** 15;

/** The place of an entry is sealed with it: none can be left out, doubled or moved. */
const placeOf = (index: number): Buffer => Buffer.from(String(index));

/** A new log, open for entries. */
export class SealedLog {
  private readonly descriptor: number;
  private readonly key: Buffer;
  private readonly synced: GroupCommit;
  private count = 0;

  /** Errors: a Refusal when there is such a file already. */
  constructor(file: string, passphrase: string) {
    const folder = makeFolder(path.dirname(file));
    // The first line, in clear.
    const header = newDerivation(COST);
    this.key = keyOf(passphrase, header);
    try {
      this.descriptor = fs.openSync(file, "wx", 0o600);
    } catch (error) {
      throw new Refusal(`${file}: cannot be made (${(error as NodeJS.ErrnoException).code})`);
    }
    fs.writeSync(this.descriptor, `${JSON.stringify(header)}\n`);
    fs.fsyncSync(this.descriptor);
    syncFolder(folder);
    this.synced = new GroupCommit(
      () =>
        new Promise((resolve, reject) =>
          fs.fdatasync(this.descriptor, (error) => (error === null ? resolve() : reject(error))),
        ),
    );
  }

  append(entry: unknown): void {
    const nonce = crypto.randomBytes(NONCE_BYTES);
    const cipher = crypto.createCipheriv(CIPHER, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(placeOf(this.count));
    this.count += 1;
    const sealed = [nonce, cipher.update(JSON.stringify(entry)), cipher.final(), cipher.getAuthTag()];
    const line = Buffer.from(`${Buffer.concat(sealed).toString("base64")}\n`);
    // A full disk may take a part of it.
    for (let written = 0; written < line.length;) written += fs.writeSync(this.descriptor, line, written);
  }

  /** Resolves when all that was appended is on the disk. */
  sync = (): Promise<void> => this.synced.request();
}

function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The lines that were written to their end. */
function wholeLines(file: string): string[] | undefined {
  const lines = readText(file)?.split("\n").slice(0, -1);
  return lines === undefined || lines.length === 0 ? undefined : lines;
}

const opened = (key: Buffer, line: string, index: number): { entry: unknown } | undefined => {
  try {
    const bytes = Buffer.from(line, "base64");
    const opener = crypto.createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    opener.setAAD(placeOf(index));
    opener.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = Buffer.concat([opener.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), opener.final()]);
    return { entry: JSON.parse(text.toString("utf8")) as unknown };
  } catch {
    return undefined;
  }
};

/**
 * The entries of a log, in order. Left out is an entry that was being written when its process was killed, and the end of
 * the file that a loss of power damaged. Errors: a Refusal when the passphrase is another one, or the file was changed.
 */
export function readSealed(file: string, passphrase: string): unknown[] {
  const [header, ...lines] = wholeLines(file) ?? [];
  if (header === undefined) return [];
  const key = keyOf(passphrase, JSON.parse(header) as Derivation);
  const all = lines.map((line, index) => opened(key, line, index));
  const readable = all.findIndex((one) => one === undefined);
  const damaged = readable === -1 ? [] : all.slice(readable);
  if (damaged.some((one) => one !== undefined) || (damaged.length > 0 && readable === 0)) {
    throw new Refusal(
      `${file}: line ${readable + 2} cannot be opened: the passphrase is another one, or the file was changed. Give the ` +
        "passphrase of the run that was killed; if the file is damaged, move it away and run 'make up', which makes again, " +
        "with new keys, what no state knows",
    );
  }
  return all.flatMap((one) => (one === undefined ? [] : [one.entry]));
}
