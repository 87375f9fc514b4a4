import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createUser, fromSeed } from "@nats-io/nkeys";
import { NatsConnection } from "nats";
import { declareHub, declareHubLink, declareLeaf } from "../../configs/plan/declare";
import { planHub } from "../../configs/plan/plan-hub";
import { planLeaf } from "../../configs/plan/plan-leaf";
import { render } from "../../configs/format/render";
import { ServerConfig } from "../../configs/server-config";
import { StreamSettings } from "../../configs/settings";
import { StreamConfig, hubStreamConfig, siteStreamConfig, sourceOf } from "../../configs/streams";
import { NatsServer, checkConfig, findNatsServer } from "../../servers/nats-server-binary";
import { open } from "../../servers/nats/connection";
import { newKey, newSeed, settingsOf } from "../support/rules/settings";

// What configs/ makes, judged by a real nats-server.

const settings = settingsOf({
  sites: [{ name: "oslo-2" }],
  streams: [
    { name: "EVENTS", subjects: ["events.>", "doors.*.state"] },
    { name: "LOGS", subjects: ["logs.*.of.*", "traces.*.>"], collect: { mode: "merged", maxBytes: "1MiB" } },
  ],
});
const [site] = settings.sites as [(typeof settings.sites)[number]];
const [EVENTS, LOGS] = settings.streams as [StreamSettings, StreamSettings];

const OPERATOR = newSeed();
const publicKeyOf = (seed: string): string => fromSeed(new TextEncoder().encode(seed)).getPublicKey();

