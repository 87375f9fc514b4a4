import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { JetStream } from "../../servers/nats/jetstream";
import { messageOf } from "../../machine/refusal";
import { doctorWords } from "../../commands/words/doctor-words";
import { AT_SITE, ForeignFleet, ON_HUB, SOURCE } from "../support/fleets/foreign-fleet";
import { editConfig, stopServer, whileStopped } from "../support/fleets/servers";
import { keepStore, rollBack } from "../support/fleets/stores";
import { codesIn, siteIn } from "../support/fleets/watched";

/** Plain nats-servers with users, accounts and names of their own. */
describe("the doctor of a fleet that somebody else deployed", function () {
  this.timeout(120_000);

  let fleet: ForeignFleet;

  beforeEach(async () => {
    fleet = await ForeignFleet.start();
    await fleet.measure(20);
  });
  afterEach(() => fleet.stop());

  it("finds it good, with every name of its own", async () => {
    const report = await fleet.examined();
    assert.equal(report.status, "good", JSON.stringify(report, null, 1));
    const { link: up, accounts, streams } = siteIn(report, "plant-1");
    assert.deepEqual([up, accounts], ["up", ["PLANT"]]);
    const [row] = streams;
    assert.deepEqual([row?.collected, row?.sourceSeq, row?.siteSeq, row?.waiting], ["PLANT/FROM_PLANT_1", 20, 20, 0]);
  });

  it("warns of a window of equal message ids on a stream with sources", async () => {
    const hub = await fleet.jetStream("plant");
    await hub.updateStream({ ...ON_HUB, duplicate_window: 120e9 });
    const report = await fleet.examined();
    const [finding, ...more] = siteIn(report, "plant-1").findings;
    assert.deepEqual([report.status, finding?.code, more], ["warning", "hub-deduplicates", []]);
    assert.match(finding!.next, /set duplicate_window of the hub's stream to 0/);
    await hub.updateStream({ ...ON_HUB, duplicate_window: 0 });
    assert.equal((await fleet.examined()).status, "good");
  });

  it("asks the site's stream over the hub when its own port is not given", async () => {
    const report = await fleet.examined(
      fleet.fileWith((site) => {
        delete site.url;
        delete site.system;
        delete site.login;
      }),
    );
    assert.equal(report.status, "partial");
    const { streams, notGiven } = siteIn(report, "plant-1");
    assert.equal(streams[0]?.siteSeq, 20);
    assert.deepEqual(notGiven, ["the site's own server (url)"]);
  });

  it("says what no access is given for, and calls nothing of it good", async () => {
    const report = await fleet.examined({ hub: { url: fleet.file().hub.url }, sites: [{ name: "plant-1" }] });
    assert.deepEqual([report.status, siteIn(report, "plant-1").verdict], ["partial", "partial"]);
    assert.equal(siteIn(report, "plant-1").link, "unknown");
    assert.match(
      doctorWords(report),
      /not looked at, because no access is given: links and their accounts \(hub.system\); the site's own server \(url\); any stream/,
    );
    assert.match(doctorWords(report), /fleet: nothing wrong was seen, but not everything could be looked at$/);
  });

  it("could not look where a login is refused, and says so", async () => {
    writeFileSync(join(fleet.folder, "bad"), "wrong");
    const file = fleet.file();
    const report = await fleet.examined({ ...file, accounts: { PLANT: { user: "plant", password: { file: "bad" } } } });
    assert.equal(report.status, "unknown");
    assert.deepEqual(siteIn(report, "plant-1").unseen, [
      { what: "hub stream PLANT/FROM_PLANT_1", why: "the login is refused" },
    ]);
  });

  it("refuses to look with logins that it cannot read, all at once, without their content", async () => {
    const file = fleet.file();
    writeFileSync(join(fleet.folder, "half"), fleet.seed.slice(0, 40));
    const accounts = { PLANT: { seed: { file: "half" } } };
    const broken = { ...file, hub: { ...file.hub, system: { creds: { file: "no-such" } } }, accounts };
    const said = await fleet.examined(broken).then(
      () => assert.fail("it was not refused"),
      (error: unknown) => messageOf(error),
    );
    assert.match(said, /hub.system: file no-such cannot be read \(ENOENT\)/);
    assert.match(said, /accounts.PLANT: what file half holds is not a valid seed/);
    assert.equal(said.includes(fleet.seed.slice(4, 30)), false);
  });

  it("finds the link in another account on the hub", async () => {
    const report = await fleet.examined(fleet.fileWith((site) => (site.account = "PLANT_2")));
    assert.ok(codesIn(report).includes("plant-1: wrong-account-on-hub"), JSON.stringify(codesIn(report)));
  });

  it("finds the link bound to another account at the site", async () => {
    await whileStopped(fleet.site, () =>
      editConfig(fleet.site, (text) => text.replace("account: LOCAL", "account: OTHER")),
    );
    await fleet.linked();
    const [finding] = siteIn(await fleet.examined(), "plant-1").findings;
    assert.equal(finding?.code, "wrong-account-at-site");
    assert.match(finding.cause, /bound the link to its account OTHER, not LOCAL/);
    assert.doesNotMatch(finding.next, /pulumi/);
  });

  it("finds a link that is down, and says what to look for without this program's commands", async () => {
    await whileStopped(fleet.site, () => editConfig(fleet.site, (text) => text.replace("nkey:", "credentials:")));
    const report = await fleet.examined();
    assert.deepEqual([report.status, codesIn(report)], ["error", ["plant-1: link-down"]]);
    const words = doctorWords(report);
    assert.match(words, /the seed in 'nkey' \(not in 'credentials'\)/);
    assert.doesNotMatch(words, /pulumi|make /);
  });

  it("finds a dead site", async () => {
    await stopServer(fleet.site);
    assert.deepEqual(codesIn(await fleet.examined()), ["plant-1: site-down"]);
  });

  it("finds a stream that is not there", async () => {
    const report = await fleet.examined(
      fleet.fileWith((site) => (site.streams = [{ name: "MEASURED", hub: "NO_SUCH" }])),
    );
    assert.deepEqual(codesIn(report), ["plant-1: stream-missing-on-hub"]);
  });

  describe("whose hub has its stream from before the site's", () => {
    beforeEach(async () => {
      const [hub, site] = [await fleet.jetStream("plant"), await fleet.jetStream("app")];
      await hub.deleteStream(ON_HUB.name);
      await site.deleteStream(AT_SITE.name);
      await hub.createStream(ON_HUB);
      await site.createStream(AT_SITE);
      await hub.updateStream({ ...ON_HUB, sources: [] });
      await hub.updateStream(ON_HUB);
      await fleet.measure(50);
    });

    it("finds a lost tail, and what it says to do works", async () => {
      const server = { folder: fleet.site };
      await keepStore(server);
      await fleet.linked();
      await fleet.measure(80);
      await rollBack(server);
      await fleet.linked();
      const report = await fleet.examined();
      assert.deepEqual([report.status, codesIn(report)], ["error", ["plant-1: site-store-rolled-back"]]);
      const [finding] = siteIn(report, "plant-1").findings;
      assert.match(finding!.cause, /will skip the next 30 silently/);
      assert.doesNotMatch(finding!.next, /pulumi|make /);

      const app = await fleet.as("app");
      for (let i = 0; i < 30; i++) await app.jetstream().publish("measured.nobody");
      await new JetStream(app).purge(AT_SITE.name, "measured.nobody");
      await fleet.measure(85);
      assert.equal((await fleet.examined()).status, "good");
    });

    it("names a stream of the site that was recreated, which is no lost tail", async () => {
      const site = await fleet.jetStream("app");
      await site.deleteStream(AT_SITE.name);
      await site.createStream(AT_SITE);
      const codes = codesIn(await fleet.examined(fleet.file(), 3_000));
      assert.ok(codes.includes("plant-1: site-store-lost"), codes.join());
      assert.equal(codes.includes("plant-1: site-store-rolled-back"), false);
    });
  });

  it("is read by the command, with passwords from the environment, and shows none of them", async () => {
    const file = fleet.file();
    file.hub.system = { user: "admin", password: { env: "ADMIN_PASSWORD" } } as never;
    writeFileSync(join(fleet.folder, "fleet.yaml"), JSON.stringify(file));
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["commands/bin.js", "doctor", "--fleet", join(fleet.folder, "fleet.yaml"), "--json"],
      { env: { PATH: "", HOME: fleet.folder, ADMIN_PASSWORD: "admin-password" }, encoding: "utf8" },
    );
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal((JSON.parse(stdout) as { status: string }).status, "good");
    assert.doesNotMatch(stdout, /-password/);
  });
});

