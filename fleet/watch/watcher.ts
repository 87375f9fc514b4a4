import { setTimeout as sleep } from "node:timers/promises";
import { accountOf } from "../../configs/names";
import type { StreamSettings } from "../../configs/settings";
import { maskSeeds } from "../../configs/seeds";
import type { Say } from "../../machine/progress";
import { messageOf } from "../../machine/refusal";
import { shared } from "../../servers/nats/connection";
import { leafLinks } from "../../servers/nats/system";
import type { Observed } from "../observation/observed";
import { atHub, systemAccess } from "../sourcing/collected";
import { becomesHeard, rearm } from "../sourcing/source";

/**
 * Watches the links of a running fleet, and starts a waiting source anew the moment its link is back. nats-server leaves a
 * source that asked in vain waiting for 30 s and more (stream.go: 30 s for an answer, then 10 s for each failure); taken off
 * and put back it asks at once, goes on where it was, and nothing is lost or doubled.
 */

/** How often the hub is asked for its links. */
const LOOK_MS = 150;
/** How long a source may take by itself once its link is there; most that can, do within a few hundredths of a second. */
const BY_ITSELF_MS = 400;
/** One whose link was there before it was watched is heard each second, and has no reason to be heard at once. */
const IDLE_MS = 2_000;
/** How long a source that was started anew may take. */
const STARTED_MS = 1_500;
/** Between two attempts at one stream: doubled each time, up to a minute. */
const AGAIN_MS = 1_000;
const AGAIN_AT_MOST_MS = 60_000;
/** Before the hub is asked again that did not answer. */
const NO_HUB_MS = 250;

/** A site that is watched. */
export type Watched = Pick<Observed, "access" | "system" | "streams"> & { stack: string };

export class Watcher {
  /** The links of each site, by what tells one link from another; absent before the first look. */
  private links = new Map<string, ReadonlySet<string>>();
  private hubAnswers = true;
  private readonly work = new Map<string, Promise<void>>();

  /** @param sites of one hub. */
  constructor(
    private readonly sites: readonly Watched[],
    private readonly say: Say,
  ) {}

  /** Watches until it is told to end. Whatever fails meanwhile is said, and tried again. */
  async run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const answers = await this.look(end);
      await sleep(answers ? LOOK_MS : NO_HUB_MS, undefined, { signal: end }).catch(() => undefined);
    }
    await Promise.all(this.work.values());
  }

  private async look(end: AbortSignal): Promise<boolean> {
    const [first] = this.sites;
    if (first === undefined) return true;
    try {
      const found = await leafLinks(await shared(systemAccess(first.access, first.system).hub));
      if (!this.hubAnswers) this.say("the hub answers again");
      this.hubAnswers = true;
      for (const site of this.sites) {
        const own = found.filter(
          ({ name, account }) => name === site.access.site && account === accountOf(site.access.site),
        );
        this.compare(site, new Set(own.map(({ id, ip, port }) => `${id} ${ip ?? ""}:${port ?? ""}`)), end);
      }
      return true;
    } catch (error) {
      if (this.hubAnswers && !end.aborted) this.say(`the hub does not answer: ${maskSeeds(messageOf(error))}`);
      this.hubAnswers = false;
      return false;
    }
  }

  private compare(watched: Watched, now: ReadonlySet<string>, end: AbortSignal): void {
    const { site } = watched.access;
    const before = this.links.get(site);
    this.links.set(site, now);
    const isNew = [...now].some((link) => before?.has(link) !== true);
    if (before === undefined && now.size === 0) this.say(`${site}: its link is not there`);
    if (before !== undefined && before.size > 0 && now.size === 0) this.say(`${site}: its link is gone`);
    if (!isNew) return;
    if (before !== undefined) this.say(`${site}: its link is there`);
    for (const stream of watched.streams) {
      const key = `${site}/${stream.name}`;
      if (this.work.has(key)) continue;
      const byItselfMs = before === undefined ? IDLE_MS : BY_ITSELF_MS;
      const work = this.bringBack(watched, stream, byItselfMs, end).finally(() => this.work.delete(key));
      this.work.set(key, work);
    }
  }

  /** Starts the source anew until it is heard, as long as the link is there. */
  private async bringBack(
    watched: Watched,
    stream: StreamSettings,
    byItselfMs: number,
    end: AbortSignal,
  ): Promise<void> {
    const { access, stack } = watched;
    const { site } = access;
    const isLinked = (): boolean => (this.links.get(site)?.size ?? 0) > 0;
    const started = Date.now();
    for (let pause = AGAIN_MS; isLinked() && !end.aborted; pause = Math.min(2 * pause, AGAIN_AT_MOST_MS)) {
      try {
        const js = await atHub(access, stream);
        if ((await becomesHeard(js, stream.name, site, byItselfMs)) || !isLinked()) return;
        await rearm(access, stream, stack);
        if (await becomesHeard(js, stream.name, site, STARTED_MS)) {
          const seconds = ((Date.now() - started) / 1000).toFixed(1);
          this.say(
            `${site}/${stream.name}: its source was waiting; it was restarted, and was heard ${seconds} s after the link came up`,
          );
          return;
        }
        if (isLinked())
          this.say(`${site}/${stream.name}: its source is silent even after a restart; 'doctor' says why`);
      } catch (error) {
        this.say(`${site}/${stream.name}: ${maskSeeds(messageOf(error))}`);
      }
      await sleep(pause, undefined, { signal: end }).catch(() => undefined);
    }
  }
}
