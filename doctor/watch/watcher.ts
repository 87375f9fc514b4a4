import { accountOf } from "../../configs/names";
import { maskSeeds } from "../../configs/seeds";
import type { WatchStatus } from "../../views/outputs/watch-metrics";
import type { LeafLink } from "../../servers/nats/system";
import type { Say } from "../../machine/progress";
import { messageOf } from "../../machine/refusal";
import { becomesHeard } from "../../fleet/sourcing/source";
import { Rest } from "./rest";
import { LinkEvent, WatchedServer, isGone } from "./server";
import { WatchedHub, WatchedSource } from "./watched";

/**
 * Watches the links of a running fleet, and restarts a waiting source the moment its link is back. nats-server leaves a
 * source that asked in vain waiting for 30 s and more (stream.go: 30 s for an answer, then 10 s for each failure); taken off
 * and put back it asks at once, goes on where it was, and nothing is lost or doubled.
 */

/** How often the hub is asked for its links, besides each time that it tells of one. */
const LOOK_MS = 1_000;
/** How long a source may take by itself once its link is there; most that can, do within a few hundredths of a second. */
const BY_ITSELF_MS = 400;
/** One whose link was there before it was watched is heard each second, and has no reason to be heard at once. */
const IDLE_MS = 2_000;
/** How long a source that was restarted may take. */
const STARTED_MS = 1_500;
/** Between two attempts at one stream: doubled each time, up to a minute. */
const AGAIN_MS = 1_000;
const AGAIN_AT_MOST_MS = 60_000;
/** Before the hub is asked again that did not answer. */
const NO_HUB_MS = 250;

/** The links of each site at one server, by what tells one link from another. */
type LinksOfSites = ReadonlyMap<string, ReadonlySet<string>>;

export class Watcher {
  /** Absent of a server before the first look at it. */
  private readonly links = new Map<WatchedServer, LinksOfSites>();
  private readonly sites: readonly string[];
  /** Servers that did not answer the last time. */
  private readonly silent = new Set<WatchedServer>();
  /** The work on each source, and what tells it that the source has a new link. */
  private readonly work = new Map<string, { done: Promise<void>; renew: () => void }>();
  private readonly waiting = new Map<string, number>();
  private readonly times = { since: Date.now(), asked: 0, answered: 0 };
  private restarts = 0;
  private puttingBack: Promise<void> | undefined;
  /** Ends the rest between two looks at a server. */
  private readonly wakes = new Set<() => void>();

  constructor(
    private readonly hub: WatchedHub,
    private readonly say: Say,
  ) {
    this.sites = [...new Set(hub.sources.map(({ site }) => site))];
  }

  get status(): WatchStatus {
    const links = this.sites.map((site) => [site, this.isLinked(site)]);
    return {
      ...this.times,
      links: Object.fromEntries(links) as WatchStatus["links"],
      waiting: Object.fromEntries(this.waiting),
      restarts: this.restarts,
    };
  }

  /** Watches until it is told to end. Whatever fails meanwhile is said, and tried again. */
  async run(end: AbortSignal): Promise<void> {
    await Promise.all(this.hub.servers.map((server) => this.watch(server, end)));
    await Promise.all([this.puttingBack, ...[...this.work.values()].map(({ done }) => done)]);
  }

