import { createHash } from "node:crypto";
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  openSync,
  closeSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeFolder, writePrivate } from "../../machine/folders";
import { Refusal, messageOf } from "../../machine/refusal";
import { MANIFEST, type SavedStream } from "./manifest";

// The folder of a backup: one file for each stream, and the manifest, which is written last.

/** Says that a backup was begun here: what lies beside it is this program's, and may be removed. */
const BEGUN = "unfinished-backup";

/** Makes the folder ready. Errors: a Refusal when it holds a complete backup or files of others. */
export function beginFolder(folder: string): void {
  const path = makeFolder(folder);
  const files = readdirSync(path);
  if (files.includes(MANIFEST))
    throw new Refusal(`${folder}: holds a complete backup already; give another folder with TO=…`);
  if (!files.includes(BEGUN) && files.length > 0)
    throw new Refusal(`${folder}: holds files that are no backup; give an empty folder, or a new one, with TO=…`);
  clear(path);
  chmodSync(path, 0o700);
  inRoom(path, () => writePrivate(join(path, BEGUN), "this backup was not completed; run it again\n"));
}

/** Removes what an interrupted backup left; its mark stays until the end. */
function clear(folder: string): void {
  for (const file of readdirSync(folder)) if (file !== BEGUN) rmSync(join(folder, file), { recursive: true });
}

/** Leaves nothing of a backup that failed. A process that is killed leaves the mark. */
export function abandonFolder(folder: string): void {
  if (!existsSync(join(folder, BEGUN))) return;
  clear(folder);
  rmSync(join(folder, BEGUN));
}

/** Makes the backup whole. */
export function endFolder(folder: string, text: string): void {
  const file = join(folder, MANIFEST);
  inRoom(folder, () => writePrivate(file, text));
  synced(file);
  rmSync(join(folder, BEGUN));
  synced(folder);
}

function synced(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");

const fullDisk = (folder: string): Refusal =>
  new Refusal(
    `${folder}: its disk is full; nothing of this backup is left there. Free some room, or give another folder with TO=…`,
  );

function inRoom(folder: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw isFull(error) || /disk is full|quota is used up/.test(messageOf(error)) ? fullDisk(folder) : error;
  }
}

/** Writes a file of the backup, onto the disk. Resolves with its length and checksum. */
export async function writeFile(
  folder: string,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Pick<SavedStream, "file" | "bytes" | "sha256">> {
  const hash = createHash("sha256");
  let length = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      hash.update(chunk);
      length += chunk.length;
      yield chunk;
    }
  };
  const path = join(folder, name);
  try {
    await pipeline(counted, createWriteStream(path, { mode: 0o600, flags: "wx" }));
    const handle = await open(path, "r+");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    throw isFull(error) ? fullDisk(folder) : error;
  }
  return { file: name, bytes: length, sha256: hash.digest("hex") };
}

export const readFile = (folder: string, { file }: Pick<SavedStream, "file">): AsyncIterable<Uint8Array> =>
  createReadStream(join(folder, file), { highWaterMark: 128 * 1024 });

/** What is wrong with a file of the backup, in words; undefined when it is as it was written. */
export async function fileProblem(folder: string, saved: SavedStream): Promise<string | undefined> {
  const path = join(folder, saved.file);
  // A manifest that others wrote must not name files elsewhere.
  if (saved.file.includes("/")) return `${saved.file}: is no file of this folder`;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return `${path}: is missing`;
  if (found.size !== saved.bytes) return `${path}: has ${found.size} bytes, not ${saved.bytes}`;
  const hash = createHash("sha256");
  for await (const chunk of readFile(folder, saved)) hash.update(chunk);
  return hash.digest("hex") === saved.sha256 ? undefined : `${path}: was changed or is damaged (its checksum differs)`;
}
