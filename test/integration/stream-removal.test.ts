import assert from "node:assert/strict";
import { RawSettings } from "../../configs/settings";
import { OWNER, StreamConfig } from "../../configs/streams";
import * as guard from "../../providers/guard";
import { JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { STACK, TestFleet } from "../support/fleets/fleet";
import { publishAll, textsFrom } from "../support/fleets/messages";
import { until } from "../support/until";

/** Streams that do not carry this stack's mark are somebody else's: no removal touches them. */
describe("streams of somebody else", function () {
  this.timeout(120_000);

  type Stream = NonNullable<RawSettings["streams"]>[number];
  const PER_SITE: Stream = {
    name: "EVENTS",
    subjects: ["events.>"],
    maxBytes: "32MiB",
    collect: { maxBytes: "32MiB" },
  };
  const MERGED: Stream = { ...PER_SITE, collect: { mode: "merged", maxBytes: "32MiB" } };
  const WITHOUT_OSLO = { sites: [{ name: "bergen" }] };
  const WITHOUT_STREAMS = { streams: [] };

  const deployed = (stream: Stream = PER_SITE): Promise<TestFleet> =>
    TestFleet.deploy({ sites: [{ name: "oslo" }, { name: "bergen" }], streams: [stream] });

  const publish = async (fleet: TestFleet, first: number, last: number): Promise<void> =>
    publishAll(await fleet.application("oslo"), "events.a", textsFrom(first, last));

  const onHub = (fleet: TestFleet, count: number) =>
    until(`${count} are on the hub`, async () => (await fleet.collected("oslo")).state.messages === count);

  /** Deletes the stream and makes it again as it was, by hand: without a mark, or with another stack's. */
  async function recreate(js: JetStream, name: string, mark?: string): Promise<StreamConfig> {
    const { config } = (await js.stream(name)) as StreamInfo;
    await js.deleteStream(name);
    const metadata: Record<string, string> = mark === undefined ? {} : { [OWNER]: mark };
    return (await js.createStream({ ...config, metadata })).config;
  }

  /** Makes the stream at the site with the NATS client, as an application does. */
  async function byHand(fleet: TestFleet): Promise<void> {
    const manager = await (await fleet.application("oslo")).jetstreamManager();
    await manager.streams.add({ name: "EVENTS", subjects: ["events.>"], max_bytes: 1e6 });
  }

  /** What must not change. */
  const stateOf = async (js: JetStream, name: string) => {
    const { config, created, state } = (await js.stream(name)) as StreamInfo;
    const { consumer_count: _, ...held } = state;
    return { config, created, held };
  };

  async function permitting<T>(variable: "DISCARD" | "DISCARD_COLLECTED", work: () => Promise<T>): Promise<T> {
    process.env[variable] = "oslo";
    try {
      return await work();
    } finally {
      delete process.env[variable];
    }
  }

  const plainly = <T>(work: () => Promise<T>): Promise<T> => work();
  const discarding = <T>(work: () => Promise<T>): Promise<T> => permitting("DISCARD", work);
  const discardingCollected = <T>(work: () => Promise<T>): Promise<T> => permitting("DISCARD_COLLECTED", work);

  for (const [owner, mark, words] of [
    ["nobody", undefined, "was not made by this program"],
    ["another stack", "prod", "belongs to stack prod"],
  ] as const) {
    for (const [how, permitted] of [
      ["", plainly],
      [" with DISCARD", discarding],
    ] as const) {
      it(`at the site, marked by ${owner}, stay when the settings drop them${how}`, async () => {
        await using fleet = await deployed();
        const js = await fleet.atSite("oslo");
        await recreate(js, "EVENTS", mark);
        await publish(fleet, 1, 10);
        const before = await stateOf(js, "EVENTS");
        await permitted(() => fleet.up(WITHOUT_STREAMS));
        assert.deepEqual(fleet.problemsOf("oslo"), []);
        assert.deepEqual(await stateOf(js, "EVENTS"), before);
        assert.equal(before.held.messages, 10);
        const said = `site oslo: stream EVENTS at the site ${words}: it is left as it is; delete it with 'nats stream rm EVENTS'`;
        assert.ok(
          fleet.reports.some((line) => line.startsWith(said)),
          fleet.reports.join("\n"),
        );
        assert.equal(await (await fleet.atSite("bergen")).stream("EVENTS"), undefined, "the program's own goes");
      });
    }
  }

  for (const [mode, stream, account] of [
    ["perSite", PER_SITE, "OSLO"],
    ["merged", MERGED, "HUB"],
  ] as const) {
    for (const [how, permitted] of [
      ["", plainly],
      [" with DISCARD_COLLECTED", discardingCollected],
    ] as const) {
      it(`on the hub, ${mode}, stay as they are, sources included, when the settings drop them${how}`, async () => {
        await using fleet = await deployed(stream);
        const hub = await fleet.atHub("oslo");
        await recreate(hub, "EVENTS");
        await publish(fleet, 1, 10);
        await onHub(fleet, 10);
        const before = await stateOf(hub, "EVENTS");
        await permitted(() => fleet.up(WITHOUT_STREAMS));
        assert.deepEqual(fleet.problemsOf("oslo"), []);
        assert.deepEqual(await stateOf(hub, "EVENTS"), before);
        const said = `site oslo: hub stream ${account}/EVENTS was not made by this program: it is left as it is, with its messages and sources`;
        assert.ok(
          fleet.reports.some((line) => line.startsWith(said)),
          fleet.reports.join("\n"),
        );
      });
    }

    it(`on the hub, ${mode}, stay when their site is removed, also with DISCARD_COLLECTED`, async () => {
      await using fleet = await deployed(stream);
      const hub = await fleet.atHub("oslo");
      await recreate(hub, "EVENTS", "prod");
      await publish(fleet, 1, 10);
      await onHub(fleet, 10);
      const before = await stateOf(hub, "EVENTS");
      await discardingCollected(() => fleet.up(WITHOUT_OSLO));
      assert.deepEqual(await stateOf(hub, "EVENTS"), before);
    });
  }

  it("with messages at a site keep it from being removed, in the preview and in up, until DISCARD permits it", async () => {
    await using fleet = await deployed();
    const js = await fleet.atSite("oslo");
    await recreate(js, "EVENTS");
    await publish(fleet, 1, 10);
    // Also where the hub has them all.
    await onHub(fleet, 10);
    const before = await stateOf(js, "EVENTS");
    const refusal =
      /stream EVENTS was not made by this program, and the 10 messages that it holds would go with the site's server; save or move them \('nats stream backup'\), or allow the loss with DISCARD=oslo/;
    assert.match((await fleet.check(WITHOUT_OSLO)).join(), refusal);
    await assert.rejects(fleet.up(WITHOUT_OSLO), refusal);
    assert.deepEqual(await stateOf(js, "EVENTS"), before);
    assert.deepEqual(await discarding(() => fleet.check(WITHOUT_OSLO)), []);
    await discarding(() => fleet.up(WITHOUT_OSLO));
    assert.match(fleet.reports.join("\n"), /it goes with the site's server, and 10 messages with it/);
    await fleet.prove();
  });

  it("with messages are named by the guard of destroy", async () => {
    await using fleet = await deployed();
    const js = await fleet.atSite("oslo");
    await recreate(js, "EVENTS");
    await publish(fleet, 1, 10);
    const { outs } = await guard.create({
      sites: [{ site: "oslo", expect: "online" }],
      streams: fleet.settings.streams,
      stack: STACK,
      bound: false,
      hub: { url: fleet.hub.url, seed: fleet.hub.seeds.system },
      access: {
        hubUrl: fleet.hub.url,
        sites: { oslo: { url: fleet.site("oslo").url, operator: fleet.site("oslo").seeds.operator } },
      },
    });
    await assert.rejects(
      guard.delete("guard", outs),
      /site oslo: stream EVENTS was not made by this program, and the 10 messages that it holds would go with the site's server/,
    );
    assert.equal((await stateOf(js, "EVENTS")).held.messages, 10);
  });

  it("that hold nothing keep no site from being removed", async () => {
    await using fleet = await deployed();
    await recreate(await fleet.atSite("oslo"), "EVENTS");
    assert.deepEqual(await fleet.check(WITHOUT_OSLO), []);
    await fleet.up(WITHOUT_OSLO);
    await fleet.prove();
  });

  it("keep a site from being removed where the program never made a stream", async () => {
    await using fleet = await TestFleet.deploy({ streams: [] });
    await byHand(fleet);
    await publish(fleet, 1, 10);
    await assert.rejects(fleet.up({ streams: [PER_SITE] }), /a stream of this name exists/);
    await fleet.repair();
    await assert.rejects(fleet.up(WITHOUT_OSLO), /stream EVENTS was not made by this program, and the 10 messages/);
    await discarding(() => fleet.up(WITHOUT_OSLO));
  });

  it("that were adopted are this stack's own: they go once the hub has all of them", async () => {
    await using fleet = await TestFleet.deploy({ streams: [] });
    await byHand(fleet);
    await publish(fleet, 1, 10);
    await fleet.up({ streams: [{ ...PER_SITE, adopt: true }] });
    await onHub(fleet, 10);
    await fleet.up(WITHOUT_STREAMS);
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    assert.equal(await (await fleet.atSite("oslo")).stream("EVENTS"), undefined);
  });
});
