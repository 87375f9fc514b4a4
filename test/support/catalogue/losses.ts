import assert from "node:assert/strict";
import { rearm } from "../../../fleet/sourcing/source";
import { Row } from "./catalogue";
import { oslo } from "./mistakes";
import { STACK, TestFleet } from "../fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../fleets/messages";
import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { until } from "../until";
import { lookAt, observedAt } from "../fleets/watched";

/** What a server that lost its store, or acknowledged messages, leads to. */

const publish = async (fleet: TestFleet, from: number, to: number): Promise<void> =>
  publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));

/** Waits until the hub has exactly the messages up to `last`, in any order and each once. */
async function hubHas(fleet: TestFleet, last: number): Promise<void> {
  await until(`the hub has ${last} messages`, async () => (await fleet.collected("oslo")).state.messages >= last);
  assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, last).sort());
}

export const LOSS_ROWS: Row[] = [
  {
    name: "a hub that lost its store: it gets everything again that the sites still hold",
    make: async (fleet) => {
      await publish(fleet, 1, 100);
      await hubHas(fleet, 100);
      await fleet.prove();
      await loseStore(fleet.hub);
      await fleet.up();
      await hubHas(fleet, 100);
    },
    finds: ["bergen: hub-store-lost (warning)", "oslo: hub-store-lost (warning)"],
    evidence: { "hub-store-lost": /100 of 100 messages are there/ },
    after: async (fleet) => {
      const [row] = await fleet.prove();
      assert.equal(row?.note, "", "it is said once");
    },
  },
  {
    name: "a hub whose store went back in time: it gets everything again that the sites still hold",
    make: async (fleet) => {
      await publish(fleet, 1, 100);
      await hubHas(fleet, 100);
      await keepStore(fleet.hub);
      await publish(fleet, 101, 160);
      await hubHas(fleet, 160);
      await rollBack(fleet.hub);
      await fleet.up();
      await hubHas(fleet, 160);
    },
    finds: [],
    evidence: {},
    after: async (fleet) => {
      await publish(fleet, 161, 170);
      await hubHas(fleet, 170);
    },
  },
  {
    name: "a hub whose store went back in time, and sites that no longer hold what it lost",
    make: async (fleet) => {
      await publish(fleet, 1, 100);
      await hubHas(fleet, 100);
      await keepStore(fleet.hub);
      await publish(fleet, 101, 160);
      await hubHas(fleet, 160);
      await fleet.prove();
      await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
      await rollBack(fleet.hub);
      await fleet.up();
    },
    finds: [
      "bergen: hub-store-rolled-back (warning)",
      "oslo: hub-store-rolled-back (warning)",
      "oslo: messages-missing (warning)",
    ],
    evidence: {
      "messages-missing": /^60 messages between/,
      "hub-store-rolled-back": /its last sequence is \d+, was 188/,
    },
  },
  {
    name: "a site that lost its store: what its new stream takes arrives",
    make: async (fleet) => {
      await publish(fleet, 1, 100);
      await hubHas(fleet, 100);
      await fleet.prove();
      await loseStore(oslo(fleet));
      await fleet.up();
      await publish(fleet, 101, 120);
      await hubHas(fleet, 120);
    },
    finds: ["oslo: site-store-lost (warning)"],
    evidence: { "site-store-lost": /created \S+, was \S+; its last sequence is \d+/ },
  },
  {
    name: "a site's stream that was recreated by hand, told apart from a lost tail",
    make: async (fleet) => {
      await publish(fleet, 1, 100);
      await hubHas(fleet, 100);
      const js = await fleet.atSite("oslo");
      const { config } = (await js.stream("EVENTS"))!;
      await js.deleteStream("EVENTS");
      await js.createStream(config);
      assert.deepEqual(
        (await lookAt(fleet, "oslo")).map(({ code, severity }) => `${code} ${severity}`),
        ["site-store-lost warning"],
      );
    },
    // Until the server itself looks again: nothing is lost, and nothing arrives.
    finds: ["oslo: site-store-lost (warning)", "oslo: source-waiting"],
    evidence: {
      "site-store-lost": /its last sequence is \d+, the hub took (none|100)/,
      "source-waiting": /it has no consumer at the site/,
    },
  },
  {
    name: "a source that was altered and brought messages a second time; put back, it brings more of them twice",
    make: async (fleet) => {
      await publish(fleet, 1, 50);
      await hubHas(fleet, 50);
      await fleet.prove();
      const hub = await fleet.atHub("oslo");
      const { config } = await fleet.collected("oslo");
      await hub.updateStream({ ...config, sources: [{ ...config.sources![0]!, filter_subject: "*.>" }] });
      const holds = (count: number) =>
        until(`the hub holds ${count}`, async () => (await fleet.collected("oslo")).state.messages >= count);
      await holds(100);
      await publish(fleet, 51, 60);
      await holds(110);
    },
    finds: ["oslo: messages-doubled (warning)", "oslo: source-altered"],
    evidence: { "messages-doubled": /^50 messages between/, "source-altered": /it takes only \*\.>/ },
    after: async (fleet) => {
      await until("the hub has 10 more", async () => (await fleet.collected("oslo")).state.messages >= 120);
      await publish(fleet, 61, 65);
      await until("the hub goes on", async () => (await fleet.collected("oslo")).state.messages >= 125);
      const texts = await collectedTexts(fleet, "oslo", "events.>");
      assert.deepEqual([texts.length, new Set(texts).size], [125, 65]);
    },
  },
  {
    name: "a site that lost acknowledged messages: its next ones would be skipped",
    make: async (fleet) => {
      await publish(fleet, 1, 50);
      await hubHas(fleet, 50);
      await keepStore(oslo(fleet));
      await fleet.repair();
      await publish(fleet, 51, 100);
      await hubHas(fleet, 100);
      await rollBack(oslo(fleet));
      await fleet.repair();
    },
    finds: ["oslo: site-store-rolled-back"],
    evidence: { "site-store-rolled-back": /the hub took sequence 100, the site's last is 5\d/ },
    cause: { "site-store-rolled-back": /lost acknowledged messages/ },
    accept: "lost-tail",
    after: async (fleet) => {
      await publish(fleet, 101, 120);
      await hubHas(fleet, 120);
    },
  },
  {
    name: "a site that lost acknowledged messages and stored more since: some of those were skipped",
    make: async (fleet) => {
      await publish(fleet, 1, 50);
      await hubHas(fleet, 50);
      await keepStore(oslo(fleet));
      await fleet.repair();
      await publish(fleet, 51, 100);
      await hubHas(fleet, 100);
      await rollBack(oslo(fleet));
      await publish(fleet, 101, 170);
      // By itself the server takes up to 20 s to go on.
      await rearm(observedAt(fleet, "oslo").access, fleet.settings.streams[0]!, STACK);
      await until("the hub goes on", async () => (await fleet.collected("oslo")).state.messages >= 120);
    },
    finds: ["oslo: messages-missing (warning)", "oslo: site-store-rolled-back"],
    evidence: {
      "messages-missing": /^50 messages between/,
      "site-store-rolled-back": /sequences 51 to 100 before the site's server started/,
    },
    cause: { "site-store-rolled-back": /silently skipped what it stored in their place/ },
    accept: "redeliver",
    after: (fleet) => hubHas(fleet, 170),
  },
];
