import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { type Access, isAuthorizationError, open } from "../../../servers/nats/connection";
import { JetStream } from "../../../servers/nats/jetstream";
import { until } from "../until";

/**
 * Messages of applications while a fleet changes. Each message has a subject of its own, `events.oslo.17`: the counts of
 * the subjects on the hub tell what is missing and what is there twice.
 */

/** The first words of the subjects. A word that no stream takes is refused at once. */
export const WORDS = ["events", "alarms", "more"] as const;

/** An application of one site: publishes one message after the other on each word, whatever becomes of its server. */
export class Publisher {
  /** What the site acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Of these the site may have stored some without saying so. */
  readonly attempted = new Set<string>();
  private connection: NatsConnection | undefined;
  private isStopping = false;
  private readonly ended: Promise<unknown>;

  /** `next`: the number of its first message; `pauseMs`: between a message of a word and the next. */
  constructor(
    readonly site: string,
    private readonly access: Access,
    private readonly pauseMs: number,
    private next = 1,
  ) {
    this.ended = Promise.all(WORDS.map((word) => this.publishAll(word)));
  }

  /** The number of its last message. */
  get last(): number {
    return this.next - 1;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.ended;
    await this.connection?.close();
  }

  private async publishAll(word: string): Promise<void> {
    while (!this.isStopping) {
      const subject = `${word}.${this.site}.${this.next++}`;
      this.attempted.add(subject);
      try {
        const connection = await this.connected();
        await connection.jetstream({ timeout: 3_000 }).publish(subject, "x".repeat(200));
        this.acknowledged.add(subject);
      } catch {
        // The server restarts, or no stream takes the subject now.
      }
      await sleep(this.pauseMs);
    }
  }

  private async connected(): Promise<NatsConnection> {
    if (this.connection === undefined || this.connection.isClosed()) {
      const connection = await open(this.access);
      if (this.connection !== undefined && !this.connection.isClosed()) await connection.close();
      else this.connection = connection;
    }
    return this.connection;
  }
}

/** A site as its applications reach it, and its operator the hub. */
export interface SiteLogin {
  name: string;
  url: string;
  application: string;
  operator: string;
}

/** The applications of all sites, and the count of what they published. */
export class Applications {
  private readonly publishing = new Map<string, Publisher>();
  private readonly ended: Publisher[] = [];
  /** The accounts of the hub that collect, of sites that left too: the seed of each one's operator. */
  private readonly collectors = new Map<string, string>();
  private hubUrl = "";

  /** `pauseMs`: between the messages that one site publishes on one word. */
  constructor(private readonly pauseMs = 100) {}

  /** Publishes at these sites. */
  follow(sites: readonly SiteLogin[], hub: { url: string; operator: string }): void {
    this.hubUrl = hub.url;
    this.collectors.set(HUB, hub.operator);
    for (const { name, url, application, operator } of sites) {
      this.collectors.set(name, operator);
      if (this.publishing.has(name)) continue;
      const earlier = this.ended.filter(({ site }) => site === name).map(({ last }) => last);
      const next = Math.max(0, ...earlier) + 1;
      this.publishing.set(name, new Publisher(name, { url, seed: application }, this.pauseMs, next));
    }
  }

  /** Publishes no more at other sites than these. */
  async leave(stay: readonly string[]): Promise<void> {
    const leaving = [...this.publishing.values()].filter(({ site }) => !stay.includes(site));
    for (const publisher of leaving) {
      this.publishing.delete(publisher.site);
      this.ended.push(publisher);
    }
    await Promise.all(leaving.map((publisher) => publisher.stop()));
  }

  stop = (): Promise<void> => this.leave([]);

  /** Waits until the hub has all that was acknowledged. Errors: what is missing, doubled or unknown after so many ms. */
  async assertComplete(timeoutMs = 20_000): Promise<void> {
    const publishers = [...this.ended, ...this.publishing.values()];
    let last: string[] = [];
    const complete = async (): Promise<boolean> => {
      // What is acknowledged after this look need not be there.
      const acknowledged = new Set(publishers.flatMap((one) => [...one.acknowledged]));
      const held = await this.held();
      const attempted = new Set(publishers.flatMap((one) => [...one.attempted]));
      last = differences(acknowledged, attempted, held);
      return last.length === 0;
    };
    await until("every message is on the hub, once", complete, timeoutMs).catch((error: unknown) => {
      throw last.length === 0 ? error : new Error(`of the messages of applications: ${last.join("; ")}`);
    });
  }

  get count(): number {
    return [...this.ended, ...this.publishing.values()].reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  }

  /** How often each message is on the hub. */
  private async held(): Promise<Map<string, number>> {
    const held = new Map<string, number>();
    for (const [owner, seed] of this.collectors) {
      // The account of a site that left goes with it, unless it holds something.
      const connection = await open({ url: this.hubUrl, seed }).catch((error: unknown) => {
        if (isAuthorizationError(error)) return undefined;
        throw error;
      });
      if (connection === undefined) continue;
      try {
        const js = new JetStream(connection);
        for (const stream of STREAMS) {
          if ((await js.stream(stream)) === undefined) continue;
          for (const [subject, count] of Object.entries(await js.subjects(stream, ">"))) {
            // In the account HUB the site's name stands before it.
            const id = owner === HUB ? subject.slice(subject.indexOf(".") + 1) : subject;
            if (WORDS.some((word) => id.startsWith(`${word}.`))) held.set(id, (held.get(id) ?? 0) + count);
          }
        }
      } finally {
        await connection.close();
      }
    }
    return held;
  }
}

const HUB = "HUB";
const STREAMS = ["EVENTS", "ALARMS"];

function differences(
  acknowledged: ReadonlySet<string>,
  attempted: ReadonlySet<string>,
  held: ReadonlyMap<string, number>,
): string[] {
  const said = (what: string, ids: string[]) =>
    ids.length === 0 ? [] : [`${ids.length} ${what} (${ids.slice(0, 8).join(", ")})`];
  const all = [...held];
  return [
    ...said(
      "missing",
      [...acknowledged].filter((id) => !held.has(id)),
    ),
    ...said(
      "doubled",
      all.filter(([, count]) => count > 1).map(([id]) => id),
    ),
    ...said(
      "that nobody published",
      all.filter(([id]) => !attempted.has(id)).map(([id]) => id),
    ),
  ];
}
