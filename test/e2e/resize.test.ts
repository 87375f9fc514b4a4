import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { AckPolicy } from "nats";
import type { RawSettings } from "../../configs/settings";
import { JetStream } from "../../servers/nats/jetstream";
import { filesBelow } from "../support/stacks/scratch-project";
import { Stack } from "../support/stacks/cli";
import { killWhen, succeeded } from "../support/stacks/commands";
import { Traffic, endAll, publish, stored } from "../support/stacks/traffic";
import { Containers, type Ground, Processes } from "../support/stacks/grounds";
import { until } from "../support/until";

// A hub gets another number of servers while applications publish. Every message is counted by its text.

const SITES = ["oslo", "bergen"];

/** Of containers with RESIZE_GROUND=containers: the same steps, which differ in nothing but where the servers are. */
const start = (): Promise<Ground> =>
  process.env.RESIZE_GROUND === "containers" ? Containers.start() : Promise.resolve(new Processes());

describe("another number of servers of the hub", () => {
  let ground: Ground;
  let stack: Stack;
  const settings = (servers: number): RawSettings => ({
    ...ground.settings,
    hub: { servers, maxFile: "2GiB" },
    sites: SITES.map((name) => ({ name })),
    streams: [
      { name: "EVENTS", subjects: ["events.>"], maxBytes: "64MiB", collect: { maxBytes: "128MiB" } },
      { name: "LOGS", subjects: ["logs.>"], maxBytes: "64MiB", collect: { mode: "merged", maxBytes: "128MiB" } },
    ],
  });
  const traffic: Record<string, Traffic> = {};
  /** All that each site acknowledged, by stream and site. */
  const published: Record<string, string[]> = {};

  const collected = async (name: string): Promise<string[]> => {
    const [kind = "", site = ""] = name.split(" ");
    const isMerged = kind === "logs";
    const reader = isMerged ? await stack.client("hub", "reader") : await stack.client(site, "reader", { at: "hub" });
    const all = await stored(reader, isMerged ? "LOGS" : "EVENTS", isMerged ? `${site}.logs.>` : "events.>");
    return all.map(({ text }) => text);
  };
  const names = SITES.flatMap((site) => [`events ${site}`, `logs ${site}`]);

  const starts = async (): Promise<void> => {
    for (const site of SITES)
      for (const kind of ["events", "logs"])
        traffic[`${kind} ${site}`] = Traffic.start(await stack.applicationOf(site), site, {
          subject: `${kind}.traffic`,
          run: `${kind}-${Object.keys(published).length}-${published[`${kind} ${site}`]?.length ?? 0}`,
        });
  };

  /** Ends the traffic, and finds each message on the hub exactly once. */
  const assertAllOnce = async (): Promise<void> => {
    for (const name of names) (published[name] ??= []).push(...(await traffic[name]!.stop()));
    for (const name of names) {
      const last = published[name]!.at(-1)!;
      // A consumer that was just made on three servers has no leader for a moment, and a reading of it fails.
      const all = async () => {
        const found = await collected(name);
        return found.includes(last) && found;
      };
      const texts = await until(`the hub has all of ${name}`, all, 60_000);
      const there = new Set(texts);
      assert.equal(there.size, texts.length, `${name}: doubled`);
      assert.deepEqual(
        published[name]!.filter((text) => !there.has(text)),
        [],
        `${name}: lost`,
      );
    }
  };

  before(async () => {
    ground = await start();
    stack = await Stack.create("resize", settings(1), ground.options);
    succeeded(await stack.make("up"));
    for (const site of SITES)
      for (const kind of ["events", "logs"])
        published[`${kind} ${site}`] = await publish(await stack.applicationOf(site), `${kind}-${site}`, {
          count: 200,
          subject: `${kind}.test`,
        });
    await until("the hub has what was published", async () => (await collected("events oslo")).length >= 200, 60_000);
    // From here on the hub alone holds them.
    const site = new JetStream(await stack.client("oslo", "operator"));
    const hub = new JetStream(await stack.client("oslo", "operator", { at: "hub" }));
    const { state } = (await site.stream("EVENTS"))!;
    await until("the hub's source says so", async () =>
      ((await hub.stream("EVENTS"))?.sources ?? []).some(({ seq = 0 }) => seq >= state.last_seq),
    );
    await site.purge("EVENTS", "events.>", state.last_seq);
  });
  after(async () => {
    await endAll(traffic);
    await stack.remove();
    await ground.stop();
  });

  const upKilledWhen = (what: string, look: () => boolean | Promise<boolean>): Promise<void> =>
    killWhen(stack.startMake("up"), what, look, 60_000);

  const operator = async () => new JetStream(await stack.client("oslo", "operator", { at: "hub" }));
  const isWell = async (): Promise<void> => {
    await assertAllOnce();
    const doctor = await stack.make("doctor");
    assert.equal(doctor.code, 0, doctor.output);
    await stack.isClean();
  };
  const backups = (): string[] => {
    const folder = path.join(stack.fleet, "resize");
    return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  };
  const completed = (): boolean =>
    backups().some((one) => fs.existsSync(path.join(stack.fleet, "resize", one, "manifest.json")));

  it("refuses while the hub holds a stream of others, and collects on", async () => {
    const hub = await stack.client("oslo", "operator", { at: "hub" });
    await (await hub.jetstreamManager()).streams.add({ name: "OTHER", subjects: ["other.>"], max_bytes: 1024 * 1024 });
    await starts();
    stack.configure(settings(3));
    const ran = await stack.make("up");
    assert.notEqual(ran.code, 0);
    assert.match(ran.output, /the hub also holds OSLO\/OTHER, .*REMAKE=hub/);
    assert.match(ran.output, /keeps its one server, and collects as before/);
    assert.deepEqual(backups(), []);
    await (await hub.jetstreamManager()).streams.delete("OTHER");
    stack.configure(settings(1));
    await isWell();
  });

  it("goes on as one server when it is killed while it saves, and three are wanted no longer", async () => {
    await starts();
    stack.configure(settings(3));
    await upKilledWhen(
      "a source is taken off",
      async () => ((await (await operator()).stream("EVENTS"))?.config.sources ?? []).length === 0,
    );
    stack.configure(settings(1));
    succeeded(await stack.make("up"));
    await isWell();
  });

  it("grows from one to three, killed three times on the way, and loses and doubles nothing", async () => {
    const before = await readOn();
    await starts();
    stack.configure(settings(3));
    await upKilledWhen("the backup is complete", completed);
    await upKilledWhen("a new server is under way", async () =>
      ground instanceof Containers
        ? (await ground.traces(stack, "hub-3")).length > 0
        : fs.existsSync(path.join(stack.fleet, "hub", "hub-3", "nats-server.conf")),
    );
    assert.match(
      (await stack.make("doctor")).output,
      /a change from 1 to 3 servers was interrupted: .*'make up' finishes it/,
    );
    const refused = await (stack.configure(settings(1)), stack.make("up"));
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /a change from 1 to 3 was interrupted, .*set hub\.servers to 3 again/);
    stack.configure(settings(3));
    const isRestored = () => filesBelow(stack.fleet).some((file) => file.endsWith("restored.json"));
    await upKilledWhen("a stream is restored", isRestored);
    const { output } = succeeded(await stack.make("up"));
    assert.doesNotMatch(output, /lost its stream|is not proven|duplicate_window/);
    await stack.outputs({ again: true });
    await isWell();
    assert.equal((await (await operator()).stream("EVENTS"))!.config.num_replicas, 3);
    await readsOn(before);
  });

  it("goes back to one, and loses and doubles nothing", async () => {
    const before = await readOn();
    await starts();
    stack.configure(settings(1));
    const { output } = succeeded(await stack.make("up"));
    assert.match(output, /from 3 to 1 servers/);
    assert.doesNotMatch(output, /lost its stream|is not proven|duplicate_window/);
    await stack.outputs({ again: true });
    await isWell();
    await readsOn(before);
  });

  const READER = { durable_name: "reader", ack_policy: AckPolicy.Explicit, filter_subject: "events.>" };

  /** Reads some messages with a named consumer, and acknowledges them. */
  async function read(count: number): Promise<string[]> {
    const hub = await stack.client("oslo", "operator", { at: "hub" });
    const { consumers } = await hub.jetstreamManager();
    const known = () => consumers.info("EVENTS", READER.durable_name).catch(() => consumers.add("EVENTS", READER));
    await until("the reader's consumer has a leader", async () => (await known()).cluster?.leader !== "");
    const consumer = await hub.jetstream().consumers.get("EVENTS", "reader");
    const texts: string[] = [];
    for await (const message of await consumer.fetch({ max_messages: count, expires: 10_000 })) {
      texts.push(message.string());
      await message.ackAck();
      if (texts.length === count) break;
    }
    return texts;
  }
  const readSoFar: string[] = [];
  async function readOn(): Promise<number> {
    readSoFar.push(...(await read(30)));
    return readSoFar.length;
  }
  /** It goes on where it was. */
  async function readsOn(before: number): Promise<void> {
    readSoFar.push(...(await read(30)));
    assert.equal(readSoFar.length, before + 30);
    assert.equal(new Set(readSoFar).size, readSoFar.length, "read twice");
    assert.deepEqual(readSoFar, (await collected("events oslo")).slice(0, readSoFar.length));
  }
});
