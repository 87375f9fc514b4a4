import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RawSettings } from "../../configs/settings";
import { freePort } from "../support/fleets/foreign-port";
import { Engine } from "../support/docker/engine";
import { withDockerPlugin } from "../support/docker/plugin";
import { missingEngine } from "../support/stacks/grounds";
import { Stack } from "../support/stacks/cli";
import { killHard } from "../support/stacks/servers";
import { Traffic, arrived } from "../support/stacks/traffic";
import { until } from "../support/until";

// A watcher in a container beside a hub on another machine, which this machine reaches through its engine alone.

/** Longer than the server's own source survives: without a watcher it then waits for 30 s and more. */
const AWAY_MS = 13_000;
const SOON_MS = 10_000;
const IMAGE = "node:test";

const missing = missingEngine();

(missing === undefined ? describe : describe.skip)(
  `a watcher in a container${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let engine: Engine;
    let stack: Stack;
    let port: number;

    const settings = (watch: RawSettings["watch"] = { deploy: true, image: IMAGE, port }): RawSettings => {
      const { overTcp, address } = engine;
      const access = { engine: overTcp.url, engineCertificates: overTcp.certificates, address, host: address };
      return {
        hub: { runtime: "docker", ...access },
        links: { tls: "generated" },
        sites: [{ name: "oslo" }],
        streams: [{ name: "EVENTS", subjects: ["events.>"] }],
        ...(watch === undefined ? {} : { watch }),
      };
    };
    const container = (server = "watcher") => engine.docker.getContainer(`nats-guarded-${server}`);
    const log = async (): Promise<string> =>
      (await container().logs({ stdout: true, stderr: true, follow: false })).toString("utf8");
    const health = async (): Promise<unknown> =>
      ((await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as { status: string }).status;
    const succeeds = async (target: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
      const { code, output } = await stack.make(target, env);
      assert.equal(code, 0, output);
      return output;
    };

    before(async () => {
      engine = await Engine.start("hub's machine", { machine: true });
      await engine.loadNatsImage();
      await engine.loadNodeImage(IMAGE);
      port = await freePort();
      stack = await Stack.create("guarded", settings(), { prepare: withDockerPlugin });
    });
    after(async () => {
      await stack.remove();
      await engine.stop();
    });

    it("is deployed with the hub and proven, attacks with its key included, and a preview is clean", async () => {
      await succeeds("up");
      const { proof } = await stack.outputs({ again: true });
      assert.deepEqual(
        proof.map(({ site, status }) => [site, status]),
        [["oslo", "proven"]],
      );
      assert.match(await log(), /watching the links of oslo/);
      assert.equal(await health(), "ok");
      assert.equal(existsSync(`${stack.fleet}/watcher/process.json`), false, "no process runs here");
      await stack.isClean();
      await succeeds("doctor");
    });

    it("shows no seed, and may do little", async () => {
      const inspected = await container().inspect();
      assert.doesNotMatch(JSON.stringify(inspected), /SU[A-Z2-7]{56}/);
      assert.equal(inspected.HostConfig.ReadonlyRootfs, true);
      assert.deepEqual(inspected.HostConfig.CapDrop, ["ALL"]);
      assert.equal(inspected.Config.User, "1000:1000");
    });

    it("brings everything soon, once, after the hub's container was killed and started again", async () => {
      const traffic = Traffic.start(await stack.applicationOf("oslo"), "oslo");
      await sleep(1_000);
      await container("hub").kill();
      // How long the hub is away is what is tested.
      await sleep(AWAY_MS);
      await container("hub").start();
      await until(
        "it is linked",
        async () => /the hub answers again[^]*oslo: its link is there/.test(await log()),
        60_000,
      );
      const started = Date.now();
      const before = traffic.count;
      await until(
        "all that was there is at the hub",
        async () => (await arrived(stack, "oslo", [])).length >= before,
        60_000,
      );
      const took = Date.now() - started;
      const texts = await traffic.stop();
      assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
      console.error(`      ${took} ms after the link, ${texts.length} messages`);
      assert.ok(took < SOON_MS, `it took ${took} ms: ${await log()}`);
    });

    it("is seen when it was stopped, frozen or removed, and started again by up", async () => {
      const faults: [string, () => Promise<unknown>, RegExp, RegExp][] = [
        ["killed", () => container().kill(), /watcher: it is not running; up repairs it/, /watcher-down/],
        ["paused", () => container().pause(), /watcher: it is stopped \(frozen\); up repairs it/, /watcher-stuck/],
        ["removed", () => container().remove({ force: true }), /watcher/, /watcher-down/],
      ];
      for (const [fault, make, previewed, found] of faults) {
        await make();
        assert.match((await stack.make("preview")).output, previewed, fault);
        assert.match((await stack.make("doctor")).output, found, fault);
        await succeeds("up");
        assert.equal(await health(), "ok", fault);
        await stack.isClean();
      }
    });

    it("starts again by itself with its machine", async () => {
      await engine.restart();
      await until("it watches again", async () => (await health().catch(String)) === "ok", 60_000);
      await succeeds("up");
      await stack.isClean();
    });

    it("refuses a place where it could not run, and leaves when the setting goes", async () => {
      stack.configure(settings({ deploy: true, runtime: "process" }));
      assert.match((await stack.make("preview")).output, /watch\.runtime: the hub runs on another machine/);
      stack.configure(settings({ deploy: false }));
      await succeeds("up");
      const names = (await engine.docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
      assert.deepEqual(names, ["/nats-guarded-hub"]);
      stack.configure(settings());
      await succeeds("up");
    });

    it("leaves nothing", async () => {
      await succeeds("down", { DISCARD: "1" });
      await stack.leftNothing();
      assert.deepEqual(await engine.docker.listContainers({ all: true }), []);
      assert.deepEqual((await engine.docker.listVolumes()).Volumes, []);
    });
  },
);

(missing === undefined ? describe : describe.skip)(
  `a watcher in a container of a hub of three on machines of its own${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let engines: Engine[];
    let stack: Stack;
    let port: number;

    const settings = (used: readonly Engine[]): RawSettings => ({
      hub: {
        runtime: "docker",
        servers: used.map(({ overTcp, address }) => ({
          engine: overTcp.url,
          engineCertificates: overTcp.certificates,
          address,
          host: address,
        })),
      },
      links: { tls: "generated" },
      sites: [{ name: "oslo" }],
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      watch: { deploy: true, image: IMAGE, port },
    });
    const watches = async (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );

    before(async () => {
      engines = [];
      for (const name of ["first", "second", "third", "fourth"]) {
        const engine = await Engine.start(name, { machine: true });
        engines.push(engine);
        await engine.loadNatsImage();
        if (name === "first" || name === "fourth") await engine.loadNodeImage(IMAGE);
      }
      port = await freePort();
      stack = await Stack.create("spread-watched", settings(engines.slice(0, 3)), { prepare: withDockerPlugin });
    });
    after(async () => {
      await engines[0]?.resume().catch(() => undefined);
      await stack.remove();
      for (const engine of engines) await engine.stop();
    });

    it("is pending while its machine is away, and starts where that one is replaced", async () => {
      const [first, second, third, fourth] = engines as [Engine, Engine, Engine, Engine];
      assert.equal((await stack.make("up")).code, 0);
      assert.equal(await watches(), true);
      await stack.isClean();
      const { Pid } = (await first.docker.getContainer("nats-spread-watched-watcher").inspect()).State;
      await first.pause();
      // Its machine is gone with the engine.
      await killHard(Pid);
      const away = await stack.make("up");
      assert.equal(away.code, 2);
      assert.match(away.output, /pending, everything else is done: hub-1, watcher\n/);
      assert.match((await stack.make("doctor")).output, /bring that engine back.*\[watcher-down\]/);
      stack.configure(settings([fourth, second, third]));
      const { code, output } = await stack.make("up");
      assert.equal(code, 0, output);
      assert.equal(await watches(), true);
      assert.equal((await fourth.docker.getContainer("nats-spread-watched-watcher").inspect()).State.Running, true);
      await stack.isClean();
    });
  },
);
