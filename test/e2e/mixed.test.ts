import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { RawSettings } from "../../configs/settings";
import { type ServerInfo, converse, endpointOf } from "../../servers/nats/connection";
import { Stack, type StackOptions } from "../support/stacks/cli";
import { pidOf } from "../support/stacks/servers";
import { arrived, linkIds, publish } from "../support/stacks/traffic";
import { whilePublishing } from "../support/fleets/three";
import { collectingOf, isWholeHub } from "../support/stacks/three";
import { Containers, missingEngine } from "../support/stacks/grounds";

// Servers of one stack in different places: processes beside containers, and containers of two engines.

type Site = NonNullable<RawSettings["sites"]>[number];
type Runtime = NonNullable<RawSettings["runtime"]>;

const missing = missingEngine();

(missing === undefined ? describe : describe.skip)(
  `a fleet in several places${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let ground: Containers;
    before(async () => {
      ground = await Containers.start("first");
    });
    after(() => ground.stop());

    besideEachOther(() => ground, { stack: "inner", hub: "docker" });
    besideEachOther(() => ground, { stack: "outer", hub: "process" });
    onTwoEngines(() => ground);
    threeOnOneEngine(() => ground);
  },
);

const OTHER: Record<Runtime, Runtime> = { process: "docker", docker: "process" };

const WAY_OF_SITE =
  "take it out of 'sites' and run 'pulumi up' \\(which waits for its messages\\), then add it at the new place";

/** One stack, and what the applications of its sites publish. */
class Fleet {
  private readonly published: Record<string, string[]> = {};

  private constructor(
    readonly stack: Stack,
    private readonly common: RawSettings,
  ) {}

  static async create(name: string, common: RawSettings, sites: readonly Site[], options: StackOptions) {
    const settings = { streams: [{ name: "EVENTS", subjects: ["events.>"] }], ...common };
    return new Fleet(await Stack.create(name, { ...settings, sites: [...sites] }, options), settings);
  }

  configure = (sites: readonly Site[], change: RawSettings = {}): void =>
    this.stack.configure({ ...this.common, ...change, sites: [...sites] });

  /** Publishes at the sites, and looks whether the hub has all that was ever published there, once. */
  async assertTransport(...sites: string[]): Promise<void> {
    for (const site of sites) {
      const before = this.published[site] ?? [];
      const texts = await publish(await this.stack.applicationOf(site), site, { first: before.length });
      this.published[site] = [...before, ...texts];
      assert.deepEqual(await arrived(this.stack, site, this.published[site]), this.published[site].toSorted());
    }
  }

  async assertProven(...sites: string[]): Promise<void> {
    const { proof } = await this.stack.outputs({ again: true });
    assert.deepEqual(
      proof.map(({ site, link, collected, status }) => [site, link, collected, status]),
      sites.map((site) => [site, "up", `${site.toUpperCase()}/EVENTS`, "proven"]),
    );
  }

  assertSettled = (): Promise<unknown> => this.stack.isClean();

  async assertLeavesNothing(...grounds: Containers[]): Promise<void> {
    const { code, output } = await this.stack.run(["destroy", "--yes", "--skip-preview"], { DISCARD: "1" });
    assert.equal(code, 0, output);
    await this.stack.leftNothing();
    for (const ground of grounds) await ground.hasLeft(this.stack, "");
  }
}

/** What tells a container from the one that replaces it, and one start of it from the next. */
async function containerOf(ground: Containers, stack: Stack, server: string) {
  const { Id, State, RestartCount, NetworkSettings } = await ground.container(stack, server).inspect();
  assert.equal(RestartCount, 0);
  return { id: Id, started: State.StartedAt, pid: State.Pid, networks: Object.keys(NetworkSettings.Networks) };
}

/** The largest message that a server says it takes. */
const maxPayload = async (url: string): Promise<number> =>
  ((await converse(endpointOf(url), { timeoutMs: 2_000 })).info as ServerInfo & { max_payload: number }).max_payload;

function besideEachOther(groundOf: () => Containers, { stack: name, hub }: { stack: string; hub: Runtime }): void {
  const where = hub === "docker" ? "in a container" : "as a process";
  describe(`a hub ${where}, with one site as a process and one in a container`, () => {
    let ground: Containers;
    let fleet: Fleet;
    const oslo = { name: "oslo", runtime: "process" } as const;
    const bergen = { name: "bergen", runtime: "docker" } as const;
    const smaller = [oslo, bergen].map((site) => ({ ...site, maxPayload: "512KiB" }));
    const larger: RawSettings = { hub: { runtime: hub, maxPayload: "2MiB" } };
    const runtimes: Record<string, Runtime> = { hub, oslo: "process", bergen: "docker" };

    const running = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(runtimes).map(async ([server, runtime]) => {
            const { stack } = fleet;
            return [
              server,
              runtime === "docker" ? await containerOf(ground, stack, server) : pidOf(stack.fleet, server),
            ];
          }),
        ),
      ) as Record<string, object | number>;
    const look = async () => ({ servers: await running(), links: await linkIds(fleet.stack) });

    before(async () => {
      ground = groundOf();
      fleet = await Fleet.create(name, { hub: { runtime: hub } }, [oslo, bergen], ground.options);
      await fleet.stack.up();
    });
    after(() => fleet.stack.remove());

    it("is proven, and what applications publish arrives once", async () => {
      await fleet.assertProven("oslo", "bergen");
      await fleet.assertTransport("oslo", "bergen");
    });

    it("runs each server where the settings say, the container beside a hub on loopback on the machine's network", async () => {
      const found = await running();
      assert.deepEqual((found.bergen as { networks: string[] }).networks, [hub === "docker" ? `nats-${name}` : "host"]);
      const containers = (await ground.traces(fleet.stack)).filter((trace) => !/-(config|data)$/.test(trace));
      const ofServers = hub === "docker" ? ["bergen", "hub"] : ["bergen"];
      assert.deepEqual(containers.sort(), [`nats-${name}`, ...ofServers.map((server) => `nats-${name}-${server}`)]);
    });

    it("changes nothing the second time, and a preview is clean", () => fleet.assertSettled());

    it("reloads every server for another maxPayload: the containers, the processes and the links stay", async () => {
      const before = await look();
      fleet.configure(smaller, larger);
      const { output } = await fleet.stack.up();
      for (const reloaded of [/hub: up reloads the hub/, /oslo: up reloads its/, /bergen: up reloads its/])
        assert.match(output, reloaded);
      const { hub: atHub, sites } = await fleet.stack.outputs();
      assert.deepEqual(await Promise.all([atHub, sites.oslo!, sites.bergen!].map(({ client }) => maxPayload(client))), [
        2 * 2 ** 20,
        2 ** 19,
        2 ** 19,
      ]);
      assert.deepEqual(await look(), before);
      await fleet.assertTransport("oslo", "bergen");
    });

    // What is refused does not depend on where the hub is.
    if (hub === "docker") {
      it("refuses to move servers to another runtime in one step, says how to do it, and touches nothing", async () => {
        const before = { ...(await look()), traces: await ground.traces(fleet.stack) };
        const moved = [oslo, bergen].map(({ name: site, runtime }) => ({ name: site, runtime: OTHER[runtime] }));
        fleet.configure(moved, { hub: { runtime: OTHER[hub] } });
        const { output } = await fleet.stack.fails("preview");
        const [process, container] = ["a process", "a container on this machine"];
        for (const words of [
          `property hub .*: moves from ${container} to ${process}, but what it collected would stay behind; deploy another `,
          `oslo moves from ${process} to ${container}, but what it stores would stay behind; ${WAY_OF_SITE}`,
          `bergen moves from ${container} to ${process}, but what it stores would stay behind; ${WAY_OF_SITE}`,
        ])
          assert.match(output, new RegExp(words));
        assert.doesNotMatch(output, /^ +at .*:\d+:\d+\)?$/m);
        await fleet.stack.refusedUp();
        assert.deepEqual({ ...(await look()), traces: await ground.traces(fleet.stack) }, before);
      });
    }

    it("leaves nothing after destroy", () => fleet.assertLeavesNothing(ground));
  });
}

function onTwoEngines(groundOf: () => Containers): void {
  describe("a hub and a site on one engine, with another site on a second one", () => {
    let first: Containers;
    let second: Containers;
    let fleet: Fleet;
    const oslo: Site = { name: "oslo" };
    let bergen: Site;
    let tromso: Site;

    before(async () => {
      first = groundOf();
      second = await Containers.start("second");
      [bergen, tromso] = [siteOn(second, "bergen"), siteOn(second, "tromso")];
      fleet = await overTls("twin", {}, [oslo, bergen], first);
    });
    after(async () => {
      await fleet.stack.remove();
      await second.stop();
    });

    it("is proven, and what applications publish arrives once", async () => {
      await fleet.assertProven("oslo", "bergen");
      await fleet.assertTransport("oslo", "bergen");
    });

    it("has each server on its engine", async () => {
      const containers = async (ground: Containers) =>
        (await ground.engine.docker.listContainers()).flatMap(({ Names }) => Names).sort();
      assert.deepEqual(await containers(first), ["/nats-twin-hub", "/nats-twin-oslo"]);
      assert.deepEqual(await containers(second), ["/nats-twin-bergen"]);
    });

    it("has a certificate of the hub that names every address which sites dial", async () => {
      const { resources = [] } = (await fleet.stack.exported()).deployment;
      const { outputs = {} } = resources.find(({ urn }) => urn.endsWith("::hub-certificate")) ?? {};
      const names = new X509Certificate(String(outputs.certificate)).subjectAltName ?? "";
      assert.deepEqual(names.split(", ").sort(), [`DNS:hub`, `IP Address:${second.engine.address}`]);
    });

    it("takes another site on the second engine, and leaves the hub's container and the other links as they were", async () => {
      const look = async () => ({
        hub: await containerOf(first, fleet.stack, "hub"),
        oslo: await containerOf(first, fleet.stack, "oslo"),
        bergen: await containerOf(second, fleet.stack, "bergen"),
      });
      const before = { servers: await look(), links: await linkIds(fleet.stack) };
      fleet.configure([oslo, bergen, tromso]);
      await fleet.stack.up();
      const { tromso: added, ...others } = await linkIds(fleet.stack);
      assert.ok(added !== undefined);
      assert.deepEqual({ servers: await look(), links: others }, before);
      await fleet.assertProven("oslo", "bergen", "tromso");
      await fleet.assertTransport("oslo", "bergen", "tromso");
      await fleet.assertSettled();
    });

    it("leaves nothing on both engines after destroy", () => fleet.assertLeavesNothing(first, second));
  });
}

/** A site on an engine that another one's hub is reached from. */
const siteOn = ({ engine: { url: engine, address: hubAddress } }: Containers, name: string): Site => ({
  name,
  engine,
  hubAddress,
});

/** A fleet that is up, with links over TLS to a hub that other engines reach too. */
async function overTls(
  name: string,
  hub: RawSettings["hub"],
  sites: readonly Site[],
  first: Containers,
): Promise<Fleet> {
  const reached = { ...hub, host: "0.0.0.0", address: "127.0.0.1" };
  const common: RawSettings = { runtime: "docker", hub: reached, links: { tls: "generated" } };
  const fleet = await Fleet.create(name, common, sites, first.options);
  await fleet.stack.up();
  return fleet;
}

function threeOnOneEngine(groundOf: () => Containers): void {
  describe("a hub of three on one engine, with a site on a second one, over TLS", () => {
    let first: Containers;
    let second: Containers;
    let fleet: Fleet;

    before(async () => {
      first = groundOf();
      second = await Containers.start("second");
      fleet = await overTls("trine", { servers: 3 }, [{ name: "oslo" }, siteOn(second, "bergen")], first);
    });
    after(async () => {
      await fleet.stack.remove();
      await second.stop();
    });

    it("is proven, and what applications publish arrives once", async () => {
      await fleet.assertProven("oslo", "bergen");
      await fleet.assertTransport("oslo", "bergen");
      await fleet.assertSettled();
    });

    it("loses and doubles nothing of the site far away, whichever server is killed", async () => {
      for (const server of ["hub-1", "hub-2", "hub-3"]) {
        const kill = () => first.kill(fleet.stack, server);
        const { lost, doubled, pauseMs } = await whilePublishing(collectingOf(fleet.stack), kill, {
          site: "bergen",
          run: server,
        });
        assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
        assert.ok(pauseMs < 10_000, `the hub took nothing for ${pauseMs} ms after the end of ${server}`);
        await fleet.stack.up();
        assert.equal(await isWholeHub(fleet.stack), true);
      }
      await fleet.assertProven("oslo", "bergen");
    });

    it("leaves nothing on both engines after destroy", () => fleet.assertLeavesNothing(first, second));
  });
}
