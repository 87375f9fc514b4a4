import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { ROUTES_PORT } from "../../configs/container";
import { factsOf } from "../../servers/x509";
import { whilePublishing } from "../support/fleets/three";
import { Stack } from "../support/stacks/cli";
import { Engine } from "../support/docker/engine";
import { withDockerPlugin } from "../support/docker/plugin";
import { missingEngine } from "../support/stacks/grounds";
import { shownCertificate } from "../support/stacks/shown-certificate";
import { collectingOf, isWholeHub, leaderOf } from "../support/stacks/three";
import { killHard } from "../support/stacks/servers";
import { arrived, publish } from "../support/stacks/traffic";
import { until } from "../support/until";

// A hub of three on three machines: engines with addresses of their own, of which one goes away and one is lost.

const missing = missingEngine();
const SERVERS = ["hub-1", "hub-2", "hub-3"];

(missing === undefined ? describe : describe.skip)(
  `a hub of three on machines of its own${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    /** The engine of each server, in their order. */
    let engines: Engine[];
    let spare: Engine[];
    let stack: Stack;
    const listed = ({ overTcp, address }: Engine) => ({
      engine: overTcp.url,
      engineCertificates: overTcp.certificates,
      address,
      host: address,
    });
    const settings = (sites: string[]): RawSettings => ({
      hub: { runtime: "docker", servers: engines.map(listed) },
      links: { tls: "generated" },
      // A site that differs in its name alone would look like one that is renamed.
      sites: sites.map((name) => ({ name, ...(name === "tromso" ? { quota: "3GiB" } : {}) })),
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    });
    const statuses = async () =>
      Object.fromEntries((await stack.outputs({ again: true })).proof.map(({ site, status }) => [site, status]));
    const make = async (target: string, code = 0, env: NodeJS.ProcessEnv = {}): Promise<string> => {
      const ran = await stack.make(target, env);
      assert.equal(ran.code, code, ran.output);
      return ran.output;
    };
    const container = (server: string) =>
      engines[SERVERS.indexOf(server)]!.docker.getContainer(`nats-spread-${server}`).inspect();
    const ids = async (): Promise<string[]> => (await Promise.all(SERVERS.map(container))).map(({ Id }) => Id);
    const copiesOf = async (site: string): Promise<number | undefined> =>
      (await (await collectingOf(stack).atHub(site)).stream("EVENTS"))?.config.num_replicas;

    /** A killed engine's container would still dial the other machines. */
    async function switchOff(server: string): Promise<void> {
      const { Pid } = (await container(server)).State;
      await engines[SERVERS.indexOf(server)]!.pause();
      await killHard(Pid);
    }

    /** Names another engine for the server; resolves with the one before. */
    function replace(index: number): Engine {
      const [before, next] = [engines[index]!, spare.pop()!];
      engines[index] = next;
      return before;
    }

    async function assertLosesNothing(what: string, fault: () => Promise<unknown>, mostMs: number): Promise<void> {
      const { sent, lost, doubled, pauseMs } = await whilePublishing(collectingOf(stack), fault, {
        run: what.replace(/\W+/g, "-"),
      });
      console.error(`      ${what}: ${sent} messages, pause ${pauseMs} ms`);
      assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
      assert.ok(pauseMs <= mostMs, `the hub took nothing for ${pauseMs} ms`);
    }

    before(async () => {
      [engines, spare] = [[], []];
      for (const name of ["first", "second", "third", "fourth", "fifth"]) {
        const engine = await Engine.start(name, { machine: true });
        (engines.length < 3 ? engines : spare).push(engine);
        await engine.loadNatsImage();
      }
      stack = await Stack.create("spread", settings(["oslo", "bergen"]), { prepare: withDockerPlugin });
    });
    after(async () => {
      await engines[2]?.resume().catch(() => undefined);
      await stack.remove();
      for (const engine of [...engines, ...spare]) await engine.stop();
    });

    it("is deployed and proven, each server on its own engine", async () => {
      await make("up");
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven" });
      for (const [i, engine] of engines.entries()) {
        const names = (await engine.docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
        assert.deepEqual(names, [`/nats-spread-${SERVERS[i]}`]);
      }
      assert.equal(await isWholeHub(stack), true);
      await stack.isClean();
    });

    it("has routes with TLS, and shows neither their key nor their certificates' keys", async () => {
      for (const { address } of engines) {
        const shown = await shownCertificate(address, ROUTES_PORT);
        assert.ok(shown !== undefined && factsOf(shown).names.includes(address), address);
      }
      const all = JSON.stringify(await Promise.all(SERVERS.map(container)));
      assert.doesNotMatch(all, /PRIVATE KEY/);
      const seeds = Object.values((await stack.seedsInState()).hub ?? {});
      for (const seed of seeds) assert.equal(all.includes(seed), false);
      assert.doesNotMatch(JSON.stringify(await stack.exported()), /PRIVATE KEY/);
    });

    it("goes on when a machine is away: a site comes, another one goes", async () => {
      const last = await publish(await stack.applicationOf("bergen"), "bergen");
      assert.deepEqual(await arrived(stack, "bergen", last), last.toSorted());
      stack.configure(settings(["oslo", "tromso"]));
      let output = "";
      const lose = async () => {
        await switchOff("hub-3");
        assert.match(await make("preview"), /pending, everything else is done: hub-3\n/);
        output = await make("up", 2);
      };
      await assertLosesNothing("a machine away", lose, 15_000);
      assert.match(output, /Error 3/);
      assert.match(output, /pending, everything else is done: hub-3\n.*another engine in hub.servers/s);
      assert.deepEqual(await statuses(), { oslo: "proven", tromso: "proven" });
      assert.equal(await copiesOf("tromso"), 2);
      const texts = await publish(await stack.applicationOf("tromso"), "tromso");
      assert.deepEqual(await arrived(stack, "tromso", texts), texts.toSorted());
    });

    it("refuses what would stop another server meanwhile", async () => {
      const ofHub = settings(["oslo", "tromso"]).hub;
      stack.configure({ ...settings(["oslo", "tromso"]), hub: { ...ofHub, syncInterval: "10s" } });
      assert.match((await stack.make("preview")).output, /hub-1: this change restarts it, and the machine of hub-3/);
      stack.configure(settings(["oslo", "tromso"]));
    });

    it("gets the machine back with all that it missed", async () => {
      await assertLosesNothing(
        "the machine back",
        async () => {
          await engines[2]!.resume();
          await make("up");
        },
        5_000,
      );
      await until("the hub is whole", () => isWholeHub(stack));
      assert.equal(await copiesOf("tromso"), 3);
      assert.deepEqual(await statuses(), { oslo: "proven", tromso: "proven" });
      await stack.isClean();
    });

    it("gets another machine for one that is lost for good, filled by the others", async () => {
      const leader = await leaderOf(stack, "oslo");
      const index = SERVERS.indexOf(leader);
      let output = "";
      await assertLosesNothing(
        "a machine lost for good",
        async () => {
          await switchOff(leader);
          const lost = replace(index);
          stack.configure(settings(["oslo", "tromso"]));
          output = await make("up");
          await lost.stop();
        },
        15_000,
      );
      assert.match(output, new RegExp(`${leader}: its old engine cannot be reached`));
      assert.doesNotMatch(output, /hub-\d: up restarts/);
      assert.deepEqual(await statuses(), { oslo: "proven", tromso: "proven" });
      assert.equal(await isWholeHub(stack), true);
      assert.equal(await copiesOf("oslo"), 3);
      await stack.isClean();
    });

    it("moves no server off a machine that works", async () => {
      const before = await ids();
      const kept = replace(0);
      stack.configure(settings(["oslo", "tromso"]));
      assert.match((await stack.make("preview")).output, /hub-1 moves to another engine while the one on \S+ answers/);
      spare.push(engines[0]!);
      engines[0] = kept;
      stack.configure(settings(["oslo", "tromso"]));
      assert.deepEqual(await ids(), before);
    });

    it("is not upgraded without need", async () => {
      const before = await ids();
      await make("upgrade");
      assert.deepEqual(await ids(), before);
    });

    it("is removed without a trace", async () => {
      await make("down", 0, { DISCARD: "1" });
      await stack.leftNothing();
      for (const { docker } of [...engines, ...spare]) {
        assert.deepEqual(await docker.listContainers({ all: true }), []);
        assert.deepEqual((await docker.listVolumes()).Volumes, []);
      }
    });
  },
);
