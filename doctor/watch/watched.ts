import { HUB_ACCOUNT, accountOf } from "../../configs/names";
import type { StreamSettings } from "../../configs/settings";
import { isSourceOfSite } from "../../configs/streams";
import { splitUrls } from "../../configs/text/address";
import { linksRequest, watchOf, watchedApi } from "../../configs/watch/watch";
import { lookUntil } from "../../machine/until";
import { exclusively } from "../../machine/exclusively";
import { Access, shared } from "../../servers/nats/connection";
import { JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { Answer, ask, requestJson } from "../../servers/nats/asking";
import { LeafLink } from "../../servers/nats/system";
import { SiteAccess, atHub, sourceInfoOf, systemAccess } from "../../fleet/sourcing/collected";
import { SILENT_AFTER_MS, hasCopies, isActive, rearm, settleSource, toggle } from "../../fleet/sourcing/source";
import { otherOwner } from "../../fleet/sourcing/stream-owner";
import { Notes, Toggle } from "../../servers/watch/notes";
import { WatchedServer, urlsOf } from "./server";

/** The hub as a watcher reaches it: with the keys of the state, or with the watcher's own, which may do only this. */

/** The hub's source of one stream of one site. */
export interface WatchedSource {
  site: string;
  /** The stream's name on the hub. */
  stream: string;
  /** The JetStream of its account. */
  js(): Promise<JetStream>;
  /**
   * Takes the source off and puts it back: it asks the site anew, and goes on where it was. Resolves with whether it did:
   * a stream that is not of this stack, or a source with copies that is heard after all, is left as it is.
   */
  restart(): Promise<boolean>;
  /** Forgets where a source that is heard of was told to begin. */
  settle(): Promise<void>;
}

export interface WatchedHub {
  servers: readonly WatchedServer[];
  /** Each stream of each site, in the order of the settings. */
  sources: readonly WatchedSource[];
  /** Puts back what toggles left off that did not come to their end. */
  putBack(): Promise<void>;
}

/** A site that is watched with the keys of the state. */
export interface Watched {
  access: SiteAccess;
  /** Seed of the system account. */
  system: string;
  streams: readonly StreamSettings[];
  stack: string;
}

/** @param sites of one hub. */
export function withKeysOfState(sites: readonly Watched[]): WatchedHub {
  const [first] = sites;
  const hub = first === undefined ? undefined : systemAccess(first.access, first.system).hub;
  const servers = serversOf(hub, async (connection) => {
    return (await ask<{ leafs?: LeafLink[] | null }>(connection, "LEAFZ")).leafs ?? [];
  });
  return {
    servers,
    sources: sites.flatMap(({ access, streams, stack }) =>
      streams.map((stream) => ({
        site: access.site,
        stream: stream.name,
        js: () => atHub({ ...access, hubUrl: urlsOf(servers) }, stream),
        restart: async () => {
          await rearm({ ...access, hubUrl: urlsOf(servers) }, stream, stack);
          return true;
        },
        settle: () => Promise.resolve(),
      })),
    ),
    putBack: () => Promise.resolve(),
  };
}

const serversOf = (hub: Access | undefined, ask: ConstructorParameters<typeof WatchedServer>[1]): WatchedServer[] =>
  hub === undefined ? [] : splitUrls(hub.url).map((url) => new WatchedServer({ ...hub, url }, ask));

/** What the watcher's own key is used for, as the watcher's configuration says it. */
export type LimitedWatch = ReturnType<typeof watchOf> & { hub: Access };

/** The watcher's own key reaches the links, and information and configuration of the collected streams. */
export function withOwnKey({ stack, hub, sites, streams }: LimitedWatch, notes: Notes): WatchedHub {
  const isOfSeveral = splitUrls(hub.url).length > 1;
  const servers = serversOf(hub, async (connection) => {
    const request = linksRequest(isOfSeveral ? connection.info?.server_id : undefined);
    return (await requestJson<Answer<{ leafs?: LeafLink[] | null }>>(connection, request)).data?.leafs ?? [];
  });
  const connection = () => shared({ ...hub, url: urlsOf(servers) });
  const sources = sites.flatMap((site) =>
    streams.map(({ name, mode }) => {
      const account = mode === "merged" ? HUB_ACCOUNT : accountOf(site);
      const js = async () => new JetStream(await connection(), undefined, REQUEST_TIMEOUT_MS, watchedApi(account));
      const alone = <T>(work: (js: JetStream) => Promise<T>): Promise<T> =>
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
    servers,
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
): Promise<boolean> {
  const { stack, site, stream } = named;
  const info = await whenSilent(js, stream, site);
  if (info === undefined || otherOwner(info, stack) !== undefined) return false;
  const [taken] = (info.config.sources ?? []).filter((one) => isSourceOfSite(one, site));
  const off = notes.takenOff(named);
  if (taken === undefined && off !== undefined) return putBack(js, off, notes);
  const source = sourceInfoOf(info, site);
  if (taken === undefined || source === undefined) return false;
  if (hasCopies(info) && isActive(info, site, SILENT_AFTER_MS)) return false;
  const start = (source.seq ?? 0) + 1;
  const note = { site, stream, source: { ...taken, opt_start_seq: start } };
  await notes.during(note, () => toggle(js, info, site, start));
  return true;
}

/** The stream, as soon as a source with copies is silent for longer than between two heartbeats; else at the latest then. */
async function whenSilent(js: JetStream, stream: string, site: string): Promise<StreamInfo | undefined> {
  const isSilent = (info: StreamInfo | undefined): boolean =>
    info === undefined || !hasCopies(info) || !isActive(info, site, SILENT_AFTER_MS);
  return await lookUntil(() => js.stream(stream), isSilent, { within: SILENT_AFTER_MS, every: 50 });
}

async function settle(js: JetStream, stream: string, site: string): Promise<void> {
  const sources = (await js.stream(stream))?.config.sources ?? [];
  const isTold = sources.some((source) => isSourceOfSite(source, site) && (source.opt_start_seq ?? 1) > 1);
  if (isTold) await settleSource(js, stream, site);
}

/** Puts a source back that its toggle left off. */
async function putBack(js: JetStream, toggle: Toggle, notes: Notes): Promise<boolean> {
  const info = await js.stream(toggle.stream);
  const sources = info?.config.sources ?? [];
  const isOff = info !== undefined && !sources.some((source) => isSourceOfSite(source, toggle.site));
  if (isOff) {
    // A stream that lost its last source took its own name as subject, and drops equal ids (nats-server stream.go).
    const { duplicate_window: _, ...config } = info.config;
    await js.updateStream({ ...config, subjects: [], sources: [...sources, toggle.source] });
  }
  notes.drop(toggle);
  return isOff;
}
