import { setTimeout as sleep } from "node:timers/promises";
import { StreamSettings } from "../configs/settings";
import { collectedSubject, isSourceOfSite } from "../configs/streams";
import { NANOSECONDS_PER_MS } from "../configs/units";
import { SiteAccess, atHub, sourceInfoOf } from "./collected";
import { exclusively } from "./exclusively";
import { JetStream, StreamInfo } from "./nats/jetstream";
import { otherOwner } from "./stream-owner";

/** The hub's source of one site: whether it hears from the site, and how to start it anew. */

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
  for (const deadline = start + timeoutMs; ; await sleep(25)) {
    if (await isHeardSince(js, stream, site, start)) return true;
    if (Date.now() >= deadline) return false;
  }
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
 * Takes the site's source off the stream and puts it back, which starts it at once; left alone, the server looks for a
 * lost site every 10 s, and waits up to two minutes between attempts (nats-server stream.go). The position is kept and
 * nothing is doubled. A stream of somebody else, not of this stack, is left as it is.
 */
export async function rearm(access: SiteAccess, stream: StreamSettings, stack: string): Promise<void> {
  const js = await atHub(access, stream);
  await onHubStream(access, stream, async () => {
    const info = await js.stream(stream.name);
    const sources = info?.config.sources ?? [];
    const others = sources.filter((source) => !isSourceOfSite(source, access.site));
    if (info === undefined || others.length === sources.length || otherOwner(info, stack) !== undefined) return;
    const startAt = (sequence: number) =>
      sources.map((source) => (isSourceOfSite(source, access.site) ? { ...source, opt_start_seq: sequence } : source));
    const position = sourceInfoOf(info, access.site)?.seq ?? 0;
    const stored = await js.nextMessage(stream.name, collectedSubject(stream, access.site, ">"), 1);
    await js.setSources(info, others);
    // A stream that lost its last source took its own name as subject (nats-server stream.go).
    const config = { ...info.config, subjects: [] };
    // The server goes on behind the newest message that it stores of the site. Where it stores none it must be told; left
    // in, the position would let a stream that is made anew at the site begin in its middle.
    if (stored === undefined) {
      await js.updateStream({ ...config, sources: startAt(position + 1) });
      if (!(await becomesHeard(js, stream.name, access.site, POSITIONED_MS))) return;
    }
    await js.updateStream({ ...config, sources: startAt(1) });
  });
}
