import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { TestFleet, TestServer } from "./fleet";
import { metaLeader } from "../../../servers/nats/cluster";
import type { JetStream } from "../../../servers/nats/jetstream";
import { until } from "../until";

/** A hub of three while applications publish: who leads, who does not, and what became of every message. */

/** The server of the hub that leads the stream of the site. */
export async function leaderOf(fleet: TestFleet, site = "oslo"): Promise<TestServer> {
  const leader = (await fleet.collected(site)).cluster?.leader;
  return fleet.member(leader ?? "");
}

/** The server that leads JetStream. */
export const metaLeaderOf = async (fleet: TestFleet): Promise<TestServer> =>
  fleet.member((await metaLeader(await fleet.system())) ?? "");

/** A server that leads neither. */
export async function followerOf(fleet: TestFleet): Promise<TestServer> {
  const leaders = [(await leaderOf(fleet)).name, (await metaLeaderOf(fleet)).name];
  const follower = fleet.members.find(({ name }) => !leaders.includes(name));
  if (follower === undefined) throw new Error("every server of the hub leads something");
  return follower;
}

/** What an application published, and what the hub has of it. */
export interface Outcome {
  sent: number;
  lost: string[];
  doubled: string[];
  /** The longest time between two messages that the hub stored, in milliseconds. */
  pauseMs: number;
}

const EVERY_MS = 10;

/** Where an application publishes, and where the hub collects it: of a fleet, or of a stack. */
export interface Collecting {
  application(site: string): Promise<NatsConnection>;
  atHub(site: string): Promise<JetStream>;
}

/** Publishes at the site while `fault` happens and until it is over; resolves when the hub has all of it. */
export async function whilePublishing(
  fleet: Collecting,
  fault: () => Promise<unknown>,
  { site = "oslo", run = "" } = {},
): Promise<Outcome> {
  const client = await fleet.application(site);
  const subject = `events.${run === "" ? "run" : run}`;
  const sent: string[] = [];
  let isOver = false;
  const publishing = (async () => {
    for (let i = 0; !isOver; i++) {
      const text = `${run}-${i}`;
      await client.jetstream().publish(subject, text);
      sent.push(text);
      await sleep(EVERY_MS);
    }
  })();
  const taken = async (): Promise<number> => (await (await fleet.atHub(site)).stream("EVENTS"))?.sources?.[0]?.seq ?? 0;
  await until("the hub takes messages", async () => sent.length > 20 && (await taken()) > 0);
  await fault();
  const atFault = sent.length;
  await until("messages of after the fault are there", async () => sent.length > atFault + 50 && (await taken()) > 0);
  isOver = true;
  await publishing;
  const arrived = await until("the hub has every message", async () => {
    const stored = await storedIn(fleet, site, subject);
    return new Set(stored.map(({ text }) => text)).size >= sent.length && stored;
  });
  const counts = new Map<string, number>();
  for (const { text } of arrived) counts.set(text, (counts.get(text) ?? 0) + 1);
  return {
    sent: sent.length,
    lost: sent.filter((text) => !counts.has(text)),
    doubled: [...counts].flatMap(([text, count]) => (count > 1 ? [text] : [])),
    pauseMs: Math.max(...arrived.slice(1).map(({ at }, i) => at - (arrived[i]?.at ?? at))),
  };
}

/** Read one by one: a consumer may be on the very server that was killed. */
async function storedIn(fleet: Collecting, site: string, subject: string): Promise<{ text: string; at: number }[]> {
  const js = await fleet.atHub(site);
  const stored: { text: string; at: number }[] = [];
  for (let seq = 1; ;) {
    const message = await js.nextMessage("EVENTS", subject, seq);
    if (message === undefined) return stored;
    stored.push({ text: Buffer.from(message.payload).toString(), at: message.storedAt });
    seq = message.seq + 1;
  }
}
