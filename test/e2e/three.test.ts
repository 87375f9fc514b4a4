import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { type Outcome, whilePublishing } from "../support/fleets/three";
import { Stack } from "../support/stacks/cli";
import { type Ground, onEveryGround } from "../support/stacks/grounds";
import { collectingOf, isWholeHub, leaderOf } from "../support/stacks/three";
import { linkIds } from "../support/stacks/traffic";
import { until } from "../support/until";

// A hub of three servers through what an operator does with it, and what happens to it, while an application publishes.

const SERVERS = ["hub-1", "hub-2", "hub-3"];

/** How long the hub may take nothing. */
const KILLED_MS = 10_000;
const RESTARTED_MS = 2_500;

onEveryGround("a hub of three", (start) => {
  let ground: Ground;
  let stack: Stack;
  const settings = (hub: RawSettings["hub"] = {}): RawSettings => ({
    ...ground.settings,
    hub: { servers: 3, ...hub },
    // Of these one is beside the hub, and the other dials what is published.
    sites: [{ name: "oslo" }, { name: "bergen", runtime: "process" }],
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  });

  const during = (run: string, fault: () => Promise<unknown>): Promise<Outcome> =>
    whilePublishing(collectingOf(stack), fault, { run });

  function assertAllOnce(what: string, { sent, lost, doubled, pauseMs }: Outcome, mostMs: number): void {
    console.error(`      ${what}: ${sent} messages, pause ${pauseMs} ms`);
    assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
    assert.ok(sent > 50, `only ${sent} messages were published`);
    assert.ok(pauseMs <= mostMs, `the hub took nothing for ${pauseMs} ms`);
  }

  const pids = async (): Promise<number[]> => Promise.all(SERVERS.map((server) => ground.pid(stack, server)));

  before(async () => {
    ground = await start();
    stack = await Stack.create("three", settings(), ground.options);
  });
  after(async () => {
    await stack.remove();
    await ground.stop();
  });

  it("comes up, and is proven on each of its servers", async () => {
    const from = Date.now();
    const { output } = await stack.up();
    console.error(`      up in ${((Date.now() - from) / 1000).toFixed(1)} s`);
    assert.match(output, /hub-1, hub-2, hub-3 are on one machine/);
    const { proof } = await stack.outputs();
    assert.deepEqual(
      proof.map(({ site, link, status }) => [site, link, status]),
      [
        ["oslo", "up", "proven"],
        ["bergen", "up", "proven"],
      ],
    );
    assert.equal((await (await collectingOf(stack).atHub("oslo")).stream("EVENTS"))?.config.num_replicas, 3);
    await stack.isClean();
  });

  it("loses and doubles nothing when the leader of a stream is killed, and up starts it again", async () => {
    const killed = await leaderOf(stack, "oslo");
    assertAllOnce("leader killed", await during("kill", () => ground.kill(stack, killed)), KILLED_MS);
    assert.match((await stack.fails("preview", "--expect-no-changes")).output, /this server of the hub is not running/);
    await stack.up();
    assert.equal(await isWholeHub(stack), true);
    await stack.isClean();
  });

  it("restarts one server at a time when a setting changes, and loses and doubles nothing", async () => {
    const before = await pids();
    stack.configure(settings({ syncInterval: "10s" }));
    assertAllOnce("setting changed", await during("setting", () => stack.up()), RESTARTED_MS);
    const after = await pids();
    assert.ok(after.every((pid, i) => pid !== before[i]));
    await stack.isClean();
  });

  it("leaves no trace after destroy", async () => {
    await until("both links stand", async () => Object.keys(await linkIds(stack)).length === 2);
    const { code, output } = await stack.run(["destroy", "--yes", "--skip-preview"], { DISCARD: "1" });
    assert.equal(code, 0, output);
    await stack.leftNothing();
    await ground.hasLeft(stack, "");
  });
});
