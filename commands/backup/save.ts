import type { NatsConnection } from "nats";
import { OWNER, collectedSubject } from "../../configs/streams";
import { formatSize } from "../../configs/text/units";
import { lookAtBook } from "../../fleet/book/look";
import { bookName, readBook } from "../../fleet/book/record";
import { sourceInfoOf } from "../../fleet/sourcing/collected";
import { originIn } from "../../fleet/sourcing/source-identity";
import type { Say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";
import { keyOf, newDerivation } from "../../machine/journal/derivation";
import { sealed } from "./sealed";
import { type JetStream, SOURCE_HEADER, type StreamInfo } from "../../servers/nats/jetstream";
import { takeSnapshot } from "../../servers/nats/snapshot";
import { jsz, varz } from "../../servers/nats/system";
import { present } from "../../configs/values";
import packageFile from "../../package.json";
import { withLock } from "../../servers/files/server-files";
import type { Observed } from "../../fleet/observation/observed";
import { abandonFolder, beginFolder, endFolder, writeFile } from "./files";
import { type HubStream, hubStreamsOf, hubSystem } from "./hub-streams";
import { type Manifest, type SavedStream, type SourcePosition, encryptionOf, manifestText } from "./manifest";
import { shown } from "./progress";

// Saves what the hub collected, while everything runs.

export interface Saving {
  stack: string;
  fleet: readonly Observed[];
  folder: string;
  /** Absent for files that are not encrypted. */
  passphrase?: string;
  /** By name: the streams whose sources were taken off, as they were before, and as the book knows them. */
  detached?: ReadonlyMap<string, StreamInfo>;
  say: Say;
}

/** Resolves with what the backup holds. Errors: a Refusal; the folder does not look whole then. */
export async function save(saving: Saving): Promise<Manifest> {
  const { folder } = saving;
  return await withLock(folder, async () => {
    beginFolder(folder);
    try {
      return await saveAll(saving);
    } catch (error) {
      abandonFolder(folder);
      throw error;
    }
  });
}

async function saveAll({ stack, fleet, folder, passphrase, detached, say }: Saving): Promise<Manifest> {
  const begun = new Date().toISOString();
  const system = await hubSystem(fleet);
  const derivation = newDerivation();
  const key = passphrase === undefined ? undefined : keyOf(passphrase, derivation);
  const declared = hubStreamsOf(fleet);
  const streams: SavedStream[] = [];
  for (const one of declared) streams.push(await saveDeclared(one, { folder, key, say }, detached?.get(one.name)));
  for (const { js, name, account, stream } of await undeclaredOf(declared, stack))
    streams.push({ ...(await saveStream(js, { name, account, stream }, { folder, key, say })), sources: [] });
  const manifest: Manifest = {
    format: 1,
    stack,
    begun,
    ended: new Date().toISOString(),
    program: packageFile.version,
    natsServer: (await varz(system)).version,
    streams,
    leftOut: await leftOut(system, streams),
    ...present({ encryption: key && encryptionOf(derivation, key) }),
  };
  endFolder(folder, manifestText(manifest, key));
  return manifest;
}

interface Into {
  folder: string;
  key: Buffer | undefined;
  say: Say;
}

type Bytes = Omit<SavedStream, "sources" | "mode" | "book">;

async function saveStream(
  js: JetStream,
  { name, account, stream }: Pick<SavedStream, "name" | "account" | "stream">,
  { folder, key, say }: Into,
): Promise<Bytes> {
  const { config, state, bytes } = await takeSnapshot(js, stream);
  say(`${name}: ${state.messages} messages, ${formatSize(state.bytes)} on the hub`);
  const file = `${account}.${stream}.${key === undefined ? "snapshot" : "sealed"}`;
  const written = await writeFile(folder, file, asKept(shown(bytes, say, name), key, file));
  return {
    name,
    account,
    stream,
    ...written,
    config: { ...config, metadata: ownMetadata(config.metadata) },
    messages: state.messages,
    storedBytes: state.bytes,
    first: state.first_seq,
    last: state.last_seq,
    consumers: state.consumer_count ?? 0,
  };
}

const asKept = (bytes: AsyncIterable<Uint8Array>, key: Buffer | undefined, file: string): AsyncIterable<Uint8Array> =>
  key === undefined ? bytes : sealed(bytes, key, file);

/** Without what the server itself notes about its version. */
const ownMetadata = (metadata: Record<string, string> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata ?? {}).filter(([entry]) => !entry.startsWith("_nats.")));

