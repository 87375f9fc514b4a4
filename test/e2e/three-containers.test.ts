import assert from "node:assert/strict";
import type { ContainerInspectInfo } from "dockerode";
import type { RawSettings } from "../../configs/settings";
import type { FleetChanges } from "../../views/report/model";
import { type Outcome, whilePublishing } from "../support/fleets/three";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { Containers, missingEngine } from "../support/stacks/grounds";
import { killHard } from "../support/stacks/servers";
import { collectingOf, isWholeHub, leaderOf } from "../support/stacks/three";
import { until } from "../support/until";
import { setTimeout as sleep } from "node:timers/promises";

// What only the containers of a hub of three have: replacement, the restart policy, images, volumes that are lost.

const missing = missingEngine();
const SERVERS = ["hub-1", "hub-2", "hub-3"];

(missing === undefined ? describe : describe.skip)(
  `a hub of three in containers${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let ground: Containers;
    let stack: Stack;
    const settings = (change: RawSettings = {}): RawSettings => ({
      ...ground.settings,
      hub: { servers: 3 },
      // Not a container: what happens to those leaves who publishes there alone.
      sites: [{ name: "oslo", runtime: "process" }],
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      ...change,
    });
    const inspect = (server: string): Promise<ContainerInspectInfo> => ground.container(stack, server).inspect();
    const inspectAll = (): Promise<ContainerInspectInfo[]> => Promise.all(SERVERS.map(inspect));
    const ids = async (): Promise<string[]> => (await inspectAll()).map(({ Id }) => Id);

    async function assertLosesNothing(what: string, fault: () => Promise<unknown>, mostMs: number): Promise<void> {
      const outcome: Outcome = await whilePublishing(collectingOf(stack), fault, { run: what.replace(/\W+/g, "-") });
      const { sent, lost, doubled, pauseMs } = outcome;
      console.error(`      ${what}: ${sent} messages, pause ${pauseMs} ms`);
      assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
      assert.ok(sent > 50, `only ${sent} messages were published`);
      assert.ok(pauseMs <= mostMs, `the hub took nothing for ${pauseMs} ms`);
    }
    const make = async (target: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
      succeeded(await stack.make(target, env)).output;

    /** Notes who leads the stream, and which containers are stopped, while the work goes on. */
    async function assertStopsNoLeader(work: () => Promise<unknown>): Promise<void> {
      const led: { at: number; leader: string }[] = [];
      let isOver = false;
      const looking = (async () => {
        while (!isOver) {
          const leader = await leaderOf(stack, "oslo").catch(() => "");
          if (leader !== "" && leader !== led.at(-1)?.leader) led.push({ at: Date.now(), leader });
          await sleep(50);
        }
      })();
      await sleep(3_000);
      const since = Math.floor(Date.now() / 1000);
      await work();
      isOver = true;
      await looking;
      const range = { since, until: Math.ceil(Date.now() / 1000) };
      const events = await ground.engine.docker.getEvents({
        ...range,
        filters: { event: ["kill"], type: ["container"] },
      });
      const lines: string[] = [];
      for await (const chunk of events) lines.push(String(chunk));
      const kills = lines
        .join("")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { timeNano: number; Actor: { Attributes: { name: string } } })
        .map(({ timeNano, Actor }) => ({
          at: timeNano / 1e6,
          server: Actor.Attributes.name.replace("nats-trio-", ""),
        }));
      assert.deepEqual(
        kills.map(({ server }) => server),
        SERVERS,
      );
      for (const { at, server } of kills) {
        const before = led.filter((one) => one.at < at).at(-1);
        assert.notEqual(before?.leader, server, `${server} was stopped while it led the stream`);
        assert.ok(
          at - (before?.at ?? 0) > 2_500,
          `${server} was stopped ${at - (before?.at ?? 0)} ms after a change of leader`,
        );
      }
    }

    before(async () => {
      ground = await Containers.start();
      stack = await Stack.create("trio", settings(), ground.options);
      await make("up");
    });
    after(async () => {
      await stack.remove();
      await ground.stop();
    });

    it("finds its servers on the stack's network, publishes no routes, and shows no key", async () => {
      const all = await inspectAll();
      for (const { HostConfig, NetworkSettings } of all) {
        assert.deepEqual(Object.keys(HostConfig.PortBindings as object).sort(), ["4222/tcp", "7422/tcp"]);
        assert.deepEqual(Object.keys(NetworkSettings.Networks), ["nats-trio"]);
      }
      const seeds = Object.values((await stack.seedsInState()).hub ?? {});
      assert.equal(seeds.length, 4);
      for (const seed of seeds) assert.equal(JSON.stringify(all).includes(seed), false);
    });

    it("comes back by itself when the process of the leader is killed", async () => {
      const leader = await leaderOf(stack, "oslo");
      const kill = async () => {
        await killHard((await inspect(leader)).State.Pid);
        await until("the hub is whole again", () => isWholeHub(stack));
      };
      await assertLosesNothing("the leader's process killed", kill, 10_000);
    });

    it("comes back by itself with the engine", async () => {
      await ground.engine.restart();
      await until("the hub is whole again", () => isWholeHub(stack));
      // Nobody has proven these servers since they started.
      const preview = await stack.fails("preview", "--expect-no-changes");
      assert.match(preview.output, /smoke test: runs again: hub-1, hub-2, hub-3: not/);
      await stack.up();
      await assertLosesNothing("after the engine", () => Promise.resolve(), 2_500);
      await stack.isClean();
    });

    it("gets another container for each server in turn when a setting needs that", async () => {
      const before = await ids();
      stack.configure(settings({ hub: { servers: 3, logs: { keep: 4 } } }));
      const report = JSON.parse((await stack.startMake("preview-report", {}, ["--json"]).ended).stdout) as FleetChanges;
      assert.equal(report.verdict, "changes");
      assert.deepEqual(report.hub, { name: "hub", server: "replaced", because: ["its container"] });
      await assertLosesNothing("containers replaced", () => assertStopsNoLeader(() => stack.up()), 2_500);
      assert.equal((await ids()).filter((id) => before.includes(id)).length, 0);
      const started = (await inspectAll()).map(({ State }) => State.StartedAt);
      assert.deepEqual(started, started.toSorted());
      await stack.isClean();
    });

    it("gets no other containers while one of its servers is away", async () => {
      const before = await ids();
      await ground.kill(stack, "hub-3");
      const refused = /the hub is not complete: hub-3 does not answer. Set the change back/;
      stack.configure(settings({ hub: { servers: 3, logs: { keep: 5 } } }));
      assert.match((await stack.fails("preview")).output, refused);
      stack.configure(settings({ docker: { image: "nats:2.15.2-alpine" } }));
      const upgrade = await stack.make("upgrade");
      assert.notEqual(upgrade.code, 0);
      assert.match(upgrade.output, refused);
      assert.deepEqual(await ids(), before);
      stack.configure(settings({ hub: { servers: 3, logs: { keep: 4 } } }));
      await stack.up();
      await stack.isClean();
    });

    it("gets a container and a volume that are lost again, filled by the others", async () => {
      const leader = await leaderOf(stack, "oslo");
      await assertLosesNothing(
        "container and volumes lost",
        async () => {
          await ground.container(stack, leader).remove({ force: true });
          for (const what of ["config", "data"])
            await ground.engine.docker.getVolume(`nats-trio-${leader}-${what}`).remove();
          await make("up");
        },
        10_000,
      );
      assert.equal(await isWholeHub(stack), true);
      await stack.isClean();
    });

    it("takes another image one server at a time", async () => {
      const before = await ids();
      await ground.engine.loadNatsImage("-next");
      const image = "nats:2.15.2-next";
      stack.configure(settings({ hub: { servers: 3, logs: { keep: 4 } }, docker: { image } }));
      assert.match((await stack.fails("preview")).output, /'make upgrade' replaces one at a time/);
      let upgrade = "";
      const change = () => assertStopsNoLeader(async () => (upgrade = await make("upgrade")));
      await assertLosesNothing("another image", change, 2_500);
      for (const server of SERVERS) assert.match(upgrade, new RegExp(`upgrade: ${server}`));
      assert.equal((await ids()).filter((id) => before.includes(id)).length, 0);
      assert.equal(await isWholeHub(stack), true);
      await stack.isClean();
    });

    it("lets a server be stopped by hand once it leads nothing", async () => {
      const leader = await leaderOf(stack, "oslo");
      assert.match(await make("drain", { SERVER: leader }), new RegExp(`${leader} leads no stream any more`));
      assert.notEqual(await leaderOf(stack, "oslo"), leader);
      assert.match(
        (await stack.make("drain", { SERVER: "oslo" })).output,
        /name a server of the hub: SERVER=hub-1, SERVER=hub-2/,
      );
    });

    it("is all that the doctor looks at", async () => {
      assert.match(await make("doctor"), /ok/);
      await ground.kill(stack, "hub-2");
      const { code, output } = await stack.make("doctor");
      assert.notEqual(code, 0);
      assert.match(output, /hub-2: .*its process is gone/);
      await stack.up();
      assert.match(await make("doctor"), /ok/);
    });
  },
);