/** Shapes that other people's fleets have; nothing is wrong with any of them. */
describe("the doctor of a fleet that somebody else deployed finds nothing wrong with", function () {
  this.timeout(120_000);

  let fleet: ForeignFleet | undefined;
  afterEach(() => fleet?.stop());

  const MIRROR = { ...ON_HUB, sources: undefined, mirror: SOURCE };
  const filtered = (...filters: string[]) => ({
    ...ON_HUB,
    sources: filters.map((filter_subject) => ({ ...SOURCE, filter_subject })),
  });
  const renamed = (src: string, dest: string) => ({
    ...ON_HUB,
    sources: [{ ...SOURCE, subject_transforms: [{ src, dest }] }],
  });

  /** Publishes what the hub takes and what it leaves, the latter last. */
  async function publishBoth(): Promise<void> {
    await fleet!.measure(20, { subject: "measured.a.1" });
    const site = (await fleet!.as("app")).jetstream();
    for (let i = 0; i < 30; i++) await site.publish("measured.left", `${i}`);
  }

  async function isGood(waiting = 0): Promise<void> {
    const report = await fleet!.examined();
    assert.equal(report.status, "good", JSON.stringify(report, null, 1));
    assert.equal(siteIn(report, "plant-1").streams[0]?.waiting, waiting);
  }

  it("a mirror", async () => {
    fleet = await ForeignFleet.start({ onHub: MIRROR });
    await fleet.measure(20);
    await isGood();
  });

  it("a mirror that takes a part of the subjects", async () => {
    fleet = await ForeignFleet.start({ onHub: { ...MIRROR, mirror: { ...SOURCE, filter_subject: "measured.a.>" } } });
    await publishBoth();
    await isGood();
  });

  it("a source that takes a part of the subjects", async () => {
    fleet = await ForeignFleet.start({ onHub: filtered("measured.a.>") });
    await publishBoth();
    await isGood();
  });

  it("two sources that take a part each", async () => {
    fleet = await ForeignFleet.start({ onHub: filtered("measured.a.>", "measured.b.>") });
    await publishBoth();
    await isGood();
    await fleet.measure(25, { subject: "measured.b.1" });
    await isGood();
  });

  it("a source that stores a part under other subjects", async () => {
    fleet = await ForeignFleet.start({ onHub: renamed("measured.a.>", "plant1.a.>") });
    await publishBoth();
    await isGood();
  });

  it("a hub of three whose link ends at another server than the one that is asked", async () => {
    fleet = await ForeignFleet.start({ hubs: 3, onHub: { ...ON_HUB, num_replicas: 3 } });
    await fleet.measure(20);
    const report = await fleet.examined();
    assert.equal(report.status, "good", JSON.stringify(report, null, 1));
    assert.deepEqual(siteIn(report, "plant-1").accounts, ["PLANT"]);
  });
});

