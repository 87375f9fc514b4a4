import { join } from "node:path";
import { bookFolder } from "../../fleet/book/record";
import { makeFolder, readJson, writePrivate } from "../../machine/folders";
import type { StreamInfo } from "../../servers/nats/jetstream";
import type { HubStream } from "./hub-streams";
import type { Manifest } from "./manifest";

// Which streams were restored from which backup: a restore that was interrupted goes on with the rest.

interface Entry {
  /** When the backup was begun. */
  backup: string;
  /** When the restored stream was created. */
  created: string;
}

function fileOf({ stream, sites }: HubStream): string | undefined {
  const [first] = sites;
  return first === undefined ? undefined : join(bookFolder(first.root, stream, first.access.site), "restored.json");
}

/** Whether the hub's stream of now is the one that was restored from this backup. */
export function isRestored(hub: HubStream, { begun }: Pick<Manifest, "begun">, info: StreamInfo | undefined): boolean {
  const file = fileOf(hub);
  const entry = file === undefined ? undefined : readJson<Entry>(file);
  return info !== undefined && entry?.backup === begun && entry.created === info.created;
}

export function noteRestored(hub: HubStream, { begun }: Pick<Manifest, "begun">, { created }: StreamInfo): void {
  const file = fileOf(hub);
  if (file === undefined) return;
  makeFolder(join(file, ".."));
  writePrivate(file, JSON.stringify({ backup: begun, created } satisfies Entry));
}
