import { NatsError } from "nats";
import { siteStreamName } from "../../configs/names";
import { probeSubjects } from "../../configs/permissions";
import { collectedSubject } from "../../configs/streams";
import { formatSize } from "../../configs/text/units";
import { type Collection, withoutSite } from "../../diagnosis/book/ledger";
import { type SiteEnd, afterRestore } from "../../diagnosis/book/restored";
import { bookName, changeBook } from "../../fleet/book/record";
import { noteRestored } from "../../fleet/proof/restored";
import { behind } from "../../fleet/book/positions";
import { atSite, sourceInfoOf } from "../../fleet/sourcing/collected";
import { originIn } from "../../fleet/sourcing/source-identity";
import { markUnproven } from "../../fleet/observation/unproven";
import type { Say } from "../../machine/progress";
import { Refusal, messageOf } from "../../machine/refusal";
import { tryAgain } from "../../machine/until";
import { sideBySide } from "../../machine/side-by-side";
import { unsealed } from "./sealed";
import { type JetStream, JetStreamError, SOURCE_HEADER, type StreamInfo } from "../../servers/nats/jetstream";
import { restoreSnapshot } from "../../servers/nats/snapshot";
import { attachSources } from "./attach";
import { type Pair, reasonToKeep } from "./check";
import { readFile } from "./files";
import type { HubStream } from "./hub-streams";
import type { OpenedBackup, SavedStream, SourcePosition } from "./manifest";
import { shown } from "./progress";
import { isUnfinished, unfinishedConfig, wantedConfig } from "./wanted";

// Brings one stream of a backup back. Whatever interrupts it, the next run does the stream again from the beginning, until it
// is noted as restored.

/** Errors: a Refusal when the stream of now may not give way after all; it then sources its sites as before. */
export async function bringBack(opened: OpenedBackup, folder: string, pair: Pair, say: Say): Promise<void> {
  const { hub, saved } = pair;
  const js = await hub.js();
  for (const { root, access } of hub.sites) markUnproven(root, access.site);
  const there = await js.stream(saved.stream);
  if (there !== undefined) await clearTheWay(opened, pair, there);
  say(`${saved.name}: restoring ${saved.messages} messages, ${formatSize(saved.storedBytes)}`);
  await filled(js, opened, folder, pair, say).catch(refusal(saved));
  const info = await js.stream(saved.stream);
  if (info?.state.last_seq !== saved.last)
    throw new Refusal(`hub stream ${saved.name}: does not hold what the backup has; run the restore again`);
  await bookRestored(pair, info);
  await attachSources(js, hub, saved.sources, wantedConfig(hub, saved));
  for (const { root, access } of hub.sites)
    noteRestored({ root, stream: hub.stream, site: access.site }, opened.manifest.begun, info);
}

/** How long the hub may take until it is done with a restore that it ended, or that an earlier run began. */
const ENDED = { within: 60_000, every: 1_000 };

/** "Stream name already in use, cannot restore": an earlier restore of it is not at its end (nats-server errors.json). */
const IN_USE = 10_130;

const isEnded = (error: unknown): boolean =>
  error instanceof NatsError || (error instanceof JetStreamError && error.code === IN_USE);

/** A server that hears nothing for five seconds, as on a busy machine, ends the restore (nats-server jetstream_api.go). */
async function filled(
  js: JetStream,
  opened: OpenedBackup,
  folder: string,
  { hub, saved }: Pair,
  say: Say,
): Promise<void> {
  const wanted = { config: unfinishedConfig(hub, saved), state: stateOf(saved) };
  const attempt = async (): Promise<void> => {
    const left = await js.stream(saved.stream);
    if (left !== undefined && isUnfinished(left)) await js.deleteStream(saved.stream);
    await restoreSnapshot(js, wanted, opener(opened, folder, saved, say));
  };
  const mayPass = (error: unknown): boolean => {
    if (isEnded(error)) say(`${saved.name}: the hub ended the restore (${messageOf(error)}); again`);
    return isEnded(error);
  };
  await tryAgain(attempt, mayPass, ENDED);
}

const stateOf = ({ messages, storedBytes, first, last, consumers }: SavedStream): StreamInfo["state"] => ({
  messages,
  bytes: storedBytes,
  first_seq: first,
  last_seq: last,
  consumer_count: consumers,
});

