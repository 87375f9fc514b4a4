import type { NatsConnection } from "nats";
import type { Mode } from "../catalogue/catalogue";
import type { TestFleet } from "../fleets/fleet";
import { until } from "../until";
import { open } from "../../../servers/nats/connection";
import type { Traffic } from "./traffic";

/** What the hub has of the messages that sites acknowledged, read and counted by their numbers. */

const STREAM = "EVENTS";
const AT_A_TIME = 20_000;
/** A source waits up to two minutes between its attempts. */
const ARRIVED_MS = 150_000;

const filterOf = (mode: Mode, site: string): string => (mode === "merged" ? `${site}.events.>` : "events.>");

/** The sites of the fleet, one for each stream on the hub. */
const owners = (mode: Mode, traffic: Traffic): string[] =>
  mode === "merged" ? traffic.sites.slice(0, 1) : traffic.sites;

interface Stored {
  site: string;
  number: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** Reads a stream from a sequence on. */
async function* storedFrom(fleet: TestFleet, mode: Mode, owner: string, from: number): AsyncGenerator<Stored> {
  const { state } = await fleet.collected(owner);
  const seed = mode === "merged" ? fleet.hub.seeds.reader : fleet.site(owner).seeds.reader;
  const client = await open({ url: fleet.hub.url, seed });
  try {
    for (let next = Math.max(from, state.first_seq); next <= state.last_seq;) {
      const some = await until(`the hub's stream of ${owner} is read from ${next} on`, () => readSome(client, next));
      for (const one of some) yield one;
      next = (some.at(-1)?.seq ?? state.last_seq) + 1;
    }
  } finally {
    await client.close();
  }
}

/** A consumer may be new on another server than the one that is asked: then this fails, and is tried again. */
async function readSome(client: NatsConnection, from: number): Promise<(Stored & { seq: number })[]> {
  const consumer = await client.jetstream().consumers.get(STREAM, { opt_start_seq: from });
  const count = Math.min(AT_A_TIME, (await consumer.info()).num_pending);
  const some: (Stored & { seq: number })[] = [];
  if (count === 0) return some;
  for await (const message of await consumer.fetch({ max_messages: count, expires: 10_000 })) {
    const [site = "", number = ""] = message.string().split(" ");
    some.push({ site, number: Number(number), at: message.info.timestampNanos / 1e6, seq: message.seq });
  }
  if (some.length === 0) throw new Error("nothing came");
  return some;
}

/** How often each message is on the hub. */
export interface Counted {
  lost: string[];
  doubled: string[];
  /** The longest time between two messages of a site that the hub stored, in milliseconds. */
  pauseMs: number;
}

export class Count {
  /** By site: the number of copies at the index of the message's number. */
  private readonly copies = new Map<string, number[]>();
  /** By the site whose stream it is: the last sequence that was read. */
  private readonly read = new Map<string, number>();
  /** Those that an earlier count found lost. */
  private readonly known = new Set<string>();

  constructor(
    private readonly fleet: TestFleet,
    private readonly mode: Mode,
    private readonly traffic: Traffic,
  ) {}

  /** Waits until the newest message that each site acknowledged is on the hub: everything before is there, or lost. */
  async arrived(): Promise<void> {
    const { fleet, mode, traffic } = this;
    const arrives = traffic.sites.map((site) => {
      const last = traffic.at(site).lastAcknowledged;
      const look = async () => {
        const newest = await (await fleet.atHub(site)).lastMessage(STREAM, filterOf(mode, site));
        return (
          Number(
            Buffer.from(newest?.payload ?? "")
              .toString()
              .split(" ")[1] ?? 0,
          ) >= last
        );
      };
      return until(`the hub has message ${last} of ${site}`, look, ARRIVED_MS);
    });
    await Promise.all(arrives);
  }

  /** Counts what the hub stored since the last count. A message without an acknowledgement is neither lost nor doubled. */
  async further(): Promise<Counted> {
    let pauseMs = 0;
    const doubled: string[] = [];
    const before = new Map<string, number>();
    for (const owner of owners(this.mode, this.traffic)) {
      const { state } = await this.fleet.collected(owner);
      const from = (this.read.get(owner) ?? 0) + 1;
      for await (const { site, number, at } of storedFrom(this.fleet, this.mode, owner, from)) {
        pauseMs = Math.max(pauseMs, at - (before.get(site) ?? at));
        before.set(site, at);
        const isCounted = this.traffic.at(site).isAcknowledged(number);
        if (this.add(site, number) > 1 && isCounted) doubled.push(`${site} ${number}`);
      }
      this.read.set(owner, state.last_seq);
    }
    const lost = this.lost().filter((message) => !this.known.has(message));
    for (const message of lost) this.known.add(message);
    return { lost, doubled, pauseMs };
  }

  /** Counts everything once more, from the first message on. */
  async whole(): Promise<Omit<Counted, "pauseMs">> {
    this.copies.clear();
    this.read.clear();
    this.known.clear();
    return this.further();
  }

  private add(site: string, number: number): number {
    const ofSite = this.copies.get(site) ?? [];
    this.copies.set(site, ofSite);
    return (ofSite[number] = (ofSite[number] ?? 0) + 1);
  }

  /** What was acknowledged, and is not on the hub. */
  private lost(): string[] {
    return this.traffic.sites.flatMap((site) => {
      const published = this.traffic.at(site);
      const lost: string[] = [];
      for (let number = 1; number <= published.last; number++)
        if (published.isAcknowledged(number) && this.copies.get(site)?.[number] === undefined)
          lost.push(`${site} ${number}`);
      return lost;
    });
  }
}
