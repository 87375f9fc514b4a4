import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { RawSettings } from "../../configs/settings";
import { TestFleet } from "../support/fleets/fleet";
import { leafLogin } from "../support/stacks/leaf-login";
import { idsHeld } from "../support/book/held";
import { collectedMessages, collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { isRunning, restartWith, stopServer } from "../support/fleets/servers";
import { until } from "../support/until";
import { codesIn, examined } from "../support/fleets/watched";

/** What happens to streams that exist when their settings change, and when their site is removed. */
describe("streams", function () {
  this.timeout(120_000);

  type Stream = NonNullable<RawSettings["streams"]>[number];
  const EVENTS: Stream = { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } };
  const ONE_SITE = { sites: [{ name: "oslo" }], streams: [EVENTS] } satisfies RawSettings;

  /** Runs the work with permission to lose messages, as `DISCARD=… pulumi up` gives it. */
  async function discarding<T>(sites: string, work: () => Promise<T>): Promise<T> {
    process.env.DISCARD = sites;
    try {
      return await work();
    } finally {
      delete process.env.DISCARD;
    }
  }

  describe("are updated in place", () => {
    const CHANGES: Record<string, { change: Partial<Stream>; site?: object; hub?: object }> = {
      "more subjects": {
        change: { subjects: ["events.>", "more.*"] },
        site: { subjects: ["events.>", "more.*", "_probe.EVENTS.>"] },
      },
      "another maxBytes": { change: { maxBytes: "48MiB" }, site: { max_bytes: 48 * 2 ** 20 } },
      "a maxAge": { change: { maxAge: "1d" }, site: { max_age: 86_400e9 } },
      "discard new": { change: { discard: "new" }, site: { discard: "new" } },
      "another maxBytes on the hub": { change: { collect: { maxBytes: "64MiB" } }, hub: { max_bytes: 64 * 2 ** 20 } },
    };

    for (const [name, { change, site, hub }] of Object.entries(CHANGES)) {
      it(`${name}, with all messages and the position of the source`, async () => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        const before = [await (await fleet.atSite("oslo")).stream("EVENTS"), await fleet.collected("oslo")];
        await fleet.up({ streams: [{ ...EVENTS, ...change }] });
        const after = [await (await fleet.atSite("oslo")).stream("EVENTS"), await fleet.collected("oslo")];
        assert.deepEqual(fleet.problemsOf("oslo"), []);
        assert.deepEqual(after[0]?.config, { ...before[0]?.config, ...site });
        assert.deepEqual(after[1]?.config, { ...before[1]?.config, ...hub });
        assert.deepEqual(
          after.map((info) => info?.created),
          before.map((info) => info?.created),
        );
        await fleet.prove();
      });
    }
  });

  it("that never held a message are read like others", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    const js = await fleet.atSite("oslo");
    const info = await js.stream("EVENTS");
    assert.equal(info?.state.last_seq, 0);
    assert.equal(await js.messageAt("EVENTS", info.state.last_seq), undefined);
    assert.deepEqual(await idsHeld(js, "EVENTS"), []);
  });

  describe("are not changed", () => {
    /** The change is refused in the preview and in up, with this reason; the stream stays what it was. */
    async function refused(fleet: TestFleet, change: RawSettings, reason: RegExp): Promise<void> {
      const before = await (await fleet.atSite("oslo")).stream("EVENTS");
      await assert.rejects(fleet.preview(change), reason);
      const after = await (await fleet.atSite("oslo")).stream("EVENTS");
      assert.deepEqual(after?.config, before?.config);
      assert.deepEqual(after?.state, before?.state);
    }

    it("to another storage", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await refused(
        fleet,
        { streams: [{ ...EVENTS, storage: "memory" }] },
        /stream EVENTS at site oslo: JetStream cannot change storage file -> memory in place/,
      );
    });

    it("to less than they hold, unless the loss is allowed for the site", async () => {
      await using fleet = await TestFleet.deploy({ ...ONE_SITE, probes: { burst: "0B", timeout: "3s" } });
      const client = await fleet.application("oslo");
      for (let i = 0; i < 40; i++) await client.jetstream().publish("events.a", new Uint8Array(1e5));
      const change = { streams: [{ ...EVENTS, maxBytes: "2MiB" }] };
      await refused(fleet, change, /max_bytes 2097152 is less than the \d+ bytes that it holds; .* DISCARD=oslo/);
      await discarding("bergen", () => refused(fleet, change, /DISCARD=oslo/));
      await discarding("oslo", () => fleet.up(change));
      assert.deepEqual(fleet.problemsOf("oslo"), []);
      const info = await (await fleet.atSite("oslo")).stream("EVENTS");
      assert.ok(info !== undefined && info.state.bytes <= 2 ** 21, "JetStream dropped the oldest");
    });
  });

  it("of somebody else are refused by name, and taken over with adopt: true", async () => {
    await using fleet = await TestFleet.deploy({ ...ONE_SITE, streams: [] });
    const manager = await (await fleet.application("oslo")).jetstreamManager();
    await manager.streams.add({ name: "EVENTS", subjects: ["events.>"], max_bytes: 1e6 });
    await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 10));
    const refusal =
      /stream EVENTS at site oslo: a stream of this name exists and was not made by this program; rename yours, or set adopt: true/;
    await assert.rejects(fleet.preview({ streams: [EVENTS] }), refusal);
    await assert.rejects(fleet.up({ streams: [EVENTS] }), refusal);
    await fleet.up({ streams: [{ ...EVENTS, adopt: true }] });
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    await fleet.prove();
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.a"), textsFrom(1, 10));
  });

  describe("that are declared otherwise", () => {
    const MERGED: Stream = { ...EVENTS, collect: { mode: "merged", maxBytes: "32MiB" } };
    const RENAMED: Stream = { ...EVENTS, name: "MESSAGES" };

    /** A fleet whose hub collected 10 messages of EVENTS. */
    async function withCollected(): Promise<TestFleet> {
      const fleet = await TestFleet.deploy(ONE_SITE);
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 10));
      await until("all are delivered", async () => (await fleet.collected("oslo")).state.messages === 10);
      return fleet;
    }

    it("as merged give their subjects to the new one, and what the hub collected stays", async () => {
      await using fleet = await withCollected();
      const old = await fleet.atHub("oslo");
      await fleet.up({ streams: [MERGED] });
      assert.deepEqual(fleet.problemsOf("oslo"), []);
      const site = await fleet.atSite("oslo");
      assert.equal(await site.stream("EVENTS"), undefined);
      assert.deepEqual((await site.stream("EVENTS_OSLO"))?.config.subjects?.slice(0, 1), ["events.>"]);
      assert.equal((await old.stream("EVENTS"))?.state.messages, 10);
      await fleet.prove();
    });

    it("under another name take the place of the old one, which the hub keeps with what it holds", async () => {
      await using fleet = await withCollected();
      const hub = await fleet.atHub("oslo");
      await fleet.up({ streams: [RENAMED] });
      assert.deepEqual(fleet.problemsOf("oslo"), []);
      const kept = await hub.stream("EVENTS");
      assert.deepEqual([kept?.state.messages, kept?.config.sources ?? []], [10, []]);
      assert.equal(kept?.config.max_bytes, kept?.state.bytes);
      await fleet.prove();
    });

    it("under another name need the room of what the hub keeps: refused with the cure, which works", async () => {
      await using fleet = await withCollected();
      const hub = await fleet.atHub("oslo");
      const client = await fleet.application("oslo");
      for (let i = 0; i < 180; i++) await client.jetstream().publish("events.b", new Uint8Array(1e5));
      await until("all are delivered", async () => (await fleet.collected("oslo")).state.messages === 190);
      await fleet.up({ streams: [RENAMED] });
      assert.match(fleet.problemsOf("oslo").join(), /no room for it beside the streams that remain.*nats stream rm/);
      assert.equal((await hub.stream("EVENTS"))?.state.messages, 190);
      await hub.deleteStream("EVENTS");
      await fleet.up({ streams: [RENAMED] });
      await fleet.prove();
    });
  });

  it("that cannot be taken away yet go with a later update", async () => {
    const other: Stream = { ...EVENTS, name: "OTHER", subjects: ["other.>"] };
    const small: Stream = { ...EVENTS, maxBytes: "8MiB", collect: { maxBytes: "8MiB" } };
    await using fleet = await TestFleet.deploy({ ...ONE_SITE, streams: [small, other] });
    await fleet.prove();
    await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 5));
    await until("all are delivered", async () => (await fleet.collected("oslo")).state.messages === 5);
    const hub = await fleet.atHub("oslo");
    await stopServer(fleet.site("oslo").folder);

    await fleet.up({ sites: [{ name: "oslo", expect: "offline" }], streams: [other] });
    assert.match(fleet.problemsOf("oslo").join(), /its streams cannot be read .*DISCARD=oslo/);
    await discarding("oslo", () => fleet.up());
    assert.match(fleet.problemsOf("oslo").join(), /CONNECTION_REFUSED/);
    assert.deepEqual((await fleet.preview()).changes, ["oslo streams"]);

    await fleet.up({ sites: [{ name: "oslo" }] });
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    assert.equal(await (await fleet.atSite("oslo")).stream("EVENTS"), undefined);
    assert.equal((await hub.stream("EVENTS"))?.state.messages, 5);
    assert.deepEqual((await fleet.preview()).changes, []);
    await fleet.prove();
  });

  describe("of a site that is removed", () => {
    const TWO_SITES = { sites: [{ name: "oslo" }, { name: "bergen" }], streams: [EVENTS] } satisfies RawSettings;
    const WITHOUT_OSLO = { sites: [{ name: "bergen" }] };
    const WAITING = /5 messages of stream EVENTS have not reached the hub; wait until .*DISCARD=oslo/;

    /** A fleet whose site oslo has delivered 20 messages, and has 5 more that cannot get to the hub. */
    async function withUndelivered(): Promise<TestFleet> {
      const fleet = await TestFleet.deploy(TWO_SITES);
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 20));
      await until("20 are delivered", async () => (await fleet.collected("oslo")).state.messages === 20);
      await restartWith(fleet.site("oslo").folder, (text) =>
        text.replace(/nats-leaf:[^"]+/, "nats-leaf://127.0.0.1:1"),
      );
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(21, 25));
      return fleet;
    }

    it("are kept while messages wait: the preview refuses, up refuses, and nothing is taken away", async () => {
      await using fleet = await withUndelivered();
      assert.match((await fleet.check(WITHOUT_OSLO)).join(), WAITING);
      assert.deepEqual(await discarding("oslo", () => fleet.check(WITHOUT_OSLO)), []);
      await assert.rejects(fleet.up(WITHOUT_OSLO), WAITING);
      await fleet.up(TWO_SITES);
      await fleet.prove();
      await until("all are delivered", async () => (await fleet.collected("oslo")).state.messages === 25);
      assert.deepEqual(await fleet.check(WITHOUT_OSLO), []);
    });

    for (const [collected, discarded, kept] of [
      ["stays in a merged stream", "", { "oslo.events.a": 10, "bergen.events.a": 10 }],
      ["leaves a merged stream when told so", "oslo", { "bergen.events.a": 10 }],
    ] as const) {
      it(`what was collected ${collected}, and the other sites' messages go on`, async () => {
        const merged: Stream = { ...EVENTS, collect: { mode: "merged", maxBytes: "32MiB" } };
        await using fleet = await TestFleet.deploy({ ...TWO_SITES, streams: [merged] });
        for (const site of ["oslo", "bergen"])
          await publishAll(await fleet.application(site), "events.a", textsFrom(1, 10));
        const js = await fleet.atHub("bergen");
        await until("all are delivered", async () => (await js.stream("EVENTS"))?.state.messages === 20);
        await fleet.prove();
        process.env.DISCARD_COLLECTED = discarded;
        try {
          await fleet.up(WITHOUT_OSLO);
        } finally {
          delete process.env.DISCARD_COLLECTED;
        }
        assert.deepEqual(await js.subjects("EVENTS", ">"), kept);
        await fleet.prove();
        // Nor does the book tell of the probes of the site that left, and of what went with it.
        assert.deepEqual(codesIn(await examined(fleet)), []);
      });
    }

    for (const [when, fleetOf, allowed, last] of [
      ["when all were delivered", () => TestFleet.deploy(TWO_SITES), "", 0],
      ["with undelivered messages, when the loss is allowed", withUndelivered, "oslo", 20],
    ] as const) {
      it(`go at the site and stay on the hub ${when}`, async () => {
        await using fleet = await fleetOf();
        const oslo = fleet.site("oslo");
        await discarding(allowed, () => fleet.up(WITHOUT_OSLO));
        assert.equal(isRunning(oslo.folder), false);
        assert.equal(existsSync(oslo.folder), false);
        const reader = await fleet.connect({ ...oslo, url: fleet.hub.url }, "reader");
        const kept = await collectedMessages(reader, "EVENTS", "events.>");
        assert.deepEqual(
          kept.map(({ text }) => text),
          last === 0 ? [] : textsFrom(1, last),
        );
        assert.equal(await leafLogin(fleet.leafUrl, oslo.seeds.link), "refused");
        await fleet.prove();
      });
    }
  });
});
