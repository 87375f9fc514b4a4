import { siteStreamName } from "../../configs/names";
import { collectedSubject, sourceOf } from "../../configs/streams";
import { PROBE_PREFIX } from "../../configs/subjects";
import { atSite } from "../../fleet/sourcing/collected";
import { originIn, sourceName, streamIdent } from "../../fleet/sourcing/source-identity";
import { type JetStream, SOURCE_HEADER, type StreamInfo } from "../../servers/nats/jetstream";
import { Refusal, messageOf } from "../../machine/refusal";
import type { HubStream } from "./hub-streams";
import type { SavedStream } from "./manifest";

// What would be lost if the hub's stream of now gave way to that of the backup: messages that neither the backup has nor
// a site still holds. Every message is looked at, by its headers alone.

/** A site's stream as it is now. */
interface Held {
  site: string;
  /** Names the stream in the headers of its messages on the hub. */
  name: string;
  ident: string;
  first: number;
  last: number;
  deleted: ReadonlySet<number>;
  /** What the backup has of it. */
  saved: { position: number; ident: string | undefined };
}

async function heldAt(hub: HubStream, saved: SavedStream): Promise<Held[]> {
  return await Promise.all(
    hub.sites.map(async ({ access }): Promise<Held> => {
      const { site } = access;
      const info = await streamAt(hub, access);
      const { first_seq: first = 1, last_seq: last = 0, deleted } = info?.state ?? {};
      const { position = 0, ident } = saved.sources.find((one) => one.site === site) ?? {};
      return {
        site,
        name: sourceName(sourceOf(hub.stream, site)),
        ident: info === undefined ? "" : streamIdent(info.created),
        first,
        last,
        deleted: new Set(deleted ?? []),
        saved: { position, ident },
      };
    }),
  );
}

async function streamAt(
  { name, stream }: HubStream,
  access: HubStream["sites"][number]["access"],
): Promise<StreamInfo | undefined> {
  if (access.expect === "offline") return undefined;
  try {
    return await (await atSite(access)).stream(siteStreamName(stream, access.site), true);
  } catch (error) {
    throw new Refusal(
      `hub stream ${name}: holds messages, and whether site ${access.site} still holds them is unknown, because it does ` +
        `not answer (${messageOf(error)}); start it ('make up')`,
    );
  }
}

function isSafe(held: readonly Held[], header: string | undefined): boolean {
  const origin = originIn(header);
  const site = held.find(({ name }) => name === origin?.name);
  if (origin === undefined || site === undefined) return false;
  const { seq, ident = site.ident } = origin;
  if (ident === site.saved.ident && seq <= site.saved.position) return true;
  return ident === site.ident && seq >= site.first && seq <= site.last && !site.deleted.has(seq);
}

/** The number of messages that would be lost. Errors: a Refusal when a site does not answer. */
export async function lostWith(js: JetStream, hub: HubStream, info: StreamInfo, saved: SavedStream): Promise<number> {
  if (info.state.messages === 0) return 0;
  const held = await heldAt(hub, saved);
  const probes = hub.sites.map(({ access }) => collectedSubject(hub.stream, access.site, `${PROBE_PREFIX}.`));
  const consumer = await js.connection.jetstream().consumers.get(info.config.name, { headers_only: true });
  const messages = await consumer.consume();
  let lost = 0;
  for await (const message of messages) {
    const isProbe = probes.some((prefix) => message.subject.startsWith(prefix));
    if (!isProbe && !isSafe(held, message.headers?.get(SOURCE_HEADER))) lost++;
    if (message.seq >= info.state.last_seq || message.info.pending === 0) break;
  }
  await consumer.delete();
  return lost;
}
