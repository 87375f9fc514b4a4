import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, mkdirSync, writeFileSync } from "node:fs";
import { AddressInfo, Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RawSettings } from "../../configs/settings";
import { serverFiles } from "../../machine/folders";
import { findNatsServer } from "../../servers/nats-server-binary";
import { kick } from "../../servers/nats/system";
import { isFree } from "../../machine/ports";
import { writeConfig } from "../../servers/server-config";
import { LocalFiles } from "../../servers/files/server-files";
import { TestFleet, TestServer } from "../support/fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { OLDER, olderServer } from "../support/fleets/older-server";
import { configOf, editConfig, isRunning, killServer, pidOf, startServer, stopServer } from "../support/fleets/servers";
import { newSeed } from "../support/rules/settings";
import { until } from "../support/until";

describe("servers", function () {
  this.timeout(120_000);

  const ONE_SITE = { sites: [{ name: "oslo" }] } satisfies RawSettings;

  /** Runs the work while another program has a port; it must still have it afterwards. */
  async function withPortTaken(work: (port: number) => Promise<void>): Promise<void> {
    const other: Server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      await work((other.address() as AddressInfo).port);
      assert.ok(other.listening, "the other program still has its port");
    } finally {
      other.close();
    }
  }

  const STREAM = { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } };

  /** Does the work with the permission to delete what the hub collected from the site. */
  async function discardingCollected(site: string, work: () => Promise<void>): Promise<void> {
    process.env.DISCARD_COLLECTED = site;
    try {
      await work();
    } finally {
      delete process.env.DISCARD_COLLECTED;
    }
  }

  const idOf = async (fleet: TestFleet, server: TestServer): Promise<string> => (await fleet.status(server)).server_id;

  const arrive = async (fleet: TestFleet, texts: readonly string[]): Promise<void> => {
    await until(`the hub has ${texts.length} messages`, async () => {
      const { messages } = (await fleet.collected("oslo")).state;
      return messages >= texts.length;
    });
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), texts);
  };

  describe("what stands in the way", () => {
    it("a port of the hub that another program has: said so, and nothing is started", () =>
      withPortTaken(async (port) => {
        await using fleet = TestFleet.declare({ ...ONE_SITE, hub: { ports: { leafnodes: port } } });
        await assert.rejects(
          fleet.up(),
          new RegExp(`hub: port ${port} \\(leafnodes\\) is taken by a process that this program did not start`),
        );
        assert.equal(isRunning(fleet.hub.folder), false);
      }));

    it("a new port of a running site that another program has: the site goes on where it was", () =>
      withPortTaken(async (port) => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        const before = { pid: pidOf(fleet.site("oslo").folder), server: fleet.site("oslo") };
        await fleet.up({ sites: [{ name: "oslo", ports: { client: port } }] });
        assert.match(fleet.reports.join("\n"), new RegExp(`site oslo: port ${port} \\(client\\) is taken`));
        assert.equal(pidOf(before.server.folder), before.pid);
        assert.ok(await idOf(fleet, before.server));
      }));

    it("a host that is no address of this machine", async () => {
      await using fleet = TestFleet.declare({ ...ONE_SITE, hub: { host: "192.0.2.1" } });
      await assert.rejects(fleet.up(), /hub: it cannot listen on 192\.0\.2\.1:\d+ \(client\): EADDRNOTAVAIL/);
    });

    describe("the nats-server", () => {
      let fleet: TestFleet;
      before(async () => (fleet = await TestFleet.deploy(ONE_SITE)));
      after(() => fleet.stop());

      const fake = (script: string): string => {
        const path = join(fleet.root, "fake-nats-server");
        writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
        return path;
      };

      const refusedFor = async (natsServer: string, problem: RegExp): Promise<void> => {
        const id = await idOf(fleet, fleet.hub);
        const [refusal, ...more] = await fleet.check({ natsServer });
        assert.match(refusal ?? "nothing was refused", problem);
        assert.deepEqual(more, []);
        assert.equal(await idOf(fleet, fleet.hub), id, "the running one is left alone");
      };

      it("that is too old is refused with the reason", () =>
        refusedFor(
          fake("echo nats-server: v2.9.10"),
          /natsServer: .* is version 2\.9\.10, but 2\.15\.0 or newer is needed: /,
        ));

      it("that is not there is refused", () =>
        refusedFor(
          "/nonexistent/nats-server",
          /natsServer: \/nonexistent\/nats-server is not a nats-server that runs here/,
        ));

      it("that is something else is refused", () =>
        refusedFor(fake("echo hello"), /natsServer: .* is not a nats-server that runs here/));
    });

    describe("an older nats-server that only shows when it runs", () => {
      const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-test-"));
      const older = join(folder, "older");
      const pretender = join(folder, "pretender");
      const REFUSED = `its nats-server is version ${OLDER}, but 2\\.15\\.0 or newer is needed: .*; stop this process: `;

      before(async () => {
        writeFileSync(older, await olderServer(), { mode: 0o755 });
        const { path } = await findNatsServer();
        const script = `#!/bin/sh\ncase "$*" in "-c "*) exec ${older} "$@" ;; *) exec ${path} "$@" ;; esac\n`;
        writeFileSync(pretender, script, { mode: 0o755 });
      });
      after(() => rmSync(folder, { recursive: true }));

      /** The server goes on as an older one, with its configuration. */
      const runAsOlder = async (server: TestServer): Promise<void> => {
        await stopServer(server.folder);
        await startServer(server.folder, older);
      };

      it("as a hub that is started is refused, and no site is deployed", async () => {
        await using fleet = TestFleet.declare({ ...ONE_SITE, natsServer: pretender });
        await assert.rejects(fleet.up(), new RegExp(`^Refusal: hub: ${REFUSED}`));
        assert.equal(isRunning(fleet.site("oslo").folder), false);
      });

      it("as a hub that runs is refused, and is left alone", async () => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        await runAsOlder(fleet.hub);
        const id = await idOf(fleet, fleet.hub);
        await assert.rejects(fleet.up({ hub: { maxFile: "2GiB" } }), new RegExp(`^Refusal: hub: ${REFUSED}`));
        assert.equal(await idOf(fleet, fleet.hub), id);
      });

      it("at a site is its failed step", async () => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        await runAsOlder(fleet.site("oslo"));
        await fleet.repair();
        assert.match(fleet.problemsOf("oslo").join("\n"), new RegExp(`^${REFUSED}`));
      });
    });

    it("a full disk: said with its cure, and the next up finishes once there is room", async function () {
      await using fleet = TestFleet.declare(ONE_SITE);
      mkdirSync(fleet.root, { mode: 0o700 });
      // A disk of its own, of one page: mounting it takes root, as CI is.
      if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", fleet.root]).status !== 0) return this.skip();
      try {
        writeFileSync(join(fleet.root, "filler"), Buffer.alloc(4096));
        await assert.rejects(fleet.up(), /the disk is full; free some room or choose another dataFolder/);
      } finally {
        spawnSync("umount", [fleet.root]);
      }
      await fleet.up();
      await fleet.prove();
    });

    it("a hub with no room for another site: refused, the hub can start again, and more room cures it", async () => {
      const collect = { maxBytes: "600MiB" };
      const streams = [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect }];
      await using fleet = await TestFleet.deploy({ ...ONE_SITE, hub: { maxFile: "1GiB" }, streams });
      await assert.rejects(
        fleet.up({ sites: [{ name: "oslo" }, { name: "bergen" }] }),
        /hub: it has no room for what account BERGEN may store; .*raise them/,
      );
      await killServer(fleet.hub.folder);
      await fleet.up({ hub: { maxFile: "2GiB" } });
      await fleet.prove();
    });

    describe("less room on the hub than its accounts have", () => {
      const sites = (...names: string[]) => ({ sites: names.map((name) => ({ name })) });
      const TIGHT = { ...sites("oslo", "bergen"), hub: { maxFile: "100MiB" } };
      let fleet: TestFleet;
      before(async () => (fleet = await TestFleet.deploy({ ...TIGHT, streams: [STREAM] })));
      after(() => fleet.stop());

      const refused = async (change: RawSettings, owners: string): Promise<void> => {
        const before = await idOf(fleet, fleet.hub);
        const says = new RegExp(`hub: it could not restart with 60 MiB of hub.maxFile, .*\\(${owners}\\); .*raise`);
        await assert.rejects(fleet.preview(change), says);
        await assert.rejects(fleet.up(change), says);
        assert.equal(await idOf(fleet, fleet.hub), before, "the hub goes on");
      };

      it("for a site that leaves in the same update: refused, and the hub goes on", () =>
        refused({ ...sites("bergen"), hub: { maxFile: "60MiB" } }, "bergen, oslo"));

      it("for the data that is kept of a removed site: refused, with its name", async () => {
        await fleet.up({ ...TIGHT, ...sites("bergen") });
        await refused({ hub: { maxFile: "60MiB" } }, "bergen, oslo, which was removed and whose data is kept");
      });

      it("is taken once the kept data is gone, as the refusal says", async () => {
        await fleet.up(TIGHT);
        await discardingCollected("oslo", () => fleet.up(sites("bergen")));
        await fleet.up({ hub: { maxFile: "60MiB" } });
        await fleet.prove();
      });
    });

    it("a data folder where a file lies", async () => {
      await using fleet = TestFleet.declare(ONE_SITE);
      writeFileSync(fleet.root, "in the way");
      await assert.rejects(fleet.up(), /a part of the path is a file; remove it or choose another dataFolder/);
    });

    it("a configuration that nats-server refuses: the old one stays, in the file and in effect", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      const { folder } = fleet.hub;
      const before = { text: configOf(folder), status: await fleet.status(fleet.hub) };
      const seed = newSeed().slice(0, -1);
      const broken = configOf(fleet.site("oslo").folder).replace(/nkey: "SU\w+"/, `nkey: "${seed}"`);
      await assert.rejects(writeConfig(new LocalFiles(folder), broken, await findNatsServer()), (error: Error) => {
        assert.match(error.message, /not a valid seed/);
        assert.doesNotMatch(error.message, /SU[A-Z2-7]{10}/);
        return true;
      });
      assert.equal(configOf(folder), before.text);
      assert.deepEqual(
        readdirSync(folder).filter((file) => file.endsWith(".new")),
        [],
      );
      assert.equal((await fleet.status(fleet.hub)).config_digest, before.status.config_digest);
      assert.deepEqual((await fleet.preview()).changes, []);
    });
  });

  describe("that died or were changed by hand", () => {
    for (const [which, changed] of [
      ["the hub", "hub"],
      ["a site", "oslo server"],
    ] as const) {
      const serverOf = (fleet: TestFleet): TestServer => (changed === "hub" ? fleet.hub : fleet.site("oslo"));

      it(`${which} killed while it is published: the preview says so, and up repairs it without losing a message`, async () => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 50));
        await killServer(serverOf(fleet).folder);
        const { changes, reports } = await fleet.preview();
        assert.ok(changes.includes(changed), changes.join());
        assert.match(reports.join("\n"), /is not running; up repairs it/);
        await fleet.up();
        await publishAll(await fleet.application("oslo"), "events.a", textsFrom(51, 100));
        await fleet.prove();
        await arrive(fleet, textsFrom(1, 100));
        assert.deepEqual((await fleet.preview()).changes, []);
      });

      it(`${which} whose configuration file was changed by hand`, async () => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        const { folder } = serverOf(fleet);
        const text = configOf(folder);
        editConfig(folder, (config) => `${config}debug: true\n`);
        const { changes, reports } = await fleet.preview();
        assert.deepEqual(changes, [changed]);
        assert.match(reports.join("\n"), /has a configuration file that was changed by hand \(.*\); up repairs it/);
        await fleet.up();
        assert.equal(configOf(folder), text);
        assert.deepEqual((await fleet.preview()).changes, []);
      });

      it(`${which} whose start was interrupted before it was recorded is adopted`, async () => {
        await using fleet = await TestFleet.deploy(ONE_SITE);
        const { folder } = serverOf(fleet);
        const before = { pid: pidOf(folder), id: await idOf(fleet, serverOf(fleet)) };
        rmSync(serverFiles(folder).record);
        await fleet.repair();
        assert.deepEqual({ pid: pidOf(folder), id: await idOf(fleet, serverOf(fleet)) }, before);
      });
    }

    it("a restart of the hub alone is proven at once: the links come back by themselves", async () => {
      await using fleet = await TestFleet.deploy();
      await fleet.prove();
      const before = pidOf(fleet.site("oslo").folder);
      await fleet.up({ hub: { maxFile: "1GiB", syncInterval: "1s" } });
      assert.equal((await fleet.prove()).length, 2);
      assert.equal(pidOf(fleet.site("oslo").folder), before, "the site was left alone");
    });

    it("a link that dropped a moment ago is waited for, and is no finding", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      const system = await fleet.connect(fleet.hub, "system");
      for (const link of await fleet.links("oslo")) await kick(system, link);
      assert.equal((await fleet.prove()).length, 1);
    });

    it("a restart of a site alone is proven at once: the source is armed again", async () => {
      await using fleet = await TestFleet.deploy(ONE_SITE);
      await fleet.prove();
      await fleet.up({ sites: [{ name: "oslo", syncInterval: "1s" }] });
      const [row] = await fleet.prove();
      assert.ok(row !== undefined && row.latencyMs < 8_000, `${row?.latencyMs} ms`);
    });
  });

  describe("change by reload where nats-server can, else by restart:", () => {
    let fleet: TestFleet;
    before(async () => (fleet = await TestFleet.deploy(ONE_SITE)));
    after(() => fleet.stop());

    const CHANGES: {
      it: string;
      hub?: RawSettings["hub"];
      site?: object;
      effect: "reload" | "restart";
      says?: RegExp;
    }[] = [
      { it: "maxPayload of the hub", hub: { maxPayload: "2MiB" }, effect: "reload", says: /hub: up reloads the hub/ },
      { it: "more maxFile of the hub", hub: { maxFile: "3GiB" }, effect: "reload" },
      {
        it: "less maxFile of the hub",
        hub: { maxFile: "2GiB" },
        effect: "restart",
        says: /hub: up restarts the hub/,
      },
      {
        it: "syncInterval of the hub",
        hub: { syncInterval: "1m" },
        effect: "restart",
        says: /hub: up restarts the hub/,
      },
      {
        it: "maxPayload of a site",
        site: { maxPayload: "512KiB" },
        effect: "reload",
        says: /oslo: up reloads its server/,
      },
      { it: "a larger quota of a site", site: { quota: "3GiB" }, effect: "reload" },
      {
        it: "a smaller quota of a site",
        site: { quota: "1GiB" },
        effect: "restart",
        says: /oslo: up restarts its server/,
      },
      {
        it: "reconnect of a site",
        site: { reconnect: "200ms" },
        effect: "restart",
        says: /oslo: up restarts its server/,
      },
    ];

    for (const change of CHANGES) {
      it(`${change.it}: ${change.effect}`, async () => {
        const server = change.hub === undefined ? fleet.site("oslo") : fleet.hub;
        const before = await fleet.status(server);
        const settings = {
          hub: { maxFile: "2500MiB", ...change.hub },
          sites: [{ name: "oslo", ...change.site }],
        };
        const { reports } = await fleet.preview(settings);
        if (change.says !== undefined) assert.match(reports.join("\n"), change.says);
        await fleet.up(settings);
        const after = await fleet.status(server);
        assert.notEqual(after.config_digest, before.config_digest);
        assert.equal(after.server_id === before.server_id ? "reload" : "restart", change.effect);
        assert.deepEqual((await fleet.preview()).changes, []);
      });
    }
  });

  it("restart no site with the hub, also one that only the hub reaches and whose link is still on its way back", async () => {
    const sites = [{ name: "oslo" }, { name: "bergen", reach: "hub" as const }];
    await using fleet = await TestFleet.deploy({ hub: { maxFile: "2GiB" }, sites });
    const ids = () => Promise.all([fleet.hub, ...sites.map(({ name }) => fleet.site(name))].map((s) => idOf(fleet, s)));
    const [hub, ...before] = await ids();
    for (const maxFile of ["1900MiB", "1800MiB", "1700MiB"]) await fleet.up({ hub: { maxFile } });
    const [restarted, ...after] = await ids();
    assert.notEqual(restarted, hub);
    assert.deepEqual(after, before);
    await fleet.prove();
  });

  it("keep their files from everybody else", async () => {
    await using fleet = await TestFleet.deploy();
    await fleet.prove();
    const entries = readdirSync(fleet.root, { recursive: true, encoding: "utf8" });
    const modes = [".", ...entries].map((name) => {
      const stat = statSync(join(fleet.root, name));
      return { name, mode: stat.mode & 0o777, allowed: stat.isDirectory() ? 0o700 : 0o600 };
    });
    assert.ok(
      modes.some(({ name }) => name.endsWith(".blk")),
      "the message stores are among them",
    );
    assert.deepEqual(
      modes.filter(({ mode, allowed }) => (mode & ~allowed) !== 0),
      [],
    );
  });

  it("leave nothing: no process, no file, no port", async () => {
    await using fleet = await TestFleet.deploy(ONE_SITE);
    const folders = [fleet.hub.folder, fleet.site("oslo").folder];
    const ports = [fleet.hub, fleet.site("oslo")].flatMap((server) => Object.values(server.ports));
    await fleet.destroy();
    assert.deepEqual(folders.map(isRunning), [false, false]);
    assert.throws(() => statSync(fleet.root), /ENOENT/);
    assert.deepEqual(
      await Promise.all(ports.map((port) => isFree(port))),
      ports.map(() => true),
    );
  });
});
