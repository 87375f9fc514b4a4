import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import type { StreamSettings } from "../../configs/settings";
import type { StreamConfig } from "../../configs/streams";
import type { Collection } from "../../diagnosis/book/ledger";
import { readText } from "../../machine/folders";
import { Refusal } from "../../machine/refusal";
import { type Derivation, keyOf } from "../../machine/journal/derivation";
import { authenticated } from "./sealed";
import { present } from "../../configs/values";

// What a backup holds, in the file that makes it whole: it is written last.

export const MANIFEST = "manifest.json";

/** Where the hub's source of a site stood. */
export interface SourcePosition {
  site: string;
  /** The last sequence that the hub took of the site's stream. */
  position: number;
  /** Which stream of the site that was; absent when the hub's stream held none of its messages. */
  ident?: string;
  /** When that stream was made, as the site says it; absent when the site did not answer. */
  created?: string;
}

/** One stream of the hub. */
export interface SavedStream {
  /** `OSLO/EVENTS` */
  name: string;
  account: string;
  stream: string;
  /** Absent for a stream that the settings no longer have. */
  mode?: StreamSettings["collect"]["mode"];
  /** The file with its messages and consumers; its length in bytes, and its checksum in hexadecimal. */
  file: string;
  bytes: number;
  sha256: string;
  /** As the server had it, with its sources. */
  config: StreamConfig;
  messages: number;
  storedBytes: number;
  first: number;
  last: number;
  consumers: number;
  sources: SourcePosition[];
  /** The account book of a moment before. */
  book?: Collection;
}

export interface Manifest {
  format: 1;
  stack: string;
  /** When it was begun and ended, in UTC. */
  begun: string;
  ended: string;
  program: string;
  natsServer: string;
  streams: SavedStream[];
  /** Streams of the hub that no key of the stack opens, and that are not in the backup. */
  leftOut: string[];
  /** How the key of the files is made; absent for files that are not encrypted. */
  encryption?: Derivation & {
    /** Tells a wrong passphrase from a damaged file. */
    check: string;
  };
}

const CHECK = "passphrase";

/** What stands in the manifest of an encrypted backup. */
export const encryptionOf = (derivation: Derivation, key: Buffer): NonNullable<Manifest["encryption"]> => ({
  ...derivation,
  check: authenticated(key, CHECK),
});

function checksumOf(manifest: Manifest, key: Buffer | undefined): string {
  const text = JSON.stringify(manifest);
  return key === undefined ? createHash("sha256").update(text).digest("hex") : authenticated(key, text);
}

/** The manifest as it is written, with its checksum, or with a passphrase its authentication. */
export const manifestText = (manifest: Manifest, key: Buffer | undefined): string =>
  `${JSON.stringify({ checksum: checksumOf(manifest, key), manifest }, undefined, 1)}\n`;

const isEqual = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export interface OpenedBackup {
  manifest: Manifest;
  /** Opens its files; absent for those that are not encrypted. */
  key?: Buffer;
}

/** Errors: a Refusal when there is no complete backup, when it was changed, or when the passphrase is not the one. */
export function readManifest(folder: string, passphrase: string | undefined): OpenedBackup {
  const text = readText(join(folder, MANIFEST));
  if (text === undefined)
    throw new Refusal(
      `${folder}: holds no complete backup (no ${MANIFEST}); name the folder of a backup that was completed`,
    );
  const { checksum = "", manifest } = parsed(text);
  if (manifest === undefined) throw damaged(folder);
  if (manifest.format !== 1)
    throw new Refusal(`${folder}: has format ${String(manifest.format)}; restore it with the program that wrote it`);
  const key = keyFor(folder, manifest, passphrase);
  if (!isEqual(String(checksum), checksumOf(manifest, key))) throw damaged(folder);
  return { manifest, ...present({ key }) };
}

function parsed(text: string): { checksum?: unknown; manifest?: Manifest } {
  try {
    return (JSON.parse(text) ?? {}) as { checksum?: unknown; manifest?: Manifest };
  } catch {
    return {};
  }
}

const damaged = (folder: string): Refusal =>
  new Refusal(`${join(folder, MANIFEST)}: was changed or is damaged (its checksum differs); use another backup`);

function keyFor(folder: string, { encryption }: Manifest, passphrase: string | undefined): Buffer | undefined {
  if (encryption === undefined) return undefined;
  if (passphrase === undefined)
    throw new Refusal(
      `${folder}: is encrypted; set BACKUP_PASSPHRASE_FILE to a file with its passphrase, or BACKUP_PASSPHRASE`,
    );
  const key = derived(folder, encryption, passphrase);
  if (isEqual(authenticated(key, CHECK), encryption.check)) return key;
  throw new Refusal(`${folder}: the passphrase is not the one that it was encrypted with; set the right one`);
}

function derived(folder: string, derivation: Derivation, passphrase: string): Buffer {
  try {
    return keyOf(passphrase, derivation);
  } catch {
    throw damaged(folder);
  }
}