  private async watch(server: WatchedServer, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const rest = new Rest(end);
      const wake = (): void => rest.cutShort();
      this.wakes.add(wake);
      await rest.last((await this.look(server, end)) ? LOOK_MS : NO_HUB_MS);
      this.wakes.delete(wake);
    }
  }

  private async look(server: WatchedServer, end: AbortSignal): Promise<boolean> {
    if (this.sites.length === 0) return true;
    this.times.asked = Date.now();
    try {
      const found = await server.links((event) => this.hear(event));
      this.times.answered = Date.now();
      if (this.silent.delete(server)) this.say(`${this.nameOf(server)} answers again`);
      this.startPuttingBack(end);
      this.compare(server, found, end);
      return true;
    } catch (error) {
      if (!this.silent.has(server) && !end.aborted)
        this.say(`${this.nameOf(server)} does not answer: ${maskSeeds(messageOf(error))}`);
      this.silent.add(server);
      // The links of a server that is gone come up elsewhere; those of the only one are looked at when it is back.
      if (this.isOfSeveral && isGone(error)) this.compare(server, [], end);
      return false;
    }
  }

  private get isOfSeveral(): boolean {
    return this.hub.servers.length > 1;
  }

  private nameOf = ({ name, access }: WatchedServer): string =>
    this.isOfSeveral ? `the hub's server ${name ?? access.url}` : "the hub";

  /** Not waited for: where the servers elect a leader it takes as long as they do. */
  private startPuttingBack(end: AbortSignal): void {
    this.puttingBack ??= this.hub
      .putBack()
      .catch((error: unknown) => {
        if (!end.aborted) this.say(`a source is not put back yet: ${maskSeeds(messageOf(error))}`);
      })
      .finally(() => (this.puttingBack = undefined));
  }

  private hear({ server, client: { name = "", acc, host = "", user = "" }, reason }: LinkEvent): void {
    const site = this.sites.find((one) => accountOf(one) === acc) ?? (name === "" ? acc : name);
    const who = `${this.isOfSeveral ? `at ${server.name}, ` : ""}from ${host}, key ${user}`;
    if (reason !== undefined) this.say(`${site}: the hub closed its link: ${reason} (${who})`);
    else this.say(`${site}: it linked (${who})`);
    for (const wake of this.wakes) wake();
  }

  /** Notes the links of one server, says what has changed, and starts to work where one is new. */
  private compare(server: WatchedServer, found: readonly LeafLink[], end: AbortSignal): void {
    const before = this.links.get(server);
    const ofSite = (site: string): ReadonlySet<string> => {
      const own = found.filter(({ name, account }) => name === site && account === accountOf(site));
      return new Set(own.map(({ id, ip, port }) => `${id} ${ip ?? ""}:${port ?? ""}`));
    };
    const now = new Map(this.sites.map((site) => [site, ofSite(site)]));
    const wereLinked = new Set(this.sites.filter(this.isLinked));
    this.links.set(server, now);
    const isLast = before === undefined && this.links.size === this.hub.servers.length;
    for (const site of this.sites) {
      if (isLast && !this.isLinked(site)) this.say(`${site}: its link is not there`);
      else if (wereLinked.has(site) && !this.isLinked(site)) this.say(`${site}: its link is gone`);
      const known = before?.get(site);
      if (![...(now.get(site) ?? [])].some((link) => known?.has(link) !== true)) continue;
      if (before !== undefined) this.say(`${site}: its link is there`);
      const byItselfMs = before === undefined ? IDLE_MS : BY_ITSELF_MS;
      for (const source of this.hub.sources) if (source.site === site) this.startWork(source, byItselfMs, end);
    }
  }

  private isLinked = (site: string): boolean =>
    [...this.links.values()].some((ofServer) => (ofServer.get(site)?.size ?? 0) > 0);

  private startWork(source: WatchedSource, byItselfMs: number, end: AbortSignal): void {
    const key = `${source.site}/${source.stream}`;
    const underWay = this.work.get(key);
    if (underWay !== undefined) return underWay.renew();
    let rest = new Rest(end);
    const nextRest = (): Rest => (rest = new Rest(end));
    const done = this.bringBack(source, byItselfMs, end, nextRest).finally(() => {
      this.work.delete(key);
      this.waiting.delete(key);
    });
    this.work.set(key, { done, renew: () => rest.cutShort() });
  }

  /** Starts the source anew until it is heard, as long as the link is there. A new link cuts the rest between attempts short. */
  private async bringBack(
    source: WatchedSource,
    byItselfMs: number,
    end: AbortSignal,
    nextRest: () => Rest,
  ): Promise<void> {
    const { site, stream } = source;
    const key = `${site}/${stream}`;
    const isOver = (): boolean => end.aborted || !this.isLinked(site);
    const started = Date.now();
    for (let pause = AGAIN_MS; !isOver();) {
      const rest = nextRest();
      try {
        const js = await source.js();
        if (await becomesHeard(js, stream, site, byItselfMs)) return await source.settle();
        if (isOver()) return;
        this.waiting.set(key, this.waiting.get(key) ?? started);
        const isRestarted = await source.restart();
        if (isRestarted) this.restarts++;
        if (await becomesHeard(js, stream, site, STARTED_MS)) {
          if (!isRestarted) return await source.settle();
          const seconds = ((Date.now() - started) / 1000).toFixed(1);
          this.say(
            `${key}: its source was waiting; it was restarted, and was heard ${seconds} s after the link came up`,
          );
          return await source.settle();
        }
        if (!isOver()) this.say(`${key}: its source is silent even after a restart; 'doctor' says why`);
      } catch (error) {
        this.say(`${key}: ${maskSeeds(messageOf(error))}`);
      }
      await rest.last(pause);
      pause = rest.isCutShort ? AGAIN_MS : Math.min(2 * pause, AGAIN_AT_MOST_MS);
    }
  }
}
