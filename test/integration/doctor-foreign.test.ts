import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUser } from "@nats-io/nkeys";
import { NatsConnection, connect } from "nats";
import { spawnSync } from "node:child_process";
import { parseFleetFile } from "../../fleet/doctor/doctor-file";
import { examineFleet } from "../../fleet/doctor/doctor";
import { foreignSites } from "../../fleet/doctor/doctor-foreign";
import { Logins } from "../../fleet/doctor/doctor-logins";
import { DoctorReport } from "../../diagnosis/facts/doctor-report";
import { makeFolder, serverFiles } from "../../machine/folders";
import { JetStream } from "../../servers/nats/jetstream";
import { messageOf } from "../../machine/refusal";
import { doctorWords } from "../../commands/words/doctor-words";
import { editConfig, startServer, stopServer, whileStopped } from "../support/servers";
import { keepStore, rollBack } from "../support/stores";
import { until } from "../support/until";
import { codesIn, siteIn } from "../support/watched";

/** Plain nats-servers with users, accounts and names of their own. */
describe("the doctor of a fleet that somebody else deployed", function () {
  this.timeout(120_000);

  let folder: string;
  let ports: Record<"hub" | "leaf" | "site", number>;
  let clients: NatsConnection[];
  const link = createUser();
  const seed = new TextDecoder().decode(link.getSeed());
  const [hubFolder, siteFolder] = [() => join(folder, "hub"), () => join(folder, "site")];

  const freePort = (): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });

  async function start(place: string, config: string): Promise<void> {
    makeFolder(serverFiles(place).store);
    writeFileSync(serverFiles(place).config, config, { mode: 0o600 });
    await startServer(place);
  }

  async function as(port: number, user: string): Promise<NatsConnection> {
    const client = await connect({ servers: `127.0.0.1:${port}`, user, pass: `${user}-password` });
    clients.push(client);
    return client;
  }
  const user = (name: string): string => `{ user: ${name}, password: ${name}-password }`;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-foreign-"));
    clients = [];
    ports = { hub: await freePort(), leaf: await freePort(), site: await freePort() };
    await start(
      hubFolder(),
      `server_name: central
listen: "127.0.0.1:${ports.hub}"
jetstream { store_dir: "${serverFiles(hubFolder()).store}", domain: central }
leafnodes { listen: "127.0.0.1:${ports.leaf}" }
accounts {
  ADMIN { users: [ ${user("admin")} ] }
  PLANT { jetstream: enabled, users: [ { nkey: ${link.getPublicKey()} }, ${user("plant")} ] }
}
system_account: ADMIN
`,
    );
    await start(
      siteFolder(),
      `server_name: plant-1
listen: "127.0.0.1:${ports.site}"
jetstream { store_dir: "${serverFiles(siteFolder()).store}", domain: plant1 }
leafnodes { reconnect: "100ms", remotes: [ { url: "nats-leaf://127.0.0.1:${ports.leaf}", account: LOCAL, nkey: ${seed} } ] }
accounts {
  ADMIN { users: [ ${user("admin")} ] }
  LOCAL { jetstream: enabled, users: [ ${user("app")} ] }
  OTHER { users: [ ${user("other")} ] }
}
system_account: ADMIN
`,
    );
    await linked();
    const site = await as(ports.site, "app");
    await new JetStream(site).createStream(AT_SITE);
    await new JetStream(await as(ports.hub, "plant")).createStream(ON_HUB);
    await measure(20);
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await stopServer(siteFolder());
    await stopServer(hubFolder());
    rmSync(folder, { recursive: true });
  });

  const common = { storage: "file", retention: "limits", max_bytes: -1, max_age: 0, discard: "old" } as const;
  const stream = { ...common, num_replicas: 1, metadata: {} };
  const source = { name: "MEASURED", external: { api: "$JS.plant1.API", deliver: "" } };
  const AT_SITE = { ...stream, name: "MEASURED", subjects: ["measured.>"] };
  const ON_HUB = { ...stream, name: "FROM_PLANT_1", sources: [source] };

  /** Publishes at the site, until the hub has so many messages. */
  async function measure(total: number): Promise<void> {
    const hub = new JetStream(await as(ports.hub, "plant"));
    const held = async () => (await hub.stream("FROM_PLANT_1"))?.state.messages ?? 0;
    const site = (await as(ports.site, "app")).jetstream();
    for (let i = await held(); i < total; i++) await site.publish("measured.x", `${i}`);
    await until(`the hub has ${total} messages`, async () => (await held()) === total);
  }

  const linked = async (): Promise<void> => {
    const request = async () => {
      const admin = await as(ports.hub, "admin");
      const answer = await admin.request(`$SYS.REQ.SERVER.${admin.info!.server_id}.LEAFZ`);
      return (answer.json<{ data: { leafs?: unknown[] } }>().data.leafs ?? []).length === 1;
    };
    await until("the link is up", request);
  };

  const password = (name: string) => {
    writeFileSync(join(folder, name), `${name}-password\n`);
    return { user: name, password: { file: name } };
  };
  const FULL = () => ({
    hub: { url: `nats://127.0.0.1:${ports.hub}`, domain: "central", system: password("admin") },
    accounts: { PLANT: password("plant") },
    sites: [
      {
        name: "plant-1",
        account: "PLANT",
        localAccount: "LOCAL",
        domain: "plant1",
        url: `nats://127.0.0.1:${ports.site}`,
        system: password("admin"),
        login: password("app"),
        streams: [{ name: "MEASURED", hub: "FROM_PLANT_1" }],
      },
    ],
  });
  type Site = Partial<ReturnType<typeof FULL>["sites"][number]>;

  async function examined(file: object, timeoutMs = 15_000): Promise<DoctorReport> {
    const parsed = parseFleetFile(JSON.stringify(file));
    assert.deepEqual(parsed.problems, []);
    const logins = new Logins(folder);
    try {
      return await examineFleet(foreignSites(parsed.file!, logins), timeoutMs);
    } finally {
      await logins.close();
    }
  }
  const atSite = (change: (site: Site) => void) => {
    const file = FULL();
    change(file.sites[0]!);
    return file;
  };

  it("finds it good, with every name of its own", async () => {
    const report = await examined(FULL());
    assert.equal(report.status, "good", JSON.stringify(report, null, 1));
    const { link: up, accounts, streams } = siteIn(report, "plant-1");
    assert.deepEqual([up, accounts], ["up", ["PLANT"]]);
    const [row] = streams;
    assert.deepEqual([row?.collected, row?.sourceSeq, row?.siteSeq, row?.waiting], ["PLANT/FROM_PLANT_1", 20, 20, 0]);
  });

  it("warns of a window of equal message ids on a stream with sources", async () => {
    const hub = new JetStream(await as(ports.hub, "plant"));
    await hub.updateStream({ ...ON_HUB, duplicate_window: 120e9 });
    const report = await examined(FULL());
    const [finding, ...more] = siteIn(report, "plant-1").findings;
    assert.deepEqual([report.status, finding?.code, more], ["warning", "hub-deduplicates", []]);
    assert.match(finding!.next, /set duplicate_window of the hub's stream to 0/);
    await hub.updateStream({ ...ON_HUB, duplicate_window: 0 });
    assert.equal((await examined(FULL())).status, "good");
  });

  it("asks the site's stream over the hub when its own port is not given", async () => {
    const report = await examined(
      atSite((site) => {
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
    const report = await examined({ hub: { url: FULL().hub.url }, sites: [{ name: "plant-1" }] });
    assert.deepEqual([report.status, siteIn(report, "plant-1").verdict], ["partial", "partial"]);
    assert.equal(siteIn(report, "plant-1").link, "unknown");
    assert.match(
      doctorWords(report),
      /not looked at, for no access is given: links and their accounts \(hub.system\); the site's own server \(url\); any stream/,
    );
    assert.match(doctorWords(report), /fleet: nothing wrong was seen, and not everything was looked at$/);
  });

  it("could not look where a login is refused, and says so", async () => {
    writeFileSync(join(folder, "bad"), "wrong");
    const file = FULL();
    const report = await examined({ ...file, accounts: { PLANT: { user: "plant", password: { file: "bad" } } } });
    assert.equal(report.status, "unknown");
    assert.deepEqual(siteIn(report, "plant-1").unseen, [
      { what: "hub stream PLANT/FROM_PLANT_1", why: "the login is refused" },
    ]);
  });

  it("refuses to look with logins that it cannot read, all at once, without their content", async () => {
    const file = FULL();
    writeFileSync(join(folder, "half"), seed.slice(0, 40));
    const accounts = { PLANT: { seed: { file: "half" } } };
    const broken = { ...file, hub: { ...file.hub, system: { creds: { file: "no-such" } } }, accounts };
    const said = await examined(broken).then(
      () => assert.fail("it was not refused"),
      (error: unknown) => messageOf(error),
    );
    assert.match(said, /hub.system: file no-such cannot be read \(ENOENT\)/);
    assert.match(said, /accounts.PLANT: what file half holds is not a valid seed/);
    assert.equal(said.includes(seed.slice(4, 30)), false);
  });

  it("finds the link in another account on the hub", async () => {
    const report = await examined(atSite((site) => (site.account = "PLANT_2")));
    assert.ok(codesIn(report).includes("plant-1: wrong-account-on-hub"), JSON.stringify(codesIn(report)));
  });

  it("finds the link bound to another account at the site", async () => {
    await whileStopped(siteFolder(), () =>
      editConfig(siteFolder(), (text) => text.replace("account: LOCAL", "account: OTHER")),
    );
    await linked();
    const [finding] = siteIn(await examined(FULL()), "plant-1").findings;
    assert.equal(finding?.code, "wrong-account-at-site");
    assert.match(finding.cause, /bound the link to its account OTHER, not LOCAL/);
    assert.doesNotMatch(finding.next, /pulumi/);
  });

  it("finds a link that is down, and says what to look for without this program's commands", async () => {
    await whileStopped(siteFolder(), () => editConfig(siteFolder(), (text) => text.replace("nkey:", "credentials:")));
    const report = await examined(FULL());
    assert.deepEqual([report.status, codesIn(report)], ["error", ["plant-1: link-down"]]);
    const words = doctorWords(report);
    assert.match(words, /the seed in 'nkey' \(not in 'credentials'\)/);
    assert.doesNotMatch(words, /pulumi|make /);
  });

  it("finds a dead site", async () => {
    await stopServer(siteFolder());
    assert.deepEqual(codesIn(await examined(FULL())), ["plant-1: site-down"]);
  });

  it("finds a stream that is not there", async () => {
    const report = await examined(atSite((site) => (site.streams = [{ name: "MEASURED", hub: "NO_SUCH" }])));
    assert.deepEqual(codesIn(report), ["plant-1: stream-missing-on-hub"]);
  });

  describe("whose hub has its stream from before the site's", () => {
    beforeEach(async () => {
      const [hub, site] = [new JetStream(await as(ports.hub, "plant")), new JetStream(await as(ports.site, "app"))];
      await hub.deleteStream(ON_HUB.name);
      await site.deleteStream(AT_SITE.name);
      await hub.createStream(ON_HUB);
      await site.createStream(AT_SITE);
      await hub.updateStream({ ...ON_HUB, sources: [] });
      await hub.updateStream(ON_HUB);
      await measure(50);
    });

    it("finds a lost tail, and what it says to do works", async () => {
      const server = { folder: siteFolder() };
      await keepStore(server);
      await linked();
      await measure(80);
      await rollBack(server);
      await linked();
      const report = await examined(FULL());
      assert.deepEqual([report.status, codesIn(report)], ["error", ["plant-1: site-store-rolled-back"]]);
      const [finding] = siteIn(report, "plant-1").findings;
      assert.match(finding!.cause, /will skip the next 30 silently/);
      assert.doesNotMatch(finding!.next, /pulumi|make /);

      const app = await as(ports.site, "app");
      for (let i = 0; i < 30; i++) await app.jetstream().publish("measured.nobody");
      await new JetStream(app).purge(AT_SITE.name, "measured.nobody");
      await measure(85);
      assert.equal((await examined(FULL())).status, "good");
    });

    it("tells a stream of the site that was made anew from that", async () => {
      const site = new JetStream(await as(ports.site, "app"));
      await site.deleteStream(AT_SITE.name);
      await site.createStream(AT_SITE);
      const codes = codesIn(await examined(FULL(), 3_000));
      assert.ok(codes.includes("plant-1: site-store-lost"), codes.join());
      assert.equal(codes.includes("plant-1: site-store-rolled-back"), false);
    });
  });

  it("is read by the command, with passwords from the environment, and shows none of them", async () => {
    const file = FULL();
    file.hub.system = { user: "admin", password: { env: "ADMIN_PASSWORD" } } as never;
    writeFileSync(join(folder, "fleet.yaml"), JSON.stringify(file));
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["commands/bin.js", "doctor", "--fleet", join(folder, "fleet.yaml"), "--json"],
      { env: { PATH: "", HOME: folder, ADMIN_PASSWORD: "admin-password" }, encoding: "utf8" },
    );
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal((JSON.parse(stdout) as { status: string }).status, "good");
    assert.doesNotMatch(stdout, /-password/);
  });
});
