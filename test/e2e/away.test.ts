import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { Engine } from "../support/docker/engine";
import { withDockerPlugin } from "../support/docker/plugin";
import { arrived, linkIds, publish } from "../support/stacks/traffic";
import { missingEngine } from "../support/stacks/grounds";

// A machine that goes away: the engine of one site, which is the only thing that stops.

const missing = missingEngine();

(missing === undefined ? describe : describe.skip)(
  `a machine that goes away${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let engine: Engine;
    let stack: Stack;
    const settings = (sites: NonNullable<RawSettings["sites"]>): RawSettings => ({
      sites,
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    });
    const oslo = { name: "oslo" };
    const tromso = { name: "tromso" };
    const elsewhere = (name: string) => ({ name, runtime: "docker" as const, engine: engine.url });
    const statuses = async () =>
      Object.fromEntries((await stack.outputs({ again: true })).proof.map(({ site, status }) => [site, status]));
    const make = async (target: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> => stack.make(target, env);

    before(async () => {
      engine = await Engine.start("far");
      await engine.loadNatsImage();
      stack = await Stack.create("away", settings([oslo]), { prepare: withDockerPlugin });
      await stack.up();
      stack.configure(settings([oslo, elsewhere("bergen")]));
      const { code, output } = await make("up");
      assert.equal(code, 0, output);
    });
    after(async () => {
      await stack.remove();
      await engine.stop();
    });

    it("is proven while it is there", async () => {
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven" });
      await publish(await stack.applicationOf("bergen"), "bergen");
    });

    it("fails its own sites only: the others go through, and the result says what is pending", async () => {
      await engine.pause();
      const before = await linkIds(stack);
      stack.configure(settings([oslo, elsewhere("bergen"), tromso, elsewhere("narvik")]));
      const { code, output } = await make("up");
      assert.notEqual(code, 0);
      assert.match(output, /Error 3/);
      assert.match(output, /pending, everything else is done: bergen, narvik/);
      assert.match(output, /Docker engine unix:.*docker\.sock: .*; bring .*|nothing listens/);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "pending", tromso: "proven" });
      assert.equal((await linkIds(stack)).oslo, before.oslo);
      const texts = await publish(await stack.applicationOf("tromso"), "tromso");
      assert.deepEqual(await arrived(stack, "tromso", texts), texts.toSorted());
    });

    it("says so in a preview too", async () => {
      const { output } = await make("preview");
      assert.match(output, /pending, everything else is done: bergen, narvik/);
    });

    it("is caught up with when it is back", async () => {
      await engine.resume();
      const { code, output } = await make("up");
      assert.equal(code, 0, output);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven", tromso: "proven", narvik: "proven" });
      await stack.isClean();
    });

    it("is not destroyed while it is away, and nothing else either", async () => {
      await engine.pause();
      const there = await stack.resources();
      const { code, output } = await make("down", { DISCARD: "1" });
      assert.notEqual(code, 0);
      assert.match(output, /nothing is removed, because the machine of bergen, narvik cannot be reached/);
      assert.deepEqual(await stack.resources(), there);
    });

    describe("for good", () => {
      it("is not forgotten while it is declared, nor while its loss is not allowed", async () => {
        const declared = await make("forget", { SITE: "bergen", DISCARD: "bergen" });
        assert.match(declared.output, /site bergen cannot be forgotten: the settings still have it/);
        stack.configure(settings([oslo, tromso]));
        const guarded = await make("forget", { SITE: "bergen" });
        assert.match(guarded.output, /would be lost with it; allow that with DISCARD=bergen/);
        assert.notEqual(guarded.code, 0);
      });

      it("is dropped with the hub's side of its sites, and what the hub collected stays", async () => {
        for (const site of ["bergen", "narvik"]) {
          stack.configure(settings([oslo, tromso, ...(site === "bergen" ? [elsewhere("narvik")] : [])]));
          const { output } = await make("forget", { SITE: site, DISCARD: site });
          assert.match(output, new RegExp(`no longer has what site ${site} had`));
        }
        const { code, output } = await make("up");
        assert.equal(code, 0, output);
        assert.deepEqual(await statuses(), { oslo: "proven", tromso: "proven" });
        assert.deepEqual(
          (await stack.resources()).filter((urn) => /bergen|narvik|docker/.test(urn)),
          [],
        );
        await stack.isClean();
      });
    });
  },
);

(missing === undefined ? describe : describe.skip)(
  `another image while one of two machines is away${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let engines: { near: Engine; far: Engine };
    let stack: Stack;
    const settings = (image: RawSettings["docker"]): RawSettings => ({
      docker: image,
      sites: [
        { name: "oslo", runtime: "docker", engine: engines.near.url },
        { name: "bergen", runtime: "docker", engine: engines.far.url },
      ],
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    });
    const statuses = async () =>
      Object.fromEntries((await stack.outputs({ again: true })).proof.map(({ site, status }) => [site, status]));
    const imageOf = async (engine: Engine, site: string): Promise<string> =>
      (await engine.docker.getContainer(`nats-upgrade-${site}`).inspect()).Image;

    before(async () => {
      const [near, far] = await Promise.all([Engine.start("near"), Engine.start("far")]);
      engines = { near, far };
      for (const engine of [near, far]) for (const suffix of ["", "-next"]) await engine.loadNatsImage(suffix);
      stack = await Stack.create("upgrade", settings({}), { prepare: withDockerPlugin });
      await stack.up();
    });
    after(async () => {
      await stack.remove();
      for (const engine of Object.values(engines)) await engine.stop();
    });

    it("is taken by what is there, and the result says what is pending", async () => {
      const before = await imageOf(engines.near, "oslo");
      await engines.far.pause();
      stack.configure(settings({ image: "nats:2.15.2-next-alpine" }));
      const { code, output } = await stack.make("upgrade");
      assert.notEqual(code, 0);
      assert.match(output, /Error 3/, output);
      assert.match(output, /pending, everything else is done: bergen/);
      assert.notEqual(await imageOf(engines.near, "oslo"), before);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "pending" });
    });

    it("is taken by the other when its machine is back", async () => {
      await engines.far.resume();
      const before = await imageOf(engines.far, "bergen");
      const { code, output } = await stack.make("upgrade");
      assert.equal(code, 0, output);
      assert.notEqual(await imageOf(engines.far, "bergen"), before);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven" });
      await stack.isClean();
    });
  },
);