describe("a configuration, to a real nats-server", () => {
  let binary: NatsServer;
  let folder: string;
  before(async () => {
    binary = await findNatsServer();
    folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-configs-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const pathsOf = (name: string) => ({ store: join(folder, name, "store"), log: join(folder, `${name}.log`) });
  const write = (name: string, config: ServerConfig): string => {
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, render(config), { mode: 0o600 });
    return file;
  };

  function hubConfig(streams: StreamSettings[], ports = { client: 4222, leafnodes: 7422, monitor: 8222 }) {
    const some = { ...settings, streams };
    const link = declareHubLink(some, site, { link: newKey(), operator: newKey(), reader: newKey() });
    const hub = declareHub(some, { system: newKey(), operator: publicKeyOf(OPERATOR), reader: newKey() }, ports);
    return planHub(hub, [link], pathsOf("hub"));
  }
  function leafConfig(streams: StreamSettings[]) {
    const keys = { system: newKey(), operator: newKey(), application: newKey() };
    const ports = { client: 4223, monitor: 8223 };
    const leaf = declareLeaf({ ...settings, streams }, site, keys, ports, "nats-leaf://127.0.0.1:7422");
    return planLeaf(leaf, newSeed(), pathsOf("leaf"));
  }

  for (const [mode, streams] of Object.entries({ perSite: [EVENTS], merged: [LOGS], both: [EVENTS, LOGS] })) {
    it(`is valid for a hub with streams in mode ${mode}`, async () => {
      assert.match(await checkConfig(binary, write("hub", hubConfig(streams))), /^sha256:/);
    });

    it(`is valid for a site with streams in mode ${mode}`, async () => {
      assert.match(await checkConfig(binary, write("leaf", leafConfig(streams))), /^sha256:/);
    });
  }

  it("is refused when it is broken: `-t` does look at it", async () => {
    const broken = { ...hubConfig([EVENTS]), leafnodes: { no_such_field: true } } as unknown as ServerConfig;
    await assert.rejects(checkConfig(binary, write("broken", broken)), /unknown field "no_such_field"/);
  });

  it("is refused without its seed in the words, when the seed is of the wrong kind", async () => {
    const wrong = new TextDecoder().decode(createUser().getSeed()).slice(0, 50);
    const leaf = leafConfig([EVENTS]);
    const config = { ...leaf, leafnodes: { reconnect: "1s", remotes: [{ urls: ["nats-leaf://x:1"], nkey: wrong }] } };
    await assert.rejects(checkConfig(binary, write("wrong", config as ServerConfig)), (error) => {
      assert.match(String(error), /not a valid seed/);
      return !String(error).includes(wrong);
    });
  });

  describe("that runs", () => {
    const NAME = 'hub-"1"\\2$HOME#3//4{5}[6];7\'8\u00078\u007f-ø€😀';
    let server: ChildProcess;
    let connection: NatsConnection;

    before(async () => {
      const [client, leafnodes, monitor] = (await freePorts(3)) as [number, number, number];
      const config = { ...hubConfig([EVENTS, LOGS], { client, leafnodes, monitor }), server_name: NAME };
      server = spawn(binary.path, ["-c", write("running", config)], { stdio: "ignore" });
      connection = await connected(`nats://127.0.0.1:${client}`);
    });
    after(async () => {
      await connection?.close();
      if (server?.exitCode !== null) return;
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    });

    async function connected(url: string): Promise<NatsConnection> {
      for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
        try {
          return await open({ url, seed: OPERATOR });
        } catch (error) {
          if (server.exitCode === null && Date.now() < deadline) continue;
          throw new Error(`the server does not run: ${readFileSync(pathsOf("hub").log, "utf8")}`, { cause: error });
        }
      }
    }

    interface Answer {
      error?: { description: string };
      config?: StreamConfig;
      state?: { messages: number };
      message?: { subject: string };
    }
    const ask = async (request: string, body: object): Promise<Answer> =>
      (await connection.request(`$JS.API.${request}`, JSON.stringify(body), { timeout: 5_000 })).json<Answer>();
    const create = <Config extends { name: string }>(config: Config): Promise<Answer> =>
      ask(`STREAM.CREATE.${config.name}`, config);
    const drop = (name: string): Promise<Answer> => ask(`STREAM.DELETE.${name}`, {});
    const SMALL = { max_bytes: 100_000 };

    it("has each character of a string", () => {
      assert.equal(connection.info?.server_name, NAME);
    });

    it("takes the source of a merged stream, with its prefix and transforms, as it is meant", async () => {
      const wanted = { ...hubStreamConfig(LOGS, "dev"), ...SMALL, sources: [sourceOf(LOGS, site.name)] };
      const { error, config } = await create(wanted);
      assert.equal(error, undefined);
      assert.deepEqual(config?.sources, wanted.sources);
      assert.equal(config?.subjects, undefined);
      await drop("LOGS");
    });

    it("puts the site before every subject of a merged stream, wildcards and probes too", async () => {
      const source = sourceOf(LOGS, site.name);
      const here = { name: source.name, subject_transforms: source.subject_transforms };
      await create({ ...siteStreamConfig(LOGS, site.name, "dev"), ...SMALL });
      await create({ ...hubStreamConfig(LOGS, "dev"), ...SMALL, sources: [here] });
      const published = ["logs.a.of.b", "traces.a.b.c", `_probe.${source.name}.run`];
      for (const subject of published) await connection.request(subject, "x", { timeout: 5_000 });
      for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
        const messages = (await ask("STREAM.INFO.LOGS", {})).state?.messages;
        if (messages === published.length) break;
        assert.ok(Date.now() < deadline, `${messages} of ${published.length} messages arrived`);
      }
      const arrived: (string | undefined)[] = [];
      for (const seq of [1, 2, 3]) arrived.push((await ask("STREAM.MSG.GET.LOGS", { seq })).message?.subject);
      assert.deepEqual(
        arrived,
        published.map((subject) => `oslo-2.${subject}`),
      );
      await drop("LOGS");
      await drop(source.name);
    });

    it("takes 0 bytes for no limit, which is why a rule refuses them", async () => {
      const { config } = await create({ ...hubStreamConfig(LOGS, "dev"), name: "ZERO", max_bytes: 0 });
      assert.equal(config?.max_bytes, -1);
      await drop("ZERO");
    });

    it("takes an age of 100 ms, and no shorter one", async () => {
      const config = { ...hubStreamConfig(LOGS, "dev"), ...SMALL, name: "AGE" };
      assert.match(
        (await create({ ...config, max_age: 99_999_999 })).error!.description,
        /max age needs to be >= 100ms/,
      );
      assert.equal((await create({ ...config, max_age: 100_000_000 })).error, undefined);
      await drop("AGE");
    });

    it("refuses a stream of the servers' own subjects, as a rule does", async () => {
      const config = { ...hubStreamConfig(LOGS, "dev"), ...SMALL, name: "OWN" };
      for (const subject of ["$NRG.x", "$JS.API.x", "$SYS.x"]) {
        assert.notEqual((await create({ ...config, subjects: [subject] })).error, undefined, subject);
      }
    });
  });
});

/** Ports of the loopback address that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(holders.map((holder) => once(holder, "listening")));
  const ports = holders.map((holder) => (holder.address() as AddressInfo).port);
  await Promise.all(holders.map((holder) => new Promise((closed) => holder.close(closed))));
  return ports;
}
