import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import type { TestFleet } from "../fleets/fleet";

/** Applications that publish at every site in batches. Each message has its site and its number as text. */

const EVERY_MS = 50;

/** The messages of one site: number 1 and on. Those without an acknowledgement are stored, or not. */
export class Published {
  last = 0;
  readonly unacknowledged = new Set<number>();

  get acknowledged(): number {
    return this.last - this.unacknowledged.size;
  }

  isAcknowledged = (number: number): boolean => number >= 1 && number <= this.last && !this.unacknowledged.has(number);

  /** The newest number with an acknowledgement; 0 without any. */
  get lastAcknowledged(): number {
    for (let number = this.last; number > 0; number--) if (this.isAcknowledged(number)) return number;
    return 0;
  }
}

export class Traffic {
  private readonly published: ReadonlyMap<string, Published>;

  /** @param perSecond messages at each site, at most: a batch waits until the one before is acknowledged. */
  constructor(
    private readonly fleet: TestFleet,
    private readonly perSecond: number,
  ) {
    this.published = new Map(fleet.settings.sites.map(({ name }) => [name, new Published()]));
  }

  get sites(): string[] {
    return [...this.published.keys()];
  }

  at(site: string): Published {
    const published = this.published.get(site);
    if (published === undefined) throw new Error(`nothing is published at ${site}`);
    return published;
  }

  get acknowledged(): number {
    return [...this.published.values()].reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  /** Publishes at all sites until the work is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const publishing = this.sites.map((site) => this.publish(site, over.signal));
    try {
      return await work();
    } finally {
      over.abort();
      await Promise.all(publishing);
    }
  }

  private async publish(site: string, over: AbortSignal): Promise<void> {
    const published = this.at(site);
    const client = await this.fleet.application(site);
    const batch = Math.max(1, Math.round((this.perSecond * EVERY_MS) / 1000));
    while (!over.aborted) {
      const next = sleep(EVERY_MS);
      await Promise.all(Array.from({ length: batch }, () => publishOne(client, site, published)));
      await next;
    }
    await client.close();
  }
}

async function publishOne(client: NatsConnection, site: string, published: Published): Promise<void> {
  const number = ++published.last;
  published.unacknowledged.add(number);
  const { duplicate } = await client
    .jetstream()
    .publish("events.n", `${site} ${number}`)
    .catch(() => ({ duplicate: true }));
  if (!duplicate) published.unacknowledged.delete(number);
}
