import { headers } from "nats";
import { Mode } from "../catalogue/catalogue";
import { TestFleet } from "../fleets/fleet";
import { idsHeld } from "./held";
import { startServer, stopServer } from "../fleets/servers";
import { until } from "../until";
import { examined } from "../fleets/watched";

/** A fleet and every id that its sites acknowledged. */
export class Played {
  private readonly acknowledged = new Map<string, Set<string>>();
  private next = 1;

  constructor(
    readonly fleet: TestFleet,
    readonly mode: Mode,
  ) {}

  streamAt = (site: string): string => (this.mode === "merged" ? `EVENTS_${site.toUpperCase()}` : "EVENTS");

  /** Publishes so many messages at a site, as its application, one after the other in one burst; counts those acknowledged. */
  async publish(site: string, count: number, { bytes = 0, subject = "events.a", messageId = "", ttl = "" } = {}) {
    const client = await this.fleet.application(site);
    const ids = this.acknowledged.get(site) ?? new Set<string>();
    this.acknowledged.set(site, ids);
    for (let i = 0; i < count; i++) {
      const id = `${site}-${this.next++}`;
      const head = headers();
      head.set("Id", id);
      if (messageId !== "") head.set("Nats-Msg-Id", `${messageId}-${i}`);
      if (ttl !== "") head.set("Nats-TTL", ttl);
      const { duplicate } = await client.jetstream().publish(subject, new Uint8Array(bytes), { headers: head });
      if (!duplicate) ids.add(id);
    }
  }

  /** Waits until the hub has taken all that the site holds. */
  taken = (...sites: string[]): Promise<unknown> =>
    until(
      `the hub has taken everything of ${sites.join(", ")}`,
      async () => {
        for (const site of sites) {
          const held = await this.idsIn(await this.fleet.atSite(site), this.streamAt(site));
          const there = new Set(await this.idsIn(await this.fleet.atHub(site), "EVENTS"));
          if (held.some((id) => !there.has(id))) return false;
        }
        return true;
      },
      90_000,
    );

  /** Ids of all that a stream holds, in order. */
  idsIn = idsHeld;

  /** What became of a site's acknowledged messages, by their ids: `gone` from the hub, or waiting. */
  async truth(site: string): Promise<{ gone: number; doubled: number }> {
    const onHub = (await this.idsIn(await this.fleet.atHub(site), "EVENTS")).filter((id) => id.startsWith(`${site}-`));
    const ids = this.acknowledged.get(site) ?? new Set<string>();
    const there = new Set(onHub);
    return {
      gone: [...ids].filter((id) => !there.has(id)).length,
      doubled: onHub.length - there.size,
    };
  }

  look = () => examined(this.fleet);

  /** Does something while the hub is down, and waits for nothing afterwards. */
  async withoutHub(work: () => Promise<unknown>): Promise<void> {
    await stopServer(this.fleet.hub.folder);
    await work();
    await startServer(this.fleet.hub.folder);
  }

  async editAtSite(change: object, site = "oslo"): Promise<void> {
    const js = await this.fleet.atSite(site);
    const { config } = (await js.stream(this.streamAt(site)))!;
    await js.updateStream({ ...config, ...change });
  }

  async editOnHub(change: object): Promise<void> {
    const { config } = await this.fleet.collected("oslo");
    await (await this.fleet.atHub("oslo")).updateStream({ ...config, ...change });
  }
}
