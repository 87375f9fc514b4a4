import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { serverFiles } from "../../providers/folders";
import { codesOf, findingsOf } from "../support/findings";
import { TestFleet, TestServer } from "../support/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/messages";
import { whileStopped } from "../support/servers";
import { until } from "../support/until";

/** What a server that lost its store, or acknowledged messages, leads to; one site is enough to see it. */
describe("losses", function () {
  this.timeout(60_000);

  const ONE_SITE = { sites: [{ name: "oslo" }] };

  const storeOf = ({ folder }: TestServer): string => serverFiles(folder).store;

  const loseStore = (server: TestServer): Promise<void> =>
    whileStopped(server.folder, () => rmSync(storeOf(server), { recursive: true }));

  /** Puts the store back to what it was when `keep` copied it. */
  const keepStore = (server: TestServer): Promise<void> =>
    whileStopped(server.folder, () => cpSync(storeOf(server), `${storeOf(server)}.old`, { recursive: true }));
  const rollBack = (server: TestServer): Promise<void> =>
    whileStopped(server.folder, () => {
      rmSync(storeOf(server), { recursive: true });
      cpSync(`${storeOf(server)}.old`, storeOf(server), { recursive: true });
    });

  const publish = async (fleet: TestFleet, from: number, to: number): Promise<void> =>
    publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));

  /** Waits until the hub has exactly the messages up to `last`, in any order and each once. */
  async function hubHas(fleet: TestFleet, last: number): Promise<void> {
    await until(`the hub has ${last} messages`, async () => (await fleet.collected("oslo")).state.messages >= last);
    assert.deepEqual((await collectedTexts(fleet, "oslo", "events.>")).sort(), textsFrom(1, last).sort());
  }

  it("a hub that lost its store gets everything again that the sites still hold, and the proof says so", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await publish(fleet, 1, 100);
    await hubHas(fleet, 100);
    await fleet.prove();
    await loseStore(fleet.hub);
    await fleet.up();
    await hubHas(fleet, 100);
    const [row] = await fleet.prove();
    assert.equal(row?.status, "proven");
    assert.match(row.note, /the hub lost its stream OSLO\/EVENTS and has a new one/);
    await fleet.repair();
    assert.equal((await fleet.prove())[0]?.note, "", "it is said once");
  });

  it("a hub whose store went back in time gets everything again that the sites still hold", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await publish(fleet, 1, 100);
    await hubHas(fleet, 100);
    await keepStore(fleet.hub);
    await publish(fleet, 101, 160);
    await hubHas(fleet, 160);
    await rollBack(fleet.hub);
    await fleet.up();
    await hubHas(fleet, 160);
    await publish(fleet, 161, 170);
    await hubHas(fleet, 170);
  });

  it("a hub whose store went back in time shows in the proof when the sites no longer hold what it lost", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await publish(fleet, 1, 100);
    await hubHas(fleet, 100);
    await keepStore(fleet.hub);
    await publish(fleet, 101, 160);
    await hubHas(fleet, 160);
    await fleet.prove();
    await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
    await rollBack(fleet.hub);
    await fleet.up();
    const [row] = await fleet.prove();
    assert.equal(row?.status, "proven");
    assert.match(row.note, /the hub's stream OSLO\/EVENTS went back in time/);
  });

  it("a site that lost its store gets a new stream, and what it stores from then on arrives", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await publish(fleet, 1, 100);
    await hubHas(fleet, 100);
    await loseStore(fleet.site("oslo"));
    await fleet.up();
    await publish(fleet, 101, 120);
    await hubHas(fleet, 120);
    await fleet.prove();
  });

  it("a site that lost acknowledged messages is found, and its new messages arrive once its stream is moved on", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    await publish(fleet, 1, 50);
    await hubHas(fleet, 50);
    await keepStore(fleet.site("oslo"));
    await fleet.repair();
    await publish(fleet, 51, 100);
    await hubHas(fleet, 100);
    await rollBack(fleet.site("oslo"));
    await fleet.repair();
    const findings = await findingsOf(fleet);
    assert.deepEqual(codesOf(findings), ["oslo: site-store-rolled-back"]);
    assert.match(findings[0]!.cause, /lost acknowledged messages/);
    assert.match(findings[0]!.evidence, /the hub took sequence 100, the site's last is 5\d/);
    // The cure that the finding names: the site's stream goes on behind the sequence that the hub has.
    const operator = await fleet.connect(fleet.site("oslo"), "operator");
    assert.match(findings[0]!.next, /nats stream purge EVENTS --seq 101/);
    await operator.request("$JS.API.STREAM.PURGE.EVENTS", JSON.stringify({ seq: 101 }));
    await fleet.repair();
    await publish(fleet, 101, 120);
    await hubHas(fleet, 120);
    await fleet.prove();
  });
});
