import type { NatsConnection } from "nats";
import { JetStream, type StreamInfo } from "../../../servers/nats/jetstream";
import { leafLinks, varz } from "../../../servers/nats/system";
import type { Stack } from "./cli";
import { until } from "../until";

/** Messages of applications on their way, and what can be seen of the hub while they travel. */

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Publishes so many messages at a site, `<site>-<first>` and on, each acknowledged by the site's stream. */
export async function publish(
  client: NatsConnection,
  site: string,
  { first = 0, count = 20, subject = "events.test" } = {},
): Promise<string[]> {
  const js = client.jetstream();
  const texts = Array.from({ length: count }, (_, i) => `${site}-${first + i}`);
  await Promise.all(texts.map((text) => js.publish(subject, text)));
  return texts;
}

/** Publishes one message after the other until it is stopped, or its connection is closed. */
export class Traffic {
  private readonly texts: string[] = [];
  /** The last message that it tried to publish. */
  attempt = "";
  private stopping = false;
  private hasFailed = false;

  private constructor(private readonly ended: Promise<void>) {}

  /** `run` tells one traffic of a site from the next. */
  static start(client: NatsConnection, site: string, { subject = "events.traffic", run = "traffic" } = {}): Traffic {
    const js = client.jetstream();
    const publishing = async (): Promise<void> => {
      for (let i = 0; !traffic.stopping; i++) {
        const text = `${site}-${run}-${i}`;
        traffic.attempt = text;
        await js.publish(subject, text);
        traffic.texts.push(text);
        await pause(10);
      }
    };
    const traffic: Traffic = new Traffic(pause(0).then(publishing));
    // A failure shows in `stop`; until then nobody waits for it.
    traffic.ended.catch(() => (traffic.hasFailed = true));
    return traffic;
  }

  get count(): number {
    return this.texts.length;
  }

  /** Resolves with what the site acknowledged before it went away. */
  async untilItFails(): Promise<string[]> {
    await until("it fails to publish", () => this.hasFailed);
    return this.texts;
  }

  /** Resolves with what the site acknowledged. */
  async stop(): Promise<string[]> {
    this.stopping = true;
    await this.ended;
    return this.texts;
  }

  /** Ends it, whatever became of it: in an `after`, or by `await using`. */
  [Symbol.asyncDispose] = (): Promise<void> => this.stop().then(nothing, nothing);
}

const nothing = (): void => undefined;

/** Ends each of them, for an `after`: a test that failed has not. */
export const endAll = async (traffic: Record<string, Traffic>): Promise<void> => {
  for (const publishing of Object.values(traffic)) await publishing[Symbol.asyncDispose]();
};

export interface Stored {
  readonly subject: string;
  readonly text: string;
}

/** The messages that a stream stores on subjects of this pattern, read as an application of the hub reads them. */
export async function stored(reader: NatsConnection, stream: string, pattern: string): Promise<Stored[]> {
  const subjects = await new JetStream(reader).subjects(stream, pattern);
  const count = Object.values(subjects).reduce((sum, number) => sum + number, 0);
  if (count === 0) return [];
  // Filtered: an unfiltered consumer would keep the smoke test off the real stream.
  const consumer = await reader.jetstream().consumers.get(stream, { filterSubjects: pattern });
  const found: Stored[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 30_000 })) {
    found.push({ subject: message.subject, text: message.string() });
    if (found.length === count) break;
  }
  await consumer.delete();
  return found;
}

/** What the hub collected from one site, as `<account>/EVENTS`. */
export const collectedFrom = async (stack: Stack, site: string): Promise<Stored[]> =>
  stored(await stack.client(site, "reader", { at: "hub" }), "EVENTS", "events.>");

/** Waits until the hub has everything of `texts`, then reads the whole stream: nothing may be doubled or foreign. */
export async function arrived(stack: Stack, site: string, texts: readonly string[]): Promise<string[]> {
  const hub = new JetStream(await stack.client(site, "operator", { at: "hub" }));
  const enough = async () => {
    const info = await hub.stream("EVENTS");
    return info !== undefined && info.state.messages >= texts.length;
  };
  await until(`the hub has ${texts.length} messages of ${site}`, enough, 120_000);
  return (await collectedFrom(stack, site)).map(({ text }) => text).sort();
}

/** Leaf links on the hub, by site; a link that dropped and came back has another id. */
export async function linkIds(stack: Stack): Promise<Record<string, number>> {
  const links = await leafLinks(await stack.client("hub", "system"));
  return Object.fromEntries(links.map(({ name, id }) => [name, id]));
}

/** What tells one start of the hub from the next. */
export async function hubStart(stack: Stack): Promise<{ server_id: string; start: string }> {
  const { server_id, start } = await varz(await stack.client("hub", "system"));
  return { server_id, start };
}

export const sourceOf = (info: StreamInfo | undefined, site: string) =>
  info?.sources?.find(({ external }) => external?.api === `$JS.${site}.API`);

/** A source that is well hears of its site each second at least; one unheard for 10 s is given up as stalled. */
export const MOST_SILENCE_MS = 5_000;

/** Looks at the hub's sources of some sites, again and again, for the longest silence of each. */
export class Watch {
  /** By site, in ms: the longest time since the source had heard of its site. -1: never heard, or no source. */
  readonly longestMs: Record<string, number> = {};
  looks = 0;
  private stopping = false;
  private ended = Promise.resolve();

  static async start(stack: Stack, sites: readonly string[]): Promise<Watch> {
    const watch = new Watch();
    const hubs = await Promise.all(sites.map((site) => stack.client(site, "operator", { at: "hub" })));
    const look = async (): Promise<void> => {
      while (!watch.stopping) {
        await Promise.all(
          sites.map(async (site, i) => watch.note(site, await new JetStream(hubs[i]!).stream("EVENTS"))),
        );
        watch.looks++;
        await pause(100);
      }
    };
    watch.ended = look();
    watch.ended.catch(() => undefined);
    return watch;
  }

  async stop(): Promise<this> {
    this.stopping = true;
    await this.ended;
    return this;
  }

  private note(site: string, info: StreamInfo | undefined): void {
    const active = sourceOf(info, site)?.active ?? -1;
    const before = this.longestMs[site] ?? 0;
    this.longestMs[site] = active < 0 || before < 0 ? -1 : Math.max(before, Math.round(active / 1e6));
  }
}
