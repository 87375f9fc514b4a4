import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AckPolicy } from "nats";
import { hubStreamsOf } from "../../commands/backup/hub-streams";
import { type SavedStream, readManifest } from "../../commands/backup/manifest";
import { restore } from "../../commands/backup/restore";
import { unfinishedConfig } from "../../commands/backup/wanted";
import { present } from "../../configs/values";
import { restoreSnapshot } from "../../servers/nats/snapshot";
import {
  Backups,
  MODES,
  NOTHING,
  arrives,
  backedUp,
  bookOf,
  lost,
  streams,
  textsOnHub,
} from "../support/fleets/backups";
import { TestFleet } from "../support/fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { whyNoSmallDisk } from "../support/fleets/small-disk";
import { loseStore } from "../support/fleets/stores";
import { killServer, startServer, stopServer } from "../support/fleets/servers";
import { observedOf } from "../support/fleets/watched";
import { until } from "../support/until";

/** A backup of the hub, the loss of its store, and the way back; every message is counted by its text. */

for (const mode of MODES)
  describe(`a backup of the hub, ${mode}`, function () {
    this.timeout(120_000);

    it("brings back a hub that lost its store: everything once, and the gap in numbers", async () => {
      using backups = new Backups();
      await using fleet = await TestFleet.deploy(streams(mode));
      await fleet.prove();
      const oslo = await fleet.application("oslo");
      await publishAll(oslo, "events.a", textsFrom(1, 300));
      await arrives(fleet, mode, "oslo", 300);
      await backups.save(fleet);
      await publishAll(oslo, "events.a", textsFrom(301, 400));
      await arrives(fleet, mode, "oslo", 400);
      assert.deepEqual(await bookOf(fleet, "oslo"), NOTHING);
      // Only the site's newest 60 messages are left there: 40 are neither in the backup nor at the site.
      const site = await fleet.atSite("oslo");
      const { state } = (await site.stream(mode === "merged" ? "EVENTS_OSLO" : "EVENTS"))!;
      await site.purge(mode === "merged" ? "EVENTS_OSLO" : "EVENTS", "events.>", state.last_seq - 59);
      await loseStore(fleet.hub);
      await fleet.repair();
      await fleet.prove();
      await publishAll(oslo, "events.a", textsFrom(401, 420));
      await backups.restore(fleet);
      await arrives(fleet, mode, "oslo", 380);
      const texts = await textsOnHub(fleet, mode, "oslo");
      assert.deepEqual(texts, [...textsFrom(1, 300), ...textsFrom(341, 420)]);
      assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, missing: 40 });
      assert.deepEqual(await bookOf(fleet, "bergen"), NOTHING);
      await publishAll(oslo, "events.a", textsFrom(421, 430));
      await arrives(fleet, mode, "oslo", 390);
      assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, missing: 40 });
      await fleet.prove();
      assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, missing: 40 });
      assert.deepEqual((await fleet.preview()).changes, []);
    });
  });

const flip = (file: string, at: number): void => {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
};

