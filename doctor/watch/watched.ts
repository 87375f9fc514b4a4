import { NatsConnection } from "nats";
import { HUB_ACCOUNT, accountOf } from "../../configs/names";
import type { StreamSettings } from "../../configs/settings";
import { isSourceOfSite } from "../../configs/streams";
import { LINKS_REQUEST, LINK_EVENTS, watchOf, watchedApi } from "../../configs/watch/watch";
import { exclusively } from "../../machine/exclusively";
import { Access, shared } from "../../servers/nats/connection";
import { JetStream } from "../../servers/nats/jetstream";
import { Answer, LeafLink, leafLinks, requestJson } from "../../servers/nats/system";
import { SiteAccess, atHub, sourceInfoOf, systemAccess } from "../../fleet/sourcing/collected";
import { rearm, settleSource, toggle } from "../../fleet/sourcing/source";
import { otherOwner } from "../../fleet/sourcing/stream-owner";
import { Notes, Toggle } from "../../servers/watch/notes";

/** The hub as a watcher reaches it: with the keys of the state, or with the watcher's own, which may do only this. */

/** The hub's source of one stream of one site. */
export interface WatchedSource {
  site: string;
  /** The stream's name on the hub. */
  stream: string;
  /** The JetStream of its account. */
  js(): Promise<JetStream>;
  /** Takes the source off and puts it back: it asks the site anew, and goes on where it was. */
  restart(): Promise<void>;
  /** Forgets where a source that is heard of was told to begin. */
  settle(): Promise<void>;
}

export interface WatchedHub {
  /** The connection on which the hub is asked for its links. */
  connection(): Promise<NatsConnection>;
  /** The leaf links that the hub has. */
  links(connection: NatsConnection): Promise<LeafLink[]>;
  /** Each stream of each site, in the order of the settings. */
  sources: readonly WatchedSource[];
  /** Puts back what toggles left off that did not come to their end. */
  putBack(): Promise<void>;
}

/** What the hub says of a connection that came or went. */
export interface LinkEvent {
  client: { kind?: string; name?: string; acc: string; host?: string; user?: string };
  /** Why it went; absent when it came. */
  reason?: string;
}

/** Calls `heard` for each leaf link that comes or goes, as long as the connection lives. */
export function hearLinks(connection: NatsConnection, heard: (event: LinkEvent) => void): void {
  const callback = (error: Error | null, { data }: { data: Uint8Array }): void => {
    if (error !== null) return;
    const event = JSON.parse(Buffer.from(data).toString()) as LinkEvent;
    if (event.client.kind === "Leafnode") heard(event);
  };
  for (const subject of LINK_EVENTS) connection.subscribe(subject, { callback });
}

/** A site that is watched with the keys of the state. */
export interface Watched {
  access: SiteAccess;
  /** Seed of the system account. */
  system: string;
  streams: readonly StreamSettings[];
  stack: string;
}

/** @param sites of one hub, at least one. */
export function withKeysOfState(sites: readonly Watched[]): WatchedHub {
  const [first] = sites;
  return {
    connection: () => {
      if (first === undefined) throw new Error("there is no site to watch");
      return shared(systemAccess(first.access, first.system).hub);
    },
    links: leafLinks,
    sources: sites.flatMap(({ access, streams, stack }) =>
      streams.map((stream) => ({
        site: access.site,
        stream: stream.name,
        js: () => atHub(access, stream),
        restart: () => rearm(access, stream, stack),
        settle: () => Promise.resolve(),
      })),
    ),
    putBack: () => Promise.resolve(),
  };
}

/** What the watcher's own key is used for, as the watcher's configuration says it. */
export type LimitedWatch = ReturnType<typeof watchOf> & { hub: Access };

/** The watcher's own key reaches the links, and information and configuration of the collected streams. */
export function withOwnKey({ stack, hub, sites, streams }: LimitedWatch, notes: Notes): WatchedHub {
  const connection = () => shared(hub);
  const sources = sites.flatMap((site) =>
    streams.map(({ name, mode }) => {
      const account = mode === "merged" ? HUB_ACCOUNT : accountOf(site);
      const js = async () => new JetStream(await connection(), undefined, REQUEST_TIMEOUT_MS, watchedApi(account));
      const alone = (work: (js: JetStream) => Promise<void>): Promise<void> =>
        exclusively(`${account}/${name}`, async () => work(await js()));
      return {
        site,
        stream: name,
        js,
        restart: () => alone((to) => restart(to, { stack, site, stream: name }, notes)),
        settle: () => alone((to) => settle(to, name, site)),
        putBack: (toggle: Toggle) => alone((to) => putBack(to, toggle, notes)),
      };
    }),
  );
  return {
    connection,
    links: async (asked) =>
      (await requestJson<Answer<{ leafs?: LeafLink[] | null }>>(asked, LINKS_REQUEST)).data?.leafs ?? [],
    sources,
    putBack: async () => {
      for (const toggle of notes.left) {
        const source = sources.find(({ site, stream }) => site === toggle.site && stream === toggle.stream);
        if (source === undefined) notes.drop(toggle);
        else await source.putBack(toggle);
      }
    },
  };
}

/** A hub that takes longer is asked again. */
const REQUEST_TIMEOUT_MS = 3_000;

/**
 * The watcher's key may not read messages, so it does not know whether the hub holds one of the source: the source is
 * always told where to go on, which the server ignores when it holds one.
 */
async function restart(
  js: JetStream,
  named: { stack: string; site: string; stream: string },
  notes: Notes,
): Promise<void> {
  const { stack, site, stream } = named;
  const info = await js.stream(stream);
  const source = sourceInfoOf(info, site);
  if (info === undefined || source === undefined || otherOwner(info, stack) !== undefined) return;
  const [taken] = (info.config.sources ?? []).filter((one) => isSourceOfSite(one, site));
  if (taken === undefined) return;
  const start = (source.seq ?? 0) + 1;
  const note = { site, stream, source: { ...taken, opt_start_seq: start } };
  await notes.during(note, () => toggle(js, info, site, start));
}

async function settle(js: JetStream, stream: string, site: string): Promise<void> {
  const sources = (await js.stream(stream))?.config.sources ?? [];
  const isTold = sources.some((source) => isSourceOfSite(source, site) && (source.opt_start_seq ?? 1) > 1);
  if (isTold) await settleSource(js, stream, site);
}

/** Puts a source back that its toggle left off. */
async function putBack(js: JetStream, toggle: Toggle, notes: Notes): Promise<void> {
  const info = await js.stream(toggle.stream);
  const sources = info?.config.sources ?? [];
  if (info !== undefined && !sources.some((source) => isSourceOfSite(source, toggle.site))) {
    // A stream that lost its last source took its own name as subject, and drops equal ids (nats-server stream.go).
    const { duplicate_window: _, ...config } = info.config;
    await js.updateStream({ ...config, subjects: [], sources: [...sources, toggle.source] });
  }
  notes.drop(toggle);
}
