import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync } from "node:fs";
import { headers } from "nats";
import { RawSettings } from "../../configs/settings";
import { serverFiles } from "../../providers/folders";
import { messageOf } from "../../providers/refusal";
import { Accept, repairSite } from "../../providers/repair";
import { conditionOf } from "../../providers/repair-condition";
import { TestFleet, TestServer } from "../support/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/messages";
import { killServer, startServer, whileStopped } from "../support/servers";
import { until } from "../support/until";
import { codesIn, examined, observedAt } from "../support/watched";

describe("the repair", function () {
  this.timeout(60_000);

  const ONE_SITE = { sites: [{ name: "oslo" }] };
  const storeOf = ({ folder }: TestServer): string => serverFiles(folder).store;

  const keepStore = (server: TestServer): Promise<void> =>
    whileStopped(server.folder, () => cpSync(storeOf(server), `${storeOf(server)}.old`, { recursive: true }));
  const rollBack = (server: TestServer): Promise<void> =>
    whileStopped(server.folder, () => {
      rmSync(storeOf(server), { recursive: true });
      cpSync(`${storeOf(server)}.old`, storeOf(server), { recursive: true });
    });
  const loseStore = (server: TestServer): Promise<void> =>
    whileStopped(server.folder, () => rmSync(storeOf(server), { recursive: true }));

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
      assert.match(await repaired(fleet), /started the hub's source anew; it hears from the site/);
      // By itself the server takes 8 s and more.
      await onHub(fleet, 30, 3_000);
      assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, 30).sort());
      assert.equal((await examined(fleet)).status, "good");
    });
  });

  it("does nothing while something else stands in the way, and names that", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await killServer(fleet.site("oslo").folder);
    assert.match(await refusal(fleet), /\[site-down\]\nsite oslo: nothing was repaired/);
  });

  it("leaves a good site alone", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    assert.equal(await repaired(fleet), "site oslo, stream EVENTS: nothing to repair");
  });

  for (const mode of ["perSite", "merged"] as const) {
    const raw: RawSettings = {
      ...ONE_SITE,
      streams: [
        { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode, maxBytes: "32MiB" } },
      ],
    };
    const filter = mode === "merged" ? "oslo.events.>" : "events.>";
    const siteStream = mode === "merged" ? "EVENTS_OSLO" : "EVENTS";
    const texts = async (fleet: TestFleet): Promise<string[]> => {
      const seen: string[] = [];
      const hub = await fleet.atHub("oslo");
      for (let seq = 1; ; ) {
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
        await until("they arrive", async () => (await texts(fleet)).length >= 120, 40_000);
        assert.deepEqual(await texts(fleet), textsFrom(1, 120).sort());
        assert.equal((await examined(fleet)).status, "good");
      });

      it("counts what the hub has skipped already, and is refused until somebody says what to do with it", async () => {
        await using fleet = await withLostTail(raw);
        await publish(fleet, 101, 130);
        assert.match(await refusal(fleet, "lost-tail"), /30 messages that the site stored since, on sequences 51 to 80/);
      });

      it("delivers what the hub has skipped, once, with the word for it", async () => {
        await using fleet = await withLostTail(raw);
        await publish(fleet, 101, 130);
        assert.match(await repaired(fleet, "redeliver"), /stored 30 messages anew/);
        await publish(fleet, 131, 140);
        await until("they arrive", async () => (await texts(fleet)).length >= 140, 40_000);
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
        await until("they arrive", async () => (await texts(fleet)).length >= wanted.length, 40_000);
        assert.deepEqual(await texts(fleet), wanted);
      });
    });
  }
});
void existsSync;
void headers;
void codesIn;
void loseStore;