describe("a backup", function () {
  this.timeout(120_000);

  it("is for its owner alone, and shows its progress", async () => {
    using backups = new Backups();
    await using fleet = (await backedUp(backups)).fleet;
    assert.equal(statSync(backups.at("one")).mode & 0o777, 0o700);
    const files = readdirSync(backups.at("one"));
    assert.deepEqual(files.sort(), ["OSLO.EVENTS.snapshot", "manifest.json"]);
    for (const file of files) assert.equal(statSync(join(backups.at("one"), file)).mode & 0o777, 0o600, file);
    assert.match(backups.said.join("\n"), /OSLO\/EVENTS: 50 messages/);
    const text = readFileSync(join(backups.at("one"), "manifest.json"), "utf8");
    for (const seed of fleet.seeds) assert.ok(!text.includes(seed));
  });

  it("is not written over another one, nor beside files of others", async () => {
    using backups = new Backups();
    await using fleet = (await backedUp(backups)).fleet;
    await assert.rejects(backups.save(fleet), /holds a complete backup already; give another folder/);
    assert.ok(existsSync(join(backups.at("one"), "manifest.json")));
    writeFileSync(join(backups.folder, "mine"), "");
    await assert.rejects(backups.save(fleet, "."), /holds files that are no backup/);
    assert.ok(existsSync(join(backups.folder, "mine")));
  });

  it("names a stream of the hub that it does not hold", async () => {
    using backups = new Backups();
    await using fleet = (await backedUp(backups)).fleet;
    const js = await fleet.atHub("oslo");
    await js.createStream({
      ...(await js.stream("EVENTS"))!.config,
      name: "OTHERS",
      sources: [],
      max_bytes: 1_000_000,
      metadata: {},
    });
    assert.deepEqual((await backups.save(fleet, "two")).leftOut, ["OSLO/OTHERS"]);
  });

  it("holds a stream that left the settings and that the hub keeps, which a restore leaves in it", async () => {
    using backups = new Backups();
    await using fleet = (await backedUp(backups)).fleet;
    const js = await fleet.atHub("oslo");
    await js.createStream({ ...(await js.stream("EVENTS"))!.config, name: "KEPT", sources: [], max_bytes: 1_000_000 });
    const { streams: saved, leftOut } = await backups.save(fleet, "two");
    assert.deepEqual([saved.map(({ name }) => name), leftOut], [["OSLO/EVENTS", "OSLO/KEPT"], []]);
    await lost(fleet);
    await backups.restore(fleet, "two");
    assert.deepEqual(await js.streamNames().catch(async () => (await fleet.atHub("oslo")).streamNames()), ["EVENTS"]);
  });

  it("that the hub's end breaks off says so, and leaves nothing", async () => {
    using backups = new Backups();
    const { fleet, oslo } = await backedUp(backups);
    await using _ = fleet;
    for (let i = 0; i < 40; i++) await oslo.jetstream().publish("events.big", randomBytes(900_000));
    await arrives(fleet, "perSite", "oslo", 90);
    const saving = backups.save(fleet, "two");
    saving.catch(() => undefined);
    const file = join(backups.at("two"), "OSLO.EVENTS.snapshot");
    await until("bytes arrive", () => existsSync(file) && statSync(file).size > 0);
    await killServer(fleet.hub.folder);
    await assert.rejects(saving, /the snapshot of stream EVENTS was interrupted .* run the command again/);
    assert.deepEqual(readdirSync(backups.at("two")), []);
  });

  it("with a passphrase shows nothing of the messages, and comes back with that passphrase alone", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups, { passphrase: "a good one" });
    await using _ = fleet;
    const sealed = readFileSync(join(backups.at("one"), "OSLO.EVENTS.sealed"));
    assert.ok(!sealed.includes("events.a") && !sealed.includes("sNaPpY"));
    await lost(fleet);
    assert.throws(() => readManifest(backups.at("one"), undefined), /is encrypted; set BACKUP_PASSPHRASE_FILE/);
    assert.throws(() => readManifest(backups.at("one"), "another"), /the passphrase is not the one/);
    await backups.restore(fleet, "one", "a good one");
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), textsFrom(1, 50));
  });

  for (const passphrase of [undefined, "a good one"])
    it(`${passphrase === undefined ? "" : "with a passphrase "}is refused when a byte of it changed, before anything is touched`, async () => {
      using backups = new Backups();
      const { fleet } = await backedUp(backups, present({ passphrase }));
      await using _ = fleet;
      await lost(fleet);
      await arrives(fleet, "perSite", "oslo", 50);
      const before = (await fleet.collected("oslo")).created;
      const file = join(backups.at("one"), `OSLO.EVENTS.${passphrase === undefined ? "snapshot" : "sealed"}`);
      flip(file, 40);
      await assert.rejects(
        backups.restore(fleet, "one", passphrase),
        /was changed or is damaged.*\n?.*nothing was touched/,
      );
      flip(file, 40);
      const manifest = join(backups.at("one"), "manifest.json");
      flip(manifest, readFileSync(manifest).indexOf("OSLO/EVENTS"));
      assert.throws(() => readManifest(backups.at("one"), passphrase), /manifest\.json: was changed or is damaged/);
      assert.equal((await fleet.collected("oslo")).created, before);
    });

  it("fails with clear words when its disk is full, and leaves nothing there", async function () {
    const why = whyNoSmallDisk();
    if (why !== undefined && process.env.CI !== "true") return void this.skip();
    using backups = new Backups();
    const { fleet, oslo } = await backedUp(backups);
    await using _ = fleet;
    await oslo.jetstream().publish("events.big", randomBytes(900_000));
    await arrives(fleet, "perSite", "oslo", 51);
    const small = backups.at("small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=300000,mode=0700", "tmpfs", small]);
    try {
      await assert.rejects(
        backups.save(fleet, "small"),
        /small: its disk is full; nothing of this backup is left there/,
      );
      assert.deepEqual(readdirSync(small), []);
    } finally {
      execFileSync("umount", ["-l", small]);
    }
  });
});

