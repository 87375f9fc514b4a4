import assert from "node:assert/strict";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import type { ContainerInspectInfo } from "dockerode";
import type { RawSettings } from "../../configs/settings";
import { converse, endpointOf } from "../../servers/nats/connection";
import { Stack } from "../support/stacks/cli";
import { killHard } from "../support/stacks/servers";
import { Traffic, arrived, linkIds, publish } from "../support/stacks/traffic";
import { readStackConfig } from "../../commands/stack/stack-config";
import { Containers, missingEngine } from "../support/stacks/grounds";
import { until } from "../support/until";

// What only containers have: the restart policy, what shows in an inspection, images, volumes, engines that go away.

const missing = missingEngine();
/** The committed environment for containers: TLS on the links, an image with a health check. */
const STAGING = readStackConfig(path.resolve(__dirname, "../.."), "staging").raw as RawSettings;

(missing === undefined ? describe : describe.skip)(
  `servers in containers${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let ground: Containers;
    let stack: Stack;
    const published: Record<string, string[]> = { oslo: [], bergen: [] };
    const settings = (change: RawSettings = {}): RawSettings => ({
      ...STAGING,
      ...change,
      hub: { ...STAGING.hub, ...change.hub },
    });
    const inspect = (server: string): Promise<ContainerInspectInfo> => ground.container(stack, server).inspect();
    const publishAt = async (site: string, count = 20): Promise<void> => {
      const first = published[site]!.length;
      published[site]!.push(...(await publish(await stack.applicationOf(site), site, { first, count })));
    };
    /** All that was acknowledged arrived, and nothing twice. What was published but not acknowledged may have. */
    const assertArrived = async (): Promise<void> => {
      for (const site of ["oslo", "bergen"]) {
        const found = await arrived(stack, site, published[site]!);
        assert.equal(new Set(found).size, found.length, "nothing is doubled");
        assert.deepEqual(
          published[site]!.filter((text) => !found.includes(text)),
          [],
        );
      }
    };
    const comesBack = (server: string, before: number) =>
      until(`${server} runs again`, async () => {
        const { Running, Pid } = (await inspect(server)).State;
        return Running && Pid !== 0 && Pid !== before;
      });
    const serves = async (url: string) =>
      until("it serves", () => converse(endpointOf(url), { timeoutMs: 500 }).catch(() => undefined));

    before(async () => {
      ground = await Containers.start();
      stack = await Stack.create("boxes", settings(), ground.options);
    });
    after(async () => {
      await stack.remove();
      await ground.stop();
    });

    it("are finished by the next make up when the first was killed, twice", async () => {
      for (const server of ["hub", "oslo"]) {
        const { child, ended } = stack.startMake("up");
        const isThere = () =>
          inspect(server).then(
            () => true,
            () => false,
          );
        await until(`${server} has a container`, isThere, 120_000);
        process.kill(-child.pid!, "SIGKILL");
        await ended;
      }
      const { code, output } = await stack.make("up");
      assert.equal(code, 0, output);
      assert.deepEqual(
        (await stack.outputs({ again: true })).proof.map(({ site, status }) => [site, status]),
        [
          ["oslo", "proven"],
          ["bergen", "proven"],
        ],
      );
      await stack.isClean();
    });

    it("show no seed and no configuration in an inspection of container, image and volume", async () => {
      const seeds = Object.values(await stack.seedsInState()).flatMap((roles) => Object.values(roles));
      assert.equal(seeds.length, 11);
      const { docker } = ground.engine;
      const texts = [
        ...(await Promise.all(["hub", "oslo", "bergen"].map(inspect))),
        await docker.getImage("nats:2.15.2-alpine").inspect(),
        await docker.getImage("nats:2.15.2-alpine").history(),
        await docker.listVolumes(),
      ].map((found) => JSON.stringify(found));
      for (const text of texts) {
        assert.deepEqual(
          seeds.filter((seed) => text.includes(seed)),
          [],
        );
        assert.doesNotMatch(text, /leafnodes \{|nkey:/);
      }
    });

    it("report their health", async () => {
      for (const server of ["hub", "oslo"])
        await until("it is healthy", async () => (await inspect(server)).State.Health?.Status === "healthy");
    });

    it("cannot change their own configuration", async () => {
      const exec = await ground.container(stack, "oslo").exec({
        Cmd: [
          "sh",
          "-c",
          "echo x >>/nats/config/nats-server.conf || rm -f /nats/config/nats-server.conf || echo refused",
        ],
        AttachStdout: true,
      });
      assert.match(await text(await exec.start({})), /refused/);
      await stack.isClean();
    });

    for (const server of ["oslo", "hub"]) {
      it(`come back by themselves when the process of ${server} is killed, after a reload too, and lose nothing`, async () => {
        stack.configure(settings({ hub: { maxPayload: server === "oslo" ? "2MiB" : "3MiB" } }));
        await stack.up();
        const run = `kill-${server}`;
        await using oslo = Traffic.start(await stack.applicationOf("oslo"), "oslo", { run });
        await using bergen = Traffic.start(await stack.applicationOf("bergen"), "bergen", { run });
        await until("both publish", () => oslo.count > 20 && bergen.count > 20);
        const { Pid, StartedAt } = (await inspect(server)).State;
        await killHard(Pid);
        await comesBack(server, Pid);
        assert.notEqual((await inspect(server)).State.StartedAt, StartedAt);
        published.bergen!.push(...(await bergen.stop()));
        // A site that is killed takes the connection with it; what it acknowledged before must arrive.
        published.oslo!.push(...(await (server === "oslo" ? oslo.untilItFails() : oslo.stop())));
        const { sites } = await stack.outputs();
        await serves(sites.oslo!.client);
        await until("both links are back", async () => Object.keys(await linkIds(stack)).length === 2);
        await publishAt("oslo");
        await assertArrived();
      });
    }

    it("come back with the engine, and nothing is lost", async () => {
      await publishAt("oslo");
      await ground.engine.restart();
      for (const server of ["hub", "oslo", "bergen"]) await comesBack(server, 0);
      const { sites, hub } = await stack.outputs();
      for (const url of [hub.client, sites.oslo!.client, sites.bergen!.client]) await serves(url);
      await until("both links are back", async () => Object.keys(await linkIds(stack)).length === 2);
      await publishAt("bergen");
      await assertArrived();
    });

    it("are made anew with their data when somebody removed them", async () => {
      await publishAt("oslo");
      await ground.container(stack, "oslo").remove({ force: true });
      const preview = await stack.make("preview");
      assert.equal(preview.code, 0, preview.output);
      assert.match(preview.output, /oslo-container/);
      const ran = await stack.make("up");
      assert.equal(ran.code, 0, ran.output);
      assert.match(ran.output, /oslo .*proven/);
      await assertArrived();
      const clean = await stack.startMake("preview", {}, ["--expect-no-changes"]).ended;
      assert.equal(clean.code, 0, clean.output);
    });

    it("show in a preview when somebody changed their limits or restart policy by hand, and up repairs them", async () => {
      const { Id } = await inspect("oslo");
      await ground
        .container(stack, "oslo")
        .update({ Memory: 2 ** 28, MemorySwap: 2 ** 28, RestartPolicy: { Name: "no" } });
      const preview = await stack.make("preview");
      assert.match(preview.output, /oslo-container +update .*memory/);
      const { code, output } = await stack.make("up");
      assert.equal(code, 0, output);
      assert.match(output, /changed by hand: oslo-container; restoring it/);
      const { HostConfig, Id: after } = await inspect("oslo");
      assert.deepEqual([HostConfig.Memory, HostConfig.RestartPolicy?.Name, after], [2 ** 29, "always", Id]);
      await stack.isClean();
    });

    it("show, without a refresh, that they were removed, and how to get them back", async () => {
      await ground.container(stack, "bergen").remove({ force: true });
      const { output } = await stack.refusedUp();
      assert.match(output, /container nats-boxes-bergen was removed; run 'make up' \(or 'pulumi up --refresh'\)/);
      await stack.up("--refresh");
      await stack.isClean();
    });

    describe("of another image", () => {
      const next = { docker: { image: "nats:2.15.2-next-alpine" } };
      const images = async () =>
        Object.fromEntries(
          await Promise.all(
            ["hub", "oslo", "bergen"].map(async (server) => [server, (await inspect(server)).Config.Image] as const),
          ),
        );

      it("are not replaced all at once by a plain up", async () => {
        await ground.engine.loadNatsImage("-next");
        const before = await images();
        stack.configure(settings(next));
        const { output } = await stack.fails("preview");
        assert.match(output, /docker\.image .*changes from nats:2\.15\.2-alpine to nats:2\.15\.2-next-alpine/);
        assert.match(output, /'make upgrade' replaces one at a time, the hub first/);
        assert.deepEqual(await images(), before);
      });

      it("take over one at a time, the hub first, an interrupted upgrade included, and nothing is lost", async () => {
        await Promise.all([publishAt("oslo"), publishAt("bergen")]);
        const before = await images();
        const { child, ended } = stack.startMake("upgrade");
        await until("the hub is another", async () => (await images()).hub !== before.hub, 120_000);
        process.kill(-child.pid!, "SIGKILL");
        await ended;
        const { oslo, bergen } = await images();
        assert.deepEqual({ oslo, bergen }, { oslo: before.oslo, bergen: before.bergen });
        await using traffic = Traffic.start(await stack.applicationOf("bergen"), "bergen", { run: "upgrade" });
        const { code, output } = await stack.make("upgrade");
        assert.equal(code, 0, output);
        published.bergen!.push(...(await traffic.untilItFails()));
        const started = await Promise.all(
          ["hub", "oslo", "bergen"].map(async (server) => (await inspect(server)).State.StartedAt),
        );
        assert.deepEqual(started, started.toSorted());
        const after = await images();
        for (const server of ["hub", "oslo", "bergen"]) assert.notEqual(after[server], before[server]);
        await publishAt("oslo");
        await assertArrived();
        await stack.isClean();
      });
    });
  },
);
