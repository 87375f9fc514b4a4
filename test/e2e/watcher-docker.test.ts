import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RawSettings } from "../../configs/settings";
import { watcherFiles } from "../../machine/folders";
import { Containers, missingEngine } from "../support/stacks/grounds";
import { Stack } from "../support/stacks/cli";
import { Traffic, arrived } from "../support/stacks/traffic";
import { until } from "../support/until";

// A watcher beside a hub in a container of this machine: as a process, and then in a container too.

const SETTINGS: RawSettings = {
  runtime: "docker",
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  watch: { deploy: true },
};
/** Longer than the server's own source survives: without a watcher it then waits for 30 s and more. */
const AWAY_MS = 13_000;
const SOON_MS = 10_000;

const IMAGE = "node:test";

const missing = missingEngine();

(missing === undefined ? describe : describe.skip)(
  `a watcher beside a hub in Docker${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let ground: Containers;
    let stack: Stack;
    const files = () => watcherFiles(`${stack.fleet}/watcher`);
    const log = (): string => readFileSync(files().log, "utf8");

    before(async () => {
      ground = await Containers.start();
      await ground.engine.loadNodeImage(IMAGE);
      stack = await Stack.create("seen", SETTINGS, ground.options);
      await stack.up();
    });
    after(async () => {
      await stack.remove();
      await ground.stop();
    });

    it("is proven, attacks with its key included, and a preview is clean", async () => {
      const { proof } = await stack.outputs({ again: true });
      assert.deepEqual(
        proof.map(({ site, status }) => [site, status]),
        [["oslo", "proven"]],
      );
      assert.match(log(), /watching the links of oslo/);
      await stack.isClean();
    });

    it("brings everything soon, once, after the hub's container was killed and started again", async () => {
      const traffic = Traffic.start(await stack.applicationOf("oslo"), "oslo");
      await sleep(1_000);
      const hub = ground.container(stack, "hub");
      await hub.kill();
      // How long the hub is away is what is tested.
      await sleep(AWAY_MS);
      await hub.start();
      await until("it is linked", () => /the hub answers again[^]*oslo: its link is there/.test(log()));
      const started = Date.now();
      const before = traffic.count;
      await until("all that was there is at the hub", async () => (await arrived(stack, "oslo", [])).length >= before);
      const took = Date.now() - started;
      const texts = await traffic.stop();
      assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
      console.error(`      ${took} ms after the link, ${texts.length} messages`);
      assert.ok(took < SOON_MS, `it took ${took} ms: ${log()}`);
    });

    it("is seen when it died, and started again by up", async () => {
      process.kill((JSON.parse(readFileSync(files().record, "utf8")) as { pid: number }).pid, "SIGKILL");
      const { output } = await stack.run(["preview"]);
      assert.match(output, /watcher: it is not running; up repairs it/);
      await stack.up();
      await stack.isClean();
    });

    it("moves into a container and back, and the hub and the site go on", async () => {
      const servers = async () => [await ground.pid(stack, "hub"), await ground.pid(stack, "oslo")];
      const before = await servers();
      const traffic = Traffic.start(await stack.applicationOf("oslo"), "oslo", { run: "moved" });
      stack.configure({ ...SETTINGS, watch: { deploy: true, runtime: "docker", image: IMAGE } });
      await stack.up();
      assert.equal(existsSync(files().record), false);
      assert.equal((await ground.container(stack, "watcher").inspect()).State.Running, true);
      await stack.isClean();
      stack.configure(SETTINGS);
      await stack.up();
      assert.match(log(), /watching the links of oslo/);
      assert.deepEqual(await ground.traces(stack, "watcher"), []);
      await stack.isClean();
      const texts = await traffic.stop();
      const there = (await arrived(stack, "oslo", texts)).filter((text) => text.startsWith("oslo-moved-"));
      assert.deepEqual(there, texts.toSorted());
      assert.deepEqual(await servers(), before);
    });

    it("leaves nothing", async () => {
      const { code, output } = await stack.run(["destroy", "--yes", "--skip-preview"], { DISCARD: "1" });
      assert.equal(code, 0, output);
      await stack.leftNothing();
      await ground.hasLeft(stack, "");
      assert.equal(existsSync(stack.fleet), false);
    });
  },
);