/** The same shapes with something wrong, for a rule that never speaks is as bad. */
describe("the doctor of a fleet that somebody else deployed still finds", function () {
  this.timeout(120_000);

  let fleet: ForeignFleet;
  afterEach(() => fleet.stop());

  it("that the site went away from a hub of three", async () => {
    fleet = await ForeignFleet.start({ hubs: 3 });
    await fleet.measure(5);
    await whileStopped(fleet.site, () => editConfig(fleet.site, (text) => text.replace("nkey:", "credentials:")));
    assert.deepEqual(codesIn(await fleet.examined()), ["plant-1: link-down"]);
  });

  it("a mirror of a stream that is not there", async () => {
    fleet = await ForeignFleet.start({
      onHub: { ...ON_HUB, sources: undefined, mirror: { ...SOURCE, name: "MISSPELT" } },
    });
    await (await fleet.as("app")).jetstream().publish("measured.x", "1");
    assert.deepEqual(codesIn(await fleet.examined()), ["plant-1: source-wrong-stream"]);
  });

  it("one of two sources that stands still while messages wait for it", async () => {
    const sources = ["measured.a.>", "measured.b.>"].map((filter_subject) => ({ ...SOURCE, filter_subject }));
    fleet = await ForeignFleet.start({ onHub: { ...ON_HUB, sources } });
    await fleet.measure(5, { subject: "measured.a.1" });
    await fleet.pauseSource("measured.b.>");
    const site = (await fleet.as("app")).jetstream();
    for (let i = 0; i < 4; i++) await site.publish("measured.b.1", `${i}`);
    await fleet.measure(9, { subject: "measured.a.1" });
    assert.deepEqual(codesIn(await fleet.examined()), ["plant-1: source-paused"]);
  });
});