/** Brings the book of a stream of the hub up to now. */
export async function lookAtStream({ stream, sites }: HubStream): Promise<void> {
  for (const { root, access, booked } of sites.filter((site) => site.access.expect === "online"))
    await lookAtBook({ root, access, stream, copy: booked?.[bookName(stream, access.site)] });
}

async function saveDeclared(hub: HubStream, into: Into, detached?: StreamInfo): Promise<SavedStream> {
  const { name, account, stream, sites } = hub;
  const js = await hub.js();
  const info = detached ?? (await js.stream(stream.name));
  if (info === undefined)
    throw new Refusal(`hub stream ${name}: is missing; run 'make up', which creates it, and then the backup`);
  // Before the snapshot: its messages are never fewer than the book says.
  if (detached === undefined) await lookAtStream(hub);
  const [first] = sites;
  const book = first && readBook(first.root, stream, first.access.site);
  const sources: SourcePosition[] = [];
  for (const { access } of sites) {
    const { stream: atSite, position: booked = 0 } = book?.sites[access.site] ?? {};
    const known = book?.hub.created === info.created ? booked : 0;
    sources.push({
      ...(await positionOf(js, hub, info, access.site, known)),
      ...present({ created: atSite?.created }),
    });
  }
  const saved = await saveStream(js, { name, account, stream: stream.name }, into);
  return {
    ...saved,
    // Without its sources the stream has a window and a subject of the server's own.
    ...(detached === undefined ? {} : { config: { ...info.config, metadata: ownMetadata(info.config.metadata) } }),
    mode: stream.collect.mode,
    sources,
    ...present({ book }),
  };
}

/** Where a source stands, before the snapshot is taken: what the stream stores of it meanwhile says so itself. */
async function positionOf(
  js: JetStream,
  { stream }: HubStream,
  info: StreamInfo,
  site: string,
  booked: number,
): Promise<SourcePosition> {
  const newest = await js.lastMessage(stream.name, collectedSubject(stream, site, ">"));
  const origin = originIn(newest?.headers[SOURCE_HEADER]);
  const position = sourceInfoOf(info, site)?.seq ?? origin?.seq ?? booked;
  return { site, position, ...present({ ident: origin?.ident }) };
}

/** Streams that the settings no longer have, and the hub keeps. */
async function undeclaredOf(
  declared: readonly HubStream[],
  stack: string,
): Promise<{ js: JetStream; name: string; account: string; stream: string }[]> {
  const accounts = new Map(declared.map((one) => [one.account, one]));
  const found = [];
  for (const [account, one] of accounts) {
    const js = await one.js();
    for (const stream of await js.streamNames()) {
      const name = `${account}/${stream}`;
      if (declared.some((other) => other.name === name)) continue;
      const info = await js.stream(stream);
      if (info?.config.metadata[OWNER] === stack) found.push({ js, name, account, stream });
    }
  }
  return found;
}

/** The hub's other streams, for example of removed sites, whose keys are gone. */
async function leftOut(system: NatsConnection, saved: readonly SavedStream[]): Promise<string[]> {
  const { account_details: accounts = [] } = await jsz(system);
  const names = accounts.flatMap(({ name: account, stream_detail: streams = [] }) =>
    streams.map(({ name }) => `${account}/${name}`),
  );
  return names.filter((name) => !saved.some((one) => one.name === name)).sort();
}
