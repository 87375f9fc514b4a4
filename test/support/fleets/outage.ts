import { setTimeout as sleep } from "node:timers/promises";
import { open } from "../../../servers/nats/connection";
import { until } from "../until";
import type { TestFleet } from "./fleet";

/** An application of oslo that publishes through an outage, and what the hub has of it. Messages are counted by their texts. */

/** Publishes numbered messages at oslo, one after the other, and knows which were acknowledged. */
export class Traffic {
  readonly acknowledged: string[] = [];
  private sent = 0;
  private readonly end = new AbortController();
  private readonly running: Promise<void>;

  constructor(private readonly fleet: TestFleet) {
    this.running = this.run();
  }

  /** The number of the last message that was acknowledged. */
  get last(): number {
    return Number(this.acknowledged.at(-1)?.slice(1) ?? 0);
  }

  private async run(): Promise<void> {
    const { url, seeds } = this.fleet.site("oslo");
    while (!this.end.signal.aborted) {
      try {
        const client = await open({ url, seed: seeds.application });
        while (!this.end.signal.aborted) {
          const text = `m${++this.sent}`;
          await client.jetstream().publish("events.a", text, { timeout: 2_000 });
          this.acknowledged.push(text);
          await sleep(PUBLISH_EVERY_MS);
        }
        await client.close();
      } catch {
        // The site is away; a message without an acknowledgement may be stored or not.
        await sleep(50);
      }
    }
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.running;
  }
}

const PUBLISH_EVERY_MS = 40;
/** Longer than the server itself ever waits after an outage. */
const LONGEST_MS = 150_000;

/** The number of the newest message that the hub holds; 0 where it cannot be asked. */
async function newestOnHub(fleet: TestFleet): Promise<number> {
  const message = await fleet
    .atHub("oslo")
    .then((js) => js.lastMessage("EVENTS", ">"))
    .catch(() => undefined);
  return message === undefined ? 0 : Number(Buffer.from(message.payload).toString().slice(1));
}

/** Milliseconds from the link to everything that was acknowledged until then; at most the longest time. */
export async function comesAll(fleet: TestFleet, traffic: Traffic): Promise<number> {
  await until("the link is back", async () => (await fleet.links("oslo").catch(() => [])).length > 0);
  const [started, last] = [performance.now(), traffic.last];
  while ((await newestOnHub(fleet)) < last && performance.now() - started < LONGEST_MS) await sleep(20);
  return performance.now() - started;
}

/** Ends the traffic, and compares everything that was acknowledged with what the hub holds. */
export async function settled(fleet: TestFleet, traffic: Traffic): Promise<{ lost: string[]; doubled: string[] }> {
  await traffic.stop();
  await until("the hub has the last one", async () => (await newestOnHub(fleet)) >= traffic.last);
  const counts = new Map<string, number>();
  for (const text of await textsOnHub(fleet)) counts.set(text, (counts.get(text) ?? 0) + 1);
  return {
    lost: traffic.acknowledged.filter((text) => !counts.has(text)),
    doubled: [...counts].flatMap(([text, count]) => (count > 1 ? [text] : [])),
  };
}

/** Read one by one: a consumer may be on the very server that was killed. */
export async function textsOnHub(fleet: TestFleet): Promise<string[]> {
  const js = await fleet.atHub("oslo");
  const texts: string[] = [];
  for (let seq = 1; ;) {
    const message = await js.nextMessage("EVENTS", ">", seq);
    if (message === undefined) return texts;
    texts.push(Buffer.from(message.payload).toString());
    seq = message.seq + 1;
  }
}
