import { join } from "node:path";
import type { StreamSettings } from "../../configs/settings";
import { makeFolder, readJson, writePrivate } from "../../machine/folders";
import type { StreamInfo } from "../../servers/nats/jetstream";
import { bookFolder } from "../book/record";

// Which stream of the hub was restored from which backup. A restore that was interrupted goes on with the rest, and later
// looks know that the stream is another one than before.

interface Restored {
  /** When the backup was begun. */
  backup: string;
  /** When the restored stream was created. */
  created: string;
  /** What it held then; absent in a note of before this was recorded. */
  last?: number;
  messages?: number;
}

/** Whose stream it is; of a merged one any of its sites. */
export interface OfSite {
  root: string;
  stream: StreamSettings;
  site: string;
}

const fileOf = ({ root, stream, site }: OfSite): string => join(bookFolder(root, stream, site), "restored.json");

/** Whether the hub's stream of now is the one that was restored from the backup that was begun then. */
export function isRestored(of: OfSite, backup: string, info: StreamInfo | undefined): boolean {
  const note = readJson<Restored>(fileOf(of));
  return info !== undefined && note?.backup === backup && note.created === info.created;
}

export function noteRestored(of: OfSite, backup: string, { created, state }: StreamInfo): void {
  const file = fileOf(of);
  makeFolder(join(file, ".."));
  const note: Restored = { backup, created, last: state.last_seq, messages: state.messages };
  writePrivate(file, JSON.stringify(note));
}

/** What to compare the hub's stream with: a restore said itself what was missing, and began another stream. */
export function sinceRestore<R extends { hubCreated: string; hubLastSeq: number; hubMessages: number }>(
  record: R | undefined,
  of: OfSite,
): R | undefined {
  const { created, last, messages } = readJson<Restored>(fileOf(of)) ?? {};
  if (record === undefined || created === undefined || last === undefined || messages === undefined) return record;
  if (Date.parse(created) <= Date.parse(record.hubCreated)) return record;
  return { ...record, hubCreated: created, hubLastSeq: last, hubMessages: messages };
}
