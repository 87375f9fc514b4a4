import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RawSettings } from "../../../configs/settings";
import { Row } from "./catalogue";
import { editHubStream, linked, misconfigure, oslo, remoteOf, throughProxy } from "./mistakes";
import { TestFleet, TestServer } from "../fleets/fleet";
import { publishAll, textsFrom } from "../fleets/messages";
import { Proxy } from "../fleets/proxy";
import { killServer, pidOf, startServer, stopServer } from "../fleets/servers";
import { until } from "../until";

/** Good fleets that are busy, slow or just back: nothing is wrong with them, and no error may be found. */

const publish = async (fleet: TestFleet, count: number, size = 10) =>
  publishAll(
    await fleet.application("oslo"),
    "events.a",
    textsFrom(1, count).map((text) => text.padEnd(size, ".")),
  );

/** Many, without waiting for each to be acknowledged. */
async function flood(fleet: TestFleet, count: number, size: number): Promise<void> {
  const client = await fleet.application("oslo");
  for (let i = 0; i < count; i++) client.publish("events.a", randomBytes(size));
  await client.flush();
  const js = await fleet.atSite("oslo");
  await until("the site has stored all", async () => ((await js.stream("EVENTS"))?.state.last_seq ?? 0) >= count);
}

const hubHas = (fleet: TestFleet, count: number) =>
  until(`the hub has ${count} messages`, async () => (await fleet.collected("oslo")).state.messages >= count);

/** Stops a server's process for a while, as a machine does that has no time for it. */
function starve({ folder }: TestServer, ms: number): void {
  const pid = pidOf(folder);
  process.kill(pid, "SIGSTOP");
  setTimeout(() => process.kill(pid, "SIGCONT"), ms);
}

/** What oslo dials the hub through. */
const proxies = new WeakMap<TestFleet, Proxy>();

const GOOD = { finds: [], evidence: {} } as const;

const SHORT_LIVED: RawSettings = {
  streams: [
    {
      name: "EVENTS",
      subjects: ["events.>"],
      maxBytes: "32MiB",
      maxAge: "1s",
      collect: { maxBytes: "32MiB", maxAge: "1s" },
    },
  ],
};

const PATIENT: RawSettings = { probes: { timeout: "12s" } };

