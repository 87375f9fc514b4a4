import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { headers } from "nats";
import { RawSettings } from "../../configs/settings";
import { messageOf } from "../../machine/refusal";
import { noteRedelivery, resume } from "../../doctor/repair/redelivery";
import { Accept, repairSite } from "../../doctor/repair/repair";
import { conditionOf } from "../../fleet/observation/condition";
import { rearm } from "../../fleet/sourcing/source";
import { STACK, TestFleet } from "../support/fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { killServer, startServer } from "../support/fleets/servers";
import { keepStore, loseStore, rollBack } from "../support/fleets/stores";
import { until } from "../support/until";
import { examined, observedAt } from "../support/fleets/watched";

describe("the repair", function () {
  this.timeout(120_000);

  const ONE_SITE = { sites: [{ name: "oslo" }] };

  const publish = async (fleet: TestFleet, from: number, to: number): Promise<void> =>
    publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));

  const onHub = async (fleet: TestFleet, count: number, timeoutMs?: number): Promise<void> => {
    await until(`the hub has ${count}`, async () => (await fleet.collected("oslo")).state.messages >= count, timeoutMs);
  };

  /** What the repair said. */
  async function repaired(fleet: TestFleet, accept?: Accept): Promise<string> {
    const said: string[] = [];
    const observed = observedAt(fleet, "oslo");
    await repairSite({
      observed,
      streams: fleet.settings.streams,
      say: (line) => said.push(line),
      ...(accept === undefined ? {} : { accept }),
    });
    return said.join("\n");
  }

  const refusal = (fleet: TestFleet, accept?: Accept): Promise<string> =>
    repaired(fleet, accept).then(
      (said) => assert.fail(`it was not refused: ${said}`),
      (error: unknown) => messageOf(error),
    );

  const kind = async (fleet: TestFleet): Promise<string> =>
    (await conditionOf(observedAt(fleet, "oslo"), fleet.settings.streams[0]!)).kind;

  /** A site that lost the messages 51 to 100, which the hub has. */
  async function withLostTail(raw: RawSettings = ONE_SITE): Promise<TestFleet> {
    const fleet = await TestFleet.deploy(raw);
    await publish(fleet, 1, 50);
    await until("50", async () => (await hubCount(fleet)) === 50);
    await keepStore(fleet.site("oslo"));
    await fleet.repair();
    await publish(fleet, 51, 100);
    await until("100", async () => (await hubCount(fleet)) === 100);
    await rollBack(fleet.site("oslo"));
    return fleet;
  }
  const hubCount = async (fleet: TestFleet): Promise<number> =>
    (await (await fleet.atHub("oslo")).stream("EVENTS"))?.state.messages ?? -1;

  describe("of a source that lost its site", () => {
    it("starts it anew, and everything arrives once", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await publish(fleet, 1, 20);
      await onHub(fleet, 20);
      await killServer(fleet.site("oslo").folder);
      await startServer(fleet.site("oslo").folder);
      await publish(fleet, 21, 30);
      await until("the link is back", async () => (await fleet.links("oslo")).length === 1);
      await until("it is noticed", async () => (await kind(fleet)) === "stuck");
      assert.match(await repaired(fleet), /restarted the hub's source; it hears from the site/);
      // By itself the server takes 8 s and more.
      await onHub(fleet, 30, 7_000);
      assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, 30).sort());
      assert.equal((await examined(fleet)).status, "good");
    });
  });

  it("does nothing while something else stands in the way, and names that", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await killServer(fleet.site("oslo").folder);
    assert.match(await refusal(fleet), /\[site-down\][^]*\nsite oslo: nothing was repaired/);
  });

  it("leaves a good site alone", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    assert.equal(await repaired(fleet), "site oslo, stream EVENTS: nothing to repair");
  });

  for (const mode of ["perSite", "merged"] as const) {
    const raw: RawSettings = {
      ...ONE_SITE,
      streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode, maxBytes: "32MiB" } }],
    };
    const filter = mode === "merged" ? "oslo.events.>" : "events.>";
    const siteStream = mode === "merged" ? "EVENTS_OSLO" : "EVENTS";
    const texts = async (fleet: TestFleet): Promise<string[]> => {
      const seen: string[] = [];
      const hub = await fleet.atHub("oslo");
      for (let seq = 1; ;) {
        const message = await hub.nextMessage("EVENTS", filter, seq);
        if (message === undefined) return seen.sort();
        seen.push(Buffer.from(message.payload).toString());
        seq = message.seq + 1;
      }
    };

    describe(`of a site that lost acknowledged messages (${mode})`, () => {
      it("is refused with what was lost and what will be skipped, and changes nothing", async () => {
        await using fleet = await withLostTail(raw);
        const site = await fleet.atSite("oslo");
        const before = (await site.stream(siteStream))!.state;
        const said = await refusal(fleet);
        assert.match(said, /the site lost its sequences 51 to 100, which the hub took before/);
        assert.match(said, /the hub skips the next 50 messages of the site/);
        assert.match(said, /make repair SITE=oslo ACCEPT=lost-tail/);
        assert.deepEqual((await site.stream(siteStream))!.state, before);
      });

      it("with the word for it, has the next messages arrive, each once, and removes nothing at the site", async () => {
        await using fleet = await withLostTail(raw);
        assert.match(await repaired(fleet, "lost-tail"), /moved on to sequence 100, where the hub is/);
        assert.equal((await (await fleet.atSite("oslo")).stream(siteStream))!.state.messages, 50);
        await publish(fleet, 101, 120);
        await until("they arrive", async () => (await texts(fleet)).length >= 120, 10_000);
        assert.deepEqual(await texts(fleet), textsFrom(1, 120).sort());
        assert.equal((await examined(fleet)).status, "good");
      });

      it("counts what the hub has skipped already, and is refused until somebody says what to do with it", async () => {
        await using fleet = await withLostTail(raw);
        await publish(fleet, 101, 130);
        assert.match(
          await refusal(fleet, "lost-tail"),
          /30 messages that the site has stored since then, on sequences 51 to 80/,
        );
      });

      it("delivers what the hub has skipped, once, with the word for it", async () => {
        await using fleet = await withLostTail(raw);
        await publish(fleet, 101, 130);
        assert.match(await repaired(fleet, "redeliver"), /stored 30 messages again/);
        await publish(fleet, 131, 140);
        await until("they arrive", async () => (await texts(fleet)).length >= 140, 10_000);
        assert.deepEqual(await texts(fleet), textsFrom(1, 140).sort());
        // 1 to 50, 101 to 130 once, 131 to 140.
        assert.equal((await (await fleet.atSite("oslo")).stream(siteStream))!.state.messages, 90);
      });

      it("leaves what the hub has skipped, with the word for that", async () => {
        await using fleet = await withLostTail(raw);
        await publish(fleet, 101, 130);
        await repaired(fleet, "leave");
        await publish(fleet, 131, 140);
        const wanted = [...textsFrom(1, 100), ...textsFrom(131, 140)].sort();
        await until("they arrive", async () => (await texts(fleet)).length >= wanted.length, 10_000);
        assert.deepEqual(await texts(fleet), wanted);
      });
    });
  }

  /** A site that lost 51 to 100, and stored 101 to 170 since, of which the hub has 151 to 170. */
  async function overrun(): Promise<TestFleet> {
    const fleet = await withLostTail();
    await publish(fleet, 101, 170);
    // By itself the server takes up to 20 s to go on.
    await rearm(observedAt(fleet, "oslo").access, fleet.settings.streams[0]!, STACK);
    await onHub(fleet, 120);
    return fleet;
  }

  it("leaves a stream of somebody else as it is", async () => {
    await using fleet = await withLostTail();
    const js = await fleet.atSite("oslo");
    const { config } = (await js.stream("EVENTS"))!;
    const before = await js.updateStream({ ...config, metadata: {} });
    const said = await repaired(fleet, "redeliver");
    assert.match(said, /stream EVENTS: it, or hub stream OSLO\/EVENTS, was not made by this program: left as it is/);
    assert.deepEqual((await js.stream("EVENTS"))?.state, before.state);
  });

  it("says what was skipped of a site that is not behind any more, and wants a word for it", async () => {
    await using fleet = await overrun();
    const said = await refusal(fleet);
    assert.match(said, /the site lost its sequences 51 to 100, which the hub took before/);
    assert.match(said, /skipped {3}50 messages that the site has stored since then, on sequences 51 to 100/);
    assert.match(said, /nothing more is skipped/);
    assert.match(await refusal(fleet, "lost-tail"), /ACCEPT=redeliver, or ACCEPT=leave/);
    assert.equal((await examined(fleet)).status, "error");
  });

  it("delivers what was skipped of such a site, once, and then finds nothing", async () => {
    await using fleet = await overrun();
    assert.match(await repaired(fleet, "redeliver"), /stored 50 messages again/);
    await onHub(fleet, 170, 10_000);
    assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, 170).sort());
    assert.equal((await examined(fleet)).status, "good");
    assert.equal(await kind(fleet), "good");
  });

  it("leaves what was skipped of such a site, and does not ask again", async () => {
    await using fleet = await overrun();
    assert.match(await repaired(fleet, "leave"), /will not get the 50 messages/);
    assert.equal((await examined(fleet)).status, "good");
    assert.match(await repaired(fleet), /nothing to repair/);
    assert.equal((await collectedTexts(fleet, "oslo", "events.>")).length, 120);
  });

  it("loses and doubles nothing of what is published while it moves the site on", async () => {
    await using fleet = await withLostTail();
    const js = (await fleet.application("oslo")).jetstream();
    let [isOver, last] = [false, 100];
    const publishing = (async () => {
      while (!isOver) await js.publish("events.a", `m${++last}`);
    })();
    await until("some were skipped", () => last > 110);
    await repaired(fleet, "redeliver");
    isOver = true;
    await publishing;
    await onHub(fleet, last, 60_000);
    assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, last).sort());
  });

  it("stores anew what an interrupted repair had not got to", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await publish(fleet, 1, 10);
    await onHub(fleet, 10);
    const folder = join(fleet.root, "repair");
    mkdirSync(folder);
    writeFileSync(join(folder, "oslo.EVENTS.json"), JSON.stringify({ from: 9, to: 10 }));
    assert.match(await repaired(fleet), /stored 2 messages again/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("stores nothing twice that an interrupted repair had stored anew and not taken away yet", async () => {
    await using fleet = await overrun();
    const observed = observedAt(fleet, "oslo");
    const [stream] = fleet.settings.streams;
    const found = await conditionOf(observed, stream!);
    assert.equal(found.kind, "overrun");
    const { pair } = found;
    let left = 3;
    /** The site, until the repair is killed. */
    const site = Object.assign(Object.create(pair.site) as typeof pair.site, {
      deleteMessage: (name: string, seq: number) =>
        left-- > 0 ? pair.site.deleteMessage(name, seq) : Promise.reject(new Error("killed")),
    });
    noteRedelivery(observed, pair, { from: 51, to: 100 });
    await assert.rejects(
      resume(observed, stream!, { ...pair, site }, () => undefined),
      /killed/,
    );
    await publish(fleet, 171, 180);
    assert.match(await repaired(fleet, "redeliver"), /stored 47 messages again/);
    await onHub(fleet, 180, 10_000);
    assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, 180).sort());
    assert.equal((await examined(fleet)).status, "good");
  });

  it("finishes a repair that was interrupted before the site was where the hub is", async () => {
    await using fleet = await withLostTail();
    await publish(fleet, 101, 130);
    mkdirSync(join(fleet.root, "repair"));
    writeFileSync(join(fleet.root, "repair", "oslo.EVENTS.json"), JSON.stringify({ from: 51, to: 100 }));
    await repaired(fleet, "redeliver");
    await onHub(fleet, 130, 10_000);
    assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, 130).sort());
  });

  it("separates new messages from old ones by their times when all are alike", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    const ticks = async (count: number): Promise<void> =>
      publishAll(await fleet.application("oslo"), "events.a", Array<string>(count).fill("tick"));
    await ticks(50);
    await onHub(fleet, 50);
    await keepStore(fleet.site("oslo"));
    await fleet.repair();
    await ticks(50);
    await onHub(fleet, 100);
    await rollBack(fleet.site("oslo"));
    await ticks(30);
    assert.match(await refusal(fleet), /30 messages that the site has stored since then, on sequences 51 to 80/);
  });

  it("keeps the headers of what it stores anew, but not those that the server would refuse it for", async () => {
    await using fleet = await withLostTail();
    const js = (await fleet.application("oslo")).jetstream();
    const given = headers();
    given.append("Trace", "one");
    given.append("Trace", "two");
    await js.publish("events.a", "m101", { headers: given, msgID: "once", expect: { lastSequence: 50 } });
    await repaired(fleet, "redeliver");
    await onHub(fleet, 101, 10_000);
    const message = await (await fleet.atHub("oslo")).lastMessage("EVENTS", "events.>");
    const kept = message!.headerLines.filter(([name]) => name !== "Nats-Stream-Source");
    assert.deepEqual(kept, [
      ["Trace", "one"],
      ["Trace", "two"],
    ]);
  });

  it("refuses to push out messages of a full stream", async () => {
    await using fleet = await withLostTail();
    const site = await fleet.atSite("oslo");
    const { config } = (await site.stream("EVENTS"))!;
    await site.updateStream({ ...config, max_msgs: 60 } as typeof config);
    assert.match(await refusal(fleet, "lost-tail"), /would push out old ones; .* --seq 101/);
  });

  it("refuses to store anew what would push out old messages of a stream that is full by its bytes", async () => {
    await using fleet = await overrun();
    const site = await fleet.atSite("oslo");
    const { config, state } = (await site.stream("EVENTS"))!;
    await site.updateStream({ ...config, max_bytes: state.bytes + 30 });
    assert.match(await refusal(fleet, "redeliver"), /would push out old ones/);
    assert.equal((await site.stream("EVENTS"))?.state.first_seq, state.first_seq);
    await site.updateStream(config);
    assert.match(await repaired(fleet, "redeliver"), /stored 50 messages again/);
  });

  describe("of a site whose stream was made anew", () => {
    it("is no lost tail, needs no word, and everything of the new stream arrives on the hub", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await publish(fleet, 1, 50);
      await onHub(fleet, 50);
      await loseStore(fleet.site("oslo"));
      const site = await fleet.atSite("oslo");
      const { config } = await fleet.collected("oslo");
      await site.createStream({ ...config, sources: [], subjects: ["events.>", "_probe.EVENTS.>"] });
      await publish(fleet, 51, 60);
      await until("the link is back", async () => (await fleet.links("oslo")).length === 1);
      assert.equal(await kind(fleet), "recreated");
      // An interrupted repair of the stream that is gone has nothing to do with this one.
      mkdirSync(join(fleet.root, "repair"));
      writeFileSync(join(fleet.root, "repair", "oslo.EVENTS.json"), JSON.stringify({ from: 5, to: 50 }));
      assert.match(
        await repaired(fleet),
        /the site has a new stream; messages that the old one had not delivered are lost/,
      );
      await onHub(fleet, 60, 10_000);
      assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, 60).sort());
    });
  });

  describe("of a hub that lost messages", () => {
    it("says what the site still holds when the hub's stream is another one, and has it delivered", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await publish(fleet, 1, 50);
      await onHub(fleet, 50);
      await fleet.prove();
      await loseStore(fleet.hub);
      await fleet.up();
      const said = await repaired(fleet);
      assert.match(said, /the hub's stream was lost since the last proof; the site holds 50 messages/);
      await onHub(fleet, 50, 10_000);
      assert.doesNotMatch(said, /gone for good/);
    });

    it("says how many are gone for good when its stream went back in time", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await publish(fleet, 1, 50);
      await onHub(fleet, 50);
      await keepStore(fleet.hub);
      await fleet.repair();
      await publish(fleet, 51, 80);
      await onHub(fleet, 80);
      await fleet.prove();
      // The site keeps the last 5 only.
      await (
        await fleet.connect(fleet.site("oslo"), "operator")
      ).request("$JS.API.STREAM.PURGE.EVENTS", JSON.stringify({ filter: "events.>", keep: 5 }));
      await rollBack(fleet.hub);
      await until("the link is back", async () => (await fleet.links("oslo")).length === 1);
      assert.match(
        await repaired(fleet),
        /was rolled back since the last proof; the site holds 5 messages.*\n.*25 messages that the hub had .* are gone for good/,
      );
      await onHub(fleet, 55, 10_000);
    });

    it("leaves a missing stream to 'make up', and says so", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await (await fleet.atHub("oslo")).deleteStream("EVENTS");
      assert.match(await refusal(fleet), /hub stream OSLO\/EVENTS is missing; 'make up' recreates it/);
    });
  });
});