const refusal =
  ({ name }: SavedStream) =>
  (error: unknown): never => {
    throw new Refusal(
      error instanceof JetStreamError
        ? `hub stream ${name}: the hub refused it (${error.message}); make room on the hub where that is the reason, and ` +
            "run the restore again"
        : `hub stream ${name}: the restore was interrupted (${messageOf(error)}); run it again`,
    );
  };

async function* opener(
  { key }: OpenedBackup,
  folder: string,
  saved: SavedStream,
  say: Say,
): AsyncGenerator<Uint8Array> {
  const bytes = readFile(folder, saved);
  const opened = key === undefined ? bytes : unsealed(bytes, key, saved.file);
  yield* shown(opened, say, `${saved.name}: restoring`);
}

/** Where the sources of the stream stand. */
export const positionsIn = (info: StreamInfo, { sites }: HubStream): SourcePosition[] =>
  sites.map(({ access: { site } }) => ({ site, position: sourceInfoOf(info, site)?.seq ?? 0 }));

/** Removes the stream of now. First its sources: what they bring after it was judged would be lost. */
async function clearTheWay({ manifest }: OpenedBackup, { hub, saved }: Pair, there: StreamInfo): Promise<void> {
  const js = await hub.js();
  if (!isUnfinished(there)) {
    const { sources = [] } = there.config;
    if (sources.length > 0) await js.setSources(there, []);
    const still = (await js.stream(saved.stream)) ?? there;
    const problem = await reasonToKeep(manifest, { hub, saved, info: still }).catch((error: unknown) =>
      messageOf(error),
    );
    if (problem !== undefined) {
      await attachSources(js, hub, positionsIn(there, hub), there.config);
      throw new Refusal(problem);
    }
  }
  await js.deleteStream(saved.stream);
}

/** Writes the book to go on with, before the stream sources anything. */
async function bookRestored({ hub, saved }: Pair, { created, state }: StreamInfo): Promise<void> {
  const { stream, sites } = hub;
  const [first] = sites;
  const { book } = saved;
  if (first === undefined || book === undefined) return;
  const { root, access, booked } = first;
  const ends = await endsOf(hub, saved);
  const { first_seq, last_seq: last, messages: held } = state;
  const restored = { created, first: first_seq, last, held, at: new Date().toISOString() };
  await changeBook(root, stream, access.site, (now, write) => {
    const after = afterRestore(book, now ?? booked?.[bookName(stream, access.site)], restored, ends);
    // What the backup has of removed sites stays on the hub; their books have ended.
    const gone = Object.keys(after.sites).filter((name) => !sites.some((site) => site.access.site === name));
    const left = gone.reduce<Collection | undefined>((all, name) => all && withoutSite(all, name, 0), after);
    if (left !== undefined) write(left);
  });
}

/** The sites' streams; without those that do not answer. */
async function endsOf(hub: HubStream, saved: SavedStream): Promise<Record<string, SiteEnd>> {
  const js = await hub.js();
  const online = hub.sites.filter(({ access }) => access.expect === "online");
  const found = await sideBySide(online, async ({ access }): Promise<[string, SiteEnd][]> => {
    const { site } = access;
    const name = siteStreamName(hub.stream, site);
    const info = await atSite(access)
      .then((one) => one.stream(name, true))
      .catch(() => undefined);
    if (info === undefined) return [];
    const filter = collectedSubject(hub.stream, site, ">");
    const newest = originIn((await js.lastMessage(saved.stream, filter))?.headers[SOURCE_HEADER]);
    const told = saved.sources.find((one) => one.site === site)?.position ?? 0;
    const position = newest === undefined ? told : newest.seq;
    const probes = await js.subjects(saved.stream, collectedSubject(hub.stream, site, probeSubjects(name)));
    const probesOnHub = Object.values(probes).reduce((sum, count) => sum + count, 0);
    const { first_seq: first, last_seq: last, messages: held } = info.state;
    const { gap } = behind(info, position);
    return [[site, { created: info.created, first, last, held, position, gap, probesOnHub }]];
  });
  return Object.fromEntries(found.flat());
}
