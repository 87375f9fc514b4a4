import { setTimeout as sleep } from "node:timers/promises";
import { NatsConnection, headers } from "nats";
import { readBook } from "../../../fleet/book/record";
import { rearm } from "../../../fleet/sourcing/source";
import { Mode } from "../catalogue/catalogue";
import { STACK, TestFleet } from "../fleets/fleet";
import { PROBE, idsHeld } from "../book/held";
import { startServer, stopServer } from "../fleets/servers";
import { until } from "../until";
import { examined } from "../fleets/watched";
import { Random } from "./random";

/** A fleet, and by its id each message that its sites acknowledged: what the account book is compared with. */

export const SITES = ["oslo", "bergen", "tromso"] as const;

export const sitesWith = (...more: string[]): { name: string; quota: string }[] =>
  [...SITES, ...more].map((name) => ({ name, quota: "128MiB" }));

/** How long the hub may take until it has what a site holds; a source waits up to two minutes between attempts. */
const SETTLED_MS = 150_000;

/** How often each id is on the hub. */
export type Copies = ReadonlyMap<string, number>;

export class World {
  private readonly acknowledged = new Map<string, Set<string>>(SITES.map((site) => [site, new Set()]));
  private readonly clients = new Map<string, NatsConnection>();
  private next = 1;

  constructor(
    readonly fleet: TestFleet,
    readonly mode: Mode,
    readonly random: Random,
  ) {}

  streamAt = (site: string): string => (this.mode === "merged" ? `EVENTS_${site.toUpperCase()}` : "EVENTS");

  /** What the site acknowledged ever. */
  idsOf = (site: string): ReadonlySet<string> => this.acknowledged.get(site) ?? new Set();

  /** The id of a message of a site that comes and goes. */
  guestId = (): string => `narvik-${this.next++}`;

  get count(): number {
    return SITES.reduce((sum, site) => sum + this.idsOf(site).size, 0);
  }

  private async client(site: string): Promise<NatsConnection> {
    const open = this.clients.get(site);
    if (open !== undefined && !open.isClosed()) return open;
    const client = await this.fleet.application(site);
    this.clients.set(site, client);
    return client;
  }

  /** Publishes at a site, as its application. Resolves with the last id. */
  async publish(site: string, count: number, { bytes = 100, messageId = "" } = {}): Promise<string> {
    let id = "";
    for (let i = 0; i < count; i++) {
      id = `${site}-${this.next++}`;
      const head = headers();
      head.set("Id", id);
      if (messageId !== "") head.set("Nats-Msg-Id", `${messageId}-${i}`);
      const client = await this.client(site);
      const subject = `events.${this.random.pick(["a", "b", "c"])}`;
      const { duplicate } = await client.jetstream().publish(subject, new Uint8Array(bytes), { headers: head });
      if (!duplicate) this.acknowledged.get(site)?.add(id);
    }
    return id;
  }

  /** How often each id is on the hub, of all sites; probes that are there too, by their stream and sequence. */
  async copies(): Promise<Map<string, number>> {
    const copies = new Map<string, number>();
    for (const site of this.mode === "merged" ? [SITES[0]] : SITES)
      for (const id of await idsHeld(await this.fleet.atHub(site), "EVENTS", { probes: true })) {
        const key = id.startsWith(PROBE) ? `${id}-${site}` : id;
        copies.set(key, (copies.get(key) ?? 0) + 1);
      }
    return copies;
  }

  /**
   * Waits until the hub has taken, or passed, all that the sites hold: a message of each that was published last is there.
   * A hub that is ahead of a site's stream silently passes as many of its next messages; these count like any other.
   */
  async settle(): Promise<void> {
    await Promise.all(SITES.map((site) => this.settleSite(site)));
  }

  private async settleSite(site: string): Promise<void> {
    await until(`${site} is linked`, async () => (await this.fleet.links(site)).length === 1, 60_000);
    const stream = this.fleet.stream("EVENTS");
    const js = await this.fleet.atHub(site);
    let started = Date.now();
    for (const deadline = started + SETTLED_MS; ;) {
      if (Date.now() > deadline) throw new Error(`the hub takes nothing of ${site}`);
      const id = await this.publish(site, 1);
      const isThere = async () => (await js.lastMessage("EVENTS", this.filterOf(site)))?.headers.Id === id;
      for (let i = 0; i < 20; i++) {
        if (await isThere()) return;
        await sleep(50);
      }
      // As `up` does where a source is silent; else the server may let a minute pass.
      if (Date.now() - started > 3_000) {
        await rearm(this.fleet.accessAt(site), stream, STACK);
        started = Date.now();
      }
    }
  }

  private filterOf = (site: string): string => (this.mode === "merged" ? `${site}.events.>` : "events.>");

  /** Looks at all sites, and again while the book of one could not be read anew: a machine without time is no finding. */
  async look(reachable = true): Promise<void> {
    const started = new Date().toISOString();
    const stream = this.fleet.stream("EVENTS");
    const isBooked = (site: string) => {
      const record = readBook(this.fleet.root, stream, site)?.sites[site];
      return record !== undefined && record.at >= started;
    };
    for (let looks = 0; looks < 5; looks++) {
      await examined(this.fleet);
      if (!reachable || SITES.every(isBooked)) return;
    }
    throw new Error("no look reads all books");
  }

  async withoutHub(work: () => Promise<unknown>): Promise<void> {
    await stopServer(this.fleet.hub.folder);
    await work();
    await startServer(this.fleet.hub.folder);
  }

  async editAtSite(site: string, change: object): Promise<void> {
    const js = await this.fleet.atSite(site);
    const info = await js.stream(this.streamAt(site));
    if (info !== undefined) await js.updateStream({ ...info.config, ...change });
  }

  async editOnHub(site: string, change: object): Promise<void> {
    const { config } = await this.fleet.collected(site);
    await (await this.fleet.atHub(site)).updateStream({ ...config, ...change });
  }
}