describe("a restore", function () {
  this.timeout(120_000);

  it("goes on at the position of the backup, although the hub's stream held nothing any more", async () => {
    using backups = new Backups();
    const { fleet, oslo } = await backedUp(backups);
    await using _ = fleet;
    await (await fleet.atHub("oslo")).purge("EVENTS", ">");
    await backups.save(fleet, "empty");
    await lost(fleet);
    await publishAll(oslo, "events.a", textsFrom(51, 60));
    await arrives(fleet, "perSite", "oslo", 60);
    await backups.restore(fleet, "empty");
    await arrives(fleet, "perSite", "oslo", 10);
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), textsFrom(51, 60));
    const { state, config } = await fleet.collected("oslo");
    assert.equal(state.last_seq, 60);
    assert.deepEqual(
      config.sources?.map((source) => source.opt_start_seq),
      [1],
    );
    assert.deepEqual((await fleet.preview()).changes, []);
  });

  it("brings consumers back to where they were", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups);
    await using _ = fleet;
    const reader = await fleet.onHub("oslo", "reader");
    const manager = await reader.jetstreamManager();
    await manager.consumers.add("EVENTS", { durable_name: "billing", ack_policy: AckPolicy.Explicit });
    const billing = await reader.jetstream().consumers.get("EVENTS", "billing");
    for await (const message of await billing.fetch({ max_messages: 20, expires: 5_000 })) await message.ackAck();
    await backups.save(fleet, "two");
    await lost(fleet);
    await backups.restore(fleet, "two");
    const again = await (await fleet.onHub("oslo", "reader")).jetstream().consumers.get("EVENTS", "billing");
    assert.equal((await again.info()).num_pending, 30);
  });

  it("brings back a stream that is kept in memory", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups, { collect: { storage: "memory" } });
    await using _ = fleet;
    await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
    await lost(fleet);
    assert.equal((await fleet.collected("oslo")).state.messages, 0);
    await backups.restore(fleet);
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), textsFrom(1, 50));
    assert.equal((await fleet.collected("oslo")).config.storage, "memory");
  });

  it("says that the hub does not answer, and so does a backup", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups);
    await using _ = fleet;
    await stopServer(fleet.hub.folder);
    await assert.rejects(backups.restore(fleet), /^Refusal: hub: does not answer at nats:.*start it with 'make up'/);
    await assert.rejects(
      backups.save(fleet, "two"),
      /^Refusal: hub: does not answer at nats:.*start it with 'make up'/,
    );
  });

  it("goes through a hub that takes small messages only", async () => {
    using backups = new Backups();
    await using fleet = await TestFleet.deploy({ ...streams("perSite"), sites: [{ name: "oslo" }] });
    const oslo = await fleet.application("oslo");
    for (let i = 0; i < 20; i++) await oslo.jetstream().publish("events.a", randomBytes(3_000));
    await arrives(fleet, "perSite", "oslo", 20);
    await backups.save(fleet);
    await lost(fleet);
    // The client splits by what its server says.
    const js = await fleet.atHub("oslo");
    Object.assign(js.connection.info!, { max_payload: 4_096 });
    await backups.restore(fleet);
    assert.equal((await fleet.collected("oslo")).state.messages, 20);
  });

  it("does not wait for a site that is down: its source goes on when the site is back", async () => {
    using backups = new Backups();
    const { fleet, oslo } = await backedUp(backups);
    await using _ = fleet;
    await (await fleet.atHub("oslo")).purge("EVENTS", ">");
    await backups.save(fleet, "empty");
    await lost(fleet);
    await publishAll(oslo, "events.a", textsFrom(51, 55));
    const js = await fleet.atHub("oslo");
    await js.deleteStream("EVENTS");
    await stopServer(fleet.site("oslo").folder);
    await backups.restore(fleet, "empty");
    await startServer(fleet.site("oslo").folder);
    await fleet.repair();
    await arrives(fleet, "perSite", "oslo", 5);
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), textsFrom(51, 55));
    // By the purge, before the backup.
    assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, dropped: 50 });
  });

  it("does nothing the second time", async () => {
    using backups = new Backups();
    const { fleet, oslo } = await backedUp(backups);
    await using _ = fleet;
    await lost(fleet);
    await backups.restore(fleet);
    await publishAll(oslo, "events.a", textsFrom(51, 60));
    await arrives(fleet, "perSite", "oslo", 60);
    const { created } = await fleet.collected("oslo");
    await backups.restore(fleet);
    assert.equal((await fleet.collected("oslo")).created, created);
    assert.deepEqual(await bookOf(fleet, "oslo"), NOTHING);
  });

  it("refuses a hub that lost nothing, unless REMAKE permits it", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups);
    await using _ = fleet;
    const { created } = await fleet.collected("oslo");
    await assert.rejects(
      backups.restore(fleet),
      /hub stream OSLO\/EVENTS: holds 50 messages and is older than the backup.*REMAKE=hub\/OSLO\/EVENTS/,
    );
    assert.equal((await fleet.collected("oslo")).created, created);
    process.env.REMAKE = "hub/OSLO/EVENTS";
    await backups.restore(fleet).finally(() => delete process.env.REMAKE);
    assert.notEqual((await fleet.collected("oslo")).created, created);
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), textsFrom(1, 50));
  });

  it("refuses to lose messages that only the hub of now has", async () => {
    using backups = new Backups();
    const { fleet, oslo } = await backedUp(backups);
    await using _ = fleet;
    await lost(fleet);
    await publishAll(oslo, "events.a", textsFrom(51, 60));
    await arrives(fleet, "perSite", "oslo", 60);
    const site = await fleet.atSite("oslo");
    for (const seq of [55, 58]) await site.deleteMessage("EVENTS", seq);
    await assert.rejects(
      backups.restore(fleet),
      /holds 60 messages, and 2 of them are neither in the backup nor at a site any more/,
    );
    assert.equal((await fleet.collected("oslo")).state.messages, 60);
  });

  it("refuses a stream with consumers that would go back", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups);
    await using _ = fleet;
    await lost(fleet);
    await arrives(fleet, "perSite", "oslo", 50);
    const manager = await (await fleet.onHub("oslo", "reader")).jetstreamManager();
    await manager.consumers.add("EVENTS", { durable_name: "billing", ack_policy: AckPolicy.Explicit });
    await assert.rejects(backups.restore(fleet), /and the consumers billing: these would go back/);
  });

  it("refuses what does not fit: another stack, another mode, a smaller stream", async () => {
    using backups = new Backups();
    const { fleet } = await backedUp(backups);
    await using _ = fleet;
    await lost(fleet);
    const opened = readManifest(backups.at("one"), undefined);
    const into = { stack: "other", folder: backups.at("one"), fleet: observedOf(fleet) };
    await assert.rejects(restore(opened, into), /is of stack 'test', not of 'other'/);
    const asMerged = observedOf(fleet).map((one) => ({
      ...one,
      streams: one.streams.map((stream) => ({ ...stream, collect: { ...stream.collect, mode: "merged" as const } })),
      access: { ...one.access, hubOperator: fleet.hub.seeds.operator },
    }));
    await assert.rejects(
      restore(opened, { ...into, stack: "test", fleet: asMerged }),
      /hub stream OSLO\/EVENTS: the backup has it as perSite, the settings have merged/,
    );
    const smaller = observedOf(fleet).map((one) => ({
      ...one,
      streams: one.streams.map((stream) => ({ ...stream, collect: { ...stream.collect, maxBytes: 1_000 } })),
    }));
    await assert.rejects(
      restore(opened, { ...into, stack: "test", fleet: smaller }),
      /the backup holds .*, and collect.maxBytes is 1000 B: its oldest messages would be dropped; raise it/,
    );
  });

  for (const isMixedUp of [false, true])
    it(`that was interrupted in the middle is done again from the beginning${isMixedUp ? ", also after an up" : ""}`, async () => {
      using backups = new Backups();
      const { fleet, oslo } = await backedUp(backups);
      await using _ = fleet;
      for (let i = 0; i < 20; i++) await oslo.jetstream().publish("events.big", randomBytes(300_000));
      await arrives(fleet, "perSite", "oslo", 70);
      const { streams: saved } = await backups.save(fleet, "two");
      await lost(fleet);
      await (await fleet.atHub("oslo")).deleteStream("EVENTS");
      const js = await fleet.atHub("oslo");
      const [hub] = hubStreamsOf(observedOf(fleet));
      const config = unfinishedConfig(hub!, saved[0]!);
      const bytes = readFileSync(join(backups.at("two"), "OSLO.EVENTS.snapshot"));
      async function* half(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length / 2; at += 100_000) {
          await Promise.resolve();
          yield bytes.subarray(at, at + 100_000);
        }
        throw new Error("killed");
      }
      await assert.rejects(restoreSnapshot(js, { config, state: stateLike(saved[0]!) }, half()), /killed/);
      await until("a part of the stream is there", async () => ((await js.stream("EVENTS"))?.state.messages ?? 0) > 50);
      if (isMixedUp) await fleet.repair();
      await backups.restore(fleet, "two");
      assert.equal((await fleet.collected("oslo")).state.messages, 70);
      assert.deepEqual(await bookOf(fleet, "oslo"), NOTHING);
      const { changes, reports } = await fleet.preview();
      assert.deepEqual(changes, [], reports.join("\n"));
    });
});

const stateLike = ({ messages, storedBytes, first, last }: SavedStream) => ({
  messages,
  bytes: storedBytes,
  first_seq: first,
  last_seq: last,
});
