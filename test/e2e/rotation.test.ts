import assert from "node:assert/strict";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { leafLogin } from "../support/stacks/leaf-login";
import { type Ground, onEveryGround } from "../support/stacks/grounds";
import { MOST_SILENCE_MS, Traffic, Watch, arrived, hubStart, linkIds } from "../support/stacks/traffic";

const settings = (rotation: number) => ({
  sites: [{ name: "oslo", rotation }, { name: "bergen" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  probes: { burst: "0B" },
});

onEveryGround("rotation of a site's link key while applications publish", (start) => {
  let ground: Ground;
  let stack: Stack;
  let rotated: Ran;
  let traffic: Record<"oslo" | "bergen", Traffic>;
  let watch: Watch;
  let untouched: { key: string; links: Record<string, number>; hub: object; pids: number[] };
  const pids = () => Promise.all(["hub", "oslo", "bergen"].map((server) => ground.pid(stack, server)));
  const linkKey = async (): Promise<string> => (await stack.seedsInState()).oslo!.link!;

  before(async () => {
    ground = await start();
    stack = await Stack.create("rotation", { ...ground.settings, ...settings(0) }, ground.options);
    await stack.up();
    traffic = {
      oslo: Traffic.start(await stack.applicationOf("oslo"), "oslo"),
      bergen: Traffic.start(await stack.applicationOf("bergen"), "bergen"),
    };
    watch = await Watch.start(stack, ["bergen"]);
    untouched = { key: await linkKey(), links: await linkIds(stack), hub: await hubStart(stack), pids: await pids() };
    assert.equal(await leafLogin((await stack.outputs()).hub.leafnodes, untouched.key), "accepted");

    stack.configure({ ...ground.settings, ...settings(1) });
    rotated = await stack.up();
  });
  after(async () => {
    await stack.remove();
    await ground.stop();
  });

  it("declares the new key before it drops the old one", () => {
    const [created, deleted] = ["created", "deleted"].map((done) =>
      rotated.output.search(new RegExp(`oslo-link ${done}`)),
    );
    const proven = rotated.output.search(/site oslo: 3 of 3 probes/);
    assert.ok(created! > 0 && created! < proven && proven < deleted!, rotated.output);
  });

  it("gives the site another key", async () => assert.notEqual(await linkKey(), untouched.key));

  it("lets the hub refuse the old key", async () => {
    assert.equal(await leafLogin((await stack.outputs()).hub.leafnodes, untouched.key), "refused");
  });

  it("lets the hub accept the new key", async () => {
    assert.equal(await leafLogin((await stack.outputs()).hub.leafnodes, await linkKey()), "accepted");
  });

  it("moves the link of the site and leaves the other's alone", async () => {
    const links = await linkIds(stack);
    assert.equal(links.bergen, untouched.links.bergen);
    assert.notEqual(links.oslo, untouched.links.oslo);
  });

  it("restarts no server", async () => {
    assert.deepEqual(await hubStart(stack), untouched.hub);
    assert.deepEqual(await pids(), untouched.pids);
  });

  it("never interrupts the sourcing of the other site for 5 s", async () => {
    const { longestMs, looks } = await watch.stop();
    assert.ok(looks > 10, `looked only ${looks} times`);
    assert.ok(longestMs.bergen! >= 0 && longestMs.bergen! < MOST_SILENCE_MS, `silent for ${longestMs.bergen} ms`);
  });

  it("loses and doubles nothing", async () => {
    for (const [site, publishing] of Object.entries(traffic)) {
      const texts = await publishing.stop();
      assert.ok(texts.length > 50, `only ${texts.length} messages were published at ${site}`);
      assert.deepEqual(await arrived(stack, site, texts), texts.toSorted());
    }
  });

  it("is followed by a clean preview", () => stack.isClean());
});
