import { StreamSettings } from "../../configs/settings";
import { StreamSource, collectedSubject, isSourceOfSite } from "../../configs/streams";
import { NANOSECONDS_PER_MS } from "../../configs/text/units";
import { SiteAccess, atHub, sourceInfoOf } from "./collected";
import { exclusively } from "../../machine/exclusively";
import { lookUntil } from "../../machine/until";
import { JetStream, SOURCE_HEADER, StreamInfo } from "../../servers/nats/jetstream";
import { originIn, sourceIdentity } from "./source-identity";
import { otherOwner } from "./stream-owner";

/** The hub's source of one site: whether it hears from the site, and how to restart it. */

/** A healthy source hears from its site each second (heartbeat). */
export const SILENT_AFTER_MS = 1_500;

/** A source starts within 0.2 s when its site answers. */
const POSITIONED_MS = 3_000;

/** Whether the source was heard of within the last milliseconds, without an error. */
export function isActive(info: StreamInfo | undefined, site: string, withinMs: number): boolean {
  const source = sourceInfoOf(info, site);
  if (source === undefined || source.error !== undefined) return false;
  return source.active >= 0 && source.active < withinMs * NANOSECONDS_PER_MS;
}

/** Whether the source was heard of since then: one that was heard of before may have lost its site meanwhile. */
export async function isHeardSince(js: JetStream, stream: string, site: string, start: number): Promise<boolean> {
  const asked = Date.now();
  return isActive(await js.stream(stream), site, asked - start);
}

/** Waits until the source is heard of from now on. */
export async function becomesHeard(js: JetStream, stream: string, site: string, timeoutMs: number): Promise<boolean> {
  const start = Date.now();
  return await lookUntil(() => isHeardSince(js, stream, site, start), Boolean, { within: timeoutMs, every: 25 });
}

/** Serialises changes of one stream of the hub, which all sites of a merged stream share. */
export const onHubStream = <T>(
  { hubUrl, site }: SiteAccess,
  stream: StreamSettings,
  work: () => Promise<T>,
): Promise<T> =>
  exclusively(
    stream.collect.mode === "merged" ? `${hubUrl} HUB/${stream.name}` : `${hubUrl} ${site}/${stream.name}`,
    work,
  );

/**
 * Removes the site's source from the stream and adds it again, which starts it immediately; otherwise the server looks
 * for a lost site every 10 s, and waits up to two minutes between attempts (nats-server stream.go). The position is
 * kept and nothing is doubled. A stream that is not of this stack is left as it is.
 */
export async function rearm(access: SiteAccess, stream: StreamSettings, stack: string): Promise<void> {
  const js = await atHub(access, stream);
  await onHubStream(access, stream, async () => {
    const info = await js.stream(stream.name);
    const sources = info?.config.sources ?? [];
    const others = sources.filter((source) => !isSourceOfSite(source, access.site));
    if (info === undefined || others.length === sources.length || otherOwner(info, stack) !== undefined) return;
    const position = Math.max(sourceInfoOf(info, access.site)?.seq ?? 0, toldPosition(sources, access.site));
    const isStored = await hasOwn(js, info, access.site, collectedSubject(stream, access.site, ">"));
    // The server goes on behind the newest message that it stores of the source. Where it stores none it must be told.
    await toggle(js, info, access.site, isStored ? 1 : position + 1);
    if (!isStored) await settleSource(js, stream.name, access.site);
  });
}

/** The position that a source was told and has not reached yet: its site was not there. */
const toldPosition = (sources: readonly StreamSource[], site: string): number =>
  (sources.find((source) => isSourceOfSite(source, site))?.opt_start_seq ?? 1) - 1;

/**
 * Takes the site's source off the stream and puts it back: two requests, because the server works on several at a time in
 * any order (nats-server jetstream_api.go, apiDispatch).
 */
export async function toggle(js: JetStream, { config }: StreamInfo, site: string, start: number): Promise<void> {
  const sources = config.sources ?? [];
  await js.updateStream({ ...config, sources: sources.filter((source) => !isSourceOfSite(source, site)) });
  if (hasCopies({ config })) await storesNoMore(js, config.name);
  // A stream that lost its last source took its own name as subject (nats-server stream.go).
  await js.updateStream({ ...config, subjects: [], sources: startingAt(sources, site, start) });
}

/** Whether several servers store the stream. */
export const hasCopies = ({ config }: Pick<StreamInfo, "config">): boolean => config.num_replicas > 1;

/** How long a stream may store nothing before everything counts as stored, and how long it is looked at. */
const STORED_MS = 300;
const STORING = { within: 2_000, every: 50 };

/**
 * Waits until copies of the stream have stored what the source brought last. A source that is put back goes on behind the
 * newest message that is stored, so what is still on its way to the copies would be taken twice (measured: 55 of 6940
 * messages of 60 kB). A stream that other sites fill never rests, and is waited for as long as it takes.
 */
async function storesNoMore(js: JetStream, stream: string): Promise<void> {
  let [last, since] = [-1, Date.now()];
  const rests = async (): Promise<boolean> => {
    const seen = (await js.stream(stream))?.state.last_seq ?? 0;
    if (seen !== last) [last, since] = [seen, Date.now()];
    return Date.now() - since >= STORED_MS;
  };
  await lookUntil(rests, Boolean, STORING);
}

const startingAt = (sources: readonly StreamSource[], site: string, sequence: number): StreamSource[] =>
  sources.map((source) => (isSourceOfSite(source, site) ? { ...source, opt_start_seq: sequence } : source));

/** Whether the hub's newest message of the site is one that its source brought; of several sources any message counts. */
async function hasOwn(js: JetStream, { config }: StreamInfo, site: string, filter: string): Promise<boolean> {
  const newest = await js.lastMessage(config.name, filter);
  const [own, ...more] = (config.sources ?? []).filter((source) => isSourceOfSite(source, site));
  if (newest === undefined || own === undefined || more.length > 0) return newest !== undefined;
  return originIn(newest.headers[SOURCE_HEADER])?.identity === sourceIdentity(own);
}

/**
 * Forgets where the source was told to begin, once it is under way: a stream that is recreated at the site would begin
 * in its middle.
 */
export async function settleSource(js: JetStream, name: string, site: string): Promise<void> {
  if (!(await becomesHeard(js, name, site, POSITIONED_MS))) return;
  const info = await js.stream(name);
  if (info === undefined) return;
  await js.updateStream({ ...info.config, sources: startingAt(info.config.sources ?? [], site, 1) });
}