export const STRESS_ROWS: Row[] = [
  {
    ...GOOD,
    name: "good: an idle fleet",
    modes: ["perSite", "merged"],
    make: () => sleep(2_000),
  },
  {
    ...GOOD,
    name: "good: a site that gets no time for 3 s",
    make: async (fleet) => {
      starve(oslo(fleet), 3_000);
    },
  },
  {
    ...GOOD,
    name: "good: a hub that gets no time for 3 s",
    make: async (fleet) => {
      starve(fleet.hub, 3_000);
    },
  },
  {
    ...GOOD,
    name: "good: a hub that was just restarted",
    modes: ["perSite", "merged"],
    make: async (fleet) => {
      await stopServer(fleet.hub.folder);
      await startServer(fleet.hub.folder);
    },
  },
  {
    ...GOOD,
    name: "good: a hub that was killed, with its source still waiting",
    make: async (fleet) => {
      await misconfigure(oslo(fleet), (config) => ((config.leafnodes as { reconnect: string }).reconnect = "2s"));
      await publish(fleet, 10);
      await hubHas(fleet, 10);
      await killServer(fleet.hub.folder);
      await startServer(fleet.hub.folder);
      await linked(fleet, "oslo", "bergen");
      await sleep(3_000);
    },
  },
  {
    ...GOOD,
    name: "good: a site that was just restarted",
    modes: ["perSite", "merged"],
    make: async (fleet) => {
      await stopServer(oslo(fleet).folder);
      await startServer(oslo(fleet).folder);
    },
  },
  {
    ...GOOD,
    settings: PATIENT,
    name: "good: a site that was offline for a while, and has a backlog",
    make: async (fleet) => {
      await misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = ["nats-leaf://127.0.0.1:1"]));
      await flood(fleet, 2_000, 1_000);
      await sleep(3_000);
      await misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = [fleet.leafUrl]));
      await linked(fleet, "oslo");
    },
  },
  {
    ...GOOD,
    settings: PATIENT,
    name: "good: a large backlog that is being caught up",
    make: async (fleet) => {
      const info = await fleet.collected("oslo");
      await (await fleet.atHub("oslo")).setSources(info, []);
      await flood(fleet, 6_000, 2_000);
      await fleet.up();
    },
  },
  {
    ...GOOD,
    name: "good: a site's stream that was purged",
    make: async (fleet) => {
      await publish(fleet, 200);
      await hubHas(fleet, 200);
      await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
    },
  },
  {
    ...GOOD,
    name: "good: a hub stream that was purged",
    // The test itself purges it.
    finds: ["oslo: messages-dropped (warning)"],
    evidence: { "messages-dropped": /^200 messages between/ },
    make: async (fleet) => {
      await publish(fleet, 200);
      await hubHas(fleet, 200);
      await (await fleet.atHub("oslo")).purge("EVENTS", "events.>");
    },
  },
  {
    ...GOOD,
    name: "good: a source that is restarted while the merged stream is empty, and its last message is another site's",
    // The test itself purges the hub's stream.
    finds: ["bergen: messages-dropped (warning)"],
    modes: ["merged"],
    make: async (fleet) => {
      await misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = ["nats-leaf://127.0.0.1:1"]));
      await publish(fleet, 10);
      await publishAll(await fleet.application("bergen"), "events.b", ["later"]);
      await until("bergen's is there", async () => (await fleet.collected("oslo")).state.messages === 1);
      await (await fleet.atHub("oslo")).purge("EVENTS", ">");
      await fleet.repair();
    },
    after: async (fleet) => {
      const { state } = await fleet.collected("oslo");
      assert.equal(state.messages, 10, "all that the site held is on the hub, once");
    },
  },
  {
    ...GOOD,
    name: "good: a site whose first messages wait while another one's go on in the merged stream",
    // The test itself purges the hub's stream.
    finds: ["bergen: messages-dropped (warning)"],
    modes: ["merged"],
    make: async (fleet) => {
      const bergen = await fleet.application("bergen");
      // As the probes of a proof do: the hub's stream does not begin with its first message any more.
      await publishAll(bergen, "events.b", ["first"]);
      await until("bergen's is there", async () => (await fleet.collected("oslo")).state.last_seq === 1);
      await (await fleet.atHub("oslo")).purge("EVENTS", ">");
      await misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = ["nats-leaf://127.0.0.1:1"]));
      await publish(fleet, 10);
      await publishAll(bergen, "events.b", ["later"]);
      await until("bergen's is there", async () => (await fleet.collected("oslo")).state.messages === 1);
      await fleet.repair();
    },
    after: async (fleet) => {
      const { state } = await fleet.collected("oslo");
      assert.equal(state.messages, 11, "all that the sites held is on the hub, once");
    },
  },
  {
    ...GOOD,
    name: "good: messages that expire at the site and on the hub",
    settings: SHORT_LIVED,
    make: async (fleet) => {
      await publish(fleet, 200);
      await until("all have expired", async () => (await fleet.collected("oslo")).state.last_seq >= 200);
      await until("all have expired", async () => (await fleet.collected("oslo")).state.messages === 0);
    },
  },
  {
    name: "good: a large backlog over a slow network: the probes wait behind it",
    make: async (fleet) => {
      const proxy = await throughProxy(fleet);
      proxies.set(fleet, proxy);
      const { sources = [] } = (await fleet.collected("oslo")).config;
      await (await fleet.atHub("oslo")).setSources(await fleet.collected("oslo"), []);
      await flood(fleet, 4_000, 2_000);
      proxy.slow(1_000_000);
      await editHubStream(fleet, (config) => Object.assign(config, { sources, subjects: [], duplicate_window: 0 }));
      await until("some have arrived", async () => (await fleet.collected("oslo")).state.messages > 0);
    },
    finds: ["oslo: backlog"],
    evidence: { backlog: /source EVENTS: active \d+ ms ago, lag \d+, sequence [1-9]/ },
    says: "wait until the hub has caught up",
    cure: async (fleet) => {
      proxies.get(fleet)?.slow(undefined);
      await until("the hub has caught up", async () => (await fleet.collected("oslo")).state.messages >= 4_000);
    },
  },
];
