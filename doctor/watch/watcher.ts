import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { accountOf } from "../../configs/names";
import { maskSeeds } from "../../configs/seeds";
import type { WatchStatus } from "../../views/outputs/watch-metrics";
import type { Say } from "../../machine/progress";
import { messageOf } from "../../machine/refusal";
import { becomesHeard } from "../../fleet/sourcing/source";
import { LinkEvent, WatchedHub, WatchedSource, hearLinks } from "./watched";

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

export class Watcher {
  /** The links of each site, by what tells one link from another; absent before the first look. */
  private readonly links = new Map<string, ReadonlySet<string>>();
  private readonly sites: readonly string[];
  private hubAnswers = true;
  private heardOn: NatsConnection | undefined;
  private readonly work = new Map<string, Promise<void>>();
  private readonly waiting = new Map<string, number>();
  private readonly times = { since: Date.now(), asked: 0, answered: 0 };
  private restarts = 0;
  private wake: () => void = () => undefined;

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
    while (!end.aborted) {
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      const answers = await this.look(end);
      const late = new AbortController();
      const signal = AbortSignal.any([end, late.signal]);
      const rest = sleep(answers ? LOOK_MS : NO_HUB_MS, undefined, { signal }).catch(() => undefined);
      await Promise.race([rest, woken]);
      late.abort();
    }
    await Promise.all(this.work.values());
  }

  private async look(end: AbortSignal): Promise<boolean> {
    if (this.sites.length === 0) return true;
    this.times.asked = Date.now();
    try {
      const connection = await this.hub.connection();
      if (connection !== this.heardOn) {
        hearLinks(connection, (event) => this.hear(event));
        await connection.flush();
        this.heardOn = connection;
      }
      const found = await this.hub.links(connection);
      this.times.answered = Date.now();
      if (!this.hubAnswers) this.say("the hub answers again");
      this.hubAnswers = true;
      await this.hub.putBack();
      for (const site of this.sites) {
        const own = found.filter(({ name, account }) => name === site && account === accountOf(site));
        this.compare(site, new Set(own.map(({ id, ip, port }) => `${id} ${ip ?? ""}:${port ?? ""}`)), end);
      }
      return true;
    } catch (error) {
      if (this.hubAnswers && !end.aborted) this.say(`the hub does not answer: ${maskSeeds(messageOf(error))}`);
      this.hubAnswers = false;
      return false;
    }
  }

  private hear({ client: { name = "", acc, host = "", user = "" }, reason }: LinkEvent): void {
    const site = this.sites.find((one) => accountOf(one) === acc) ?? (name === "" ? acc : name);
    const who = `from ${host}, key ${user}`;
    if (reason !== undefined) this.say(`${site}: the hub closed its link: ${reason} (${who})`);
    else this.say(`${site}: it linked (${who})`);
    this.wake();
  }

  private compare(site: string, now: ReadonlySet<string>, end: AbortSignal): void {
    const before = this.links.get(site);
    this.links.set(site, now);
    const isNew = [...now].some((link) => before?.has(link) !== true);
    if (before === undefined && now.size === 0) this.say(`${site}: its link is not there`);
    if (before !== undefined && before.size > 0 && now.size === 0) this.say(`${site}: its link is gone`);
    if (!isNew) return;
    if (before !== undefined) this.say(`${site}: its link is there`);
    for (const source of this.hub.sources.filter((one) => one.site === site)) {
      const key = `${site}/${source.stream}`;
      if (this.work.has(key)) continue;
      const byItselfMs = before === undefined ? IDLE_MS : BY_ITSELF_MS;
      const work = this.bringBack(source, byItselfMs, end).finally(() => {
        this.work.delete(key);
        this.waiting.delete(key);
      });
      this.work.set(key, work);
    }
  }

  private isLinked = (site: string): boolean => (this.links.get(site)?.size ?? 0) > 0;

  /** Starts the source anew until it is heard, as long as the link is there. */
  private async bringBack(source: WatchedSource, byItselfMs: number, end: AbortSignal): Promise<void> {
    const { site, stream } = source;
    const key = `${site}/${stream}`;
    const isOver = (): boolean => end.aborted || !this.isLinked(site);
    const started = Date.now();
    for (let pause = AGAIN_MS; !isOver(); pause = Math.min(2 * pause, AGAIN_AT_MOST_MS)) {
      try {
        const js = await source.js();
        if (await becomesHeard(js, stream, site, byItselfMs)) return await source.settle();
        if (isOver()) return;
        this.waiting.set(key, this.waiting.get(key) ?? started);
        await source.restart();
        this.restarts++;
        if (await becomesHeard(js, stream, site, STARTED_MS)) {
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
      await sleep(pause, undefined, { signal: end }).catch(() => undefined);
    }
  }
}
