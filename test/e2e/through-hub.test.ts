import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { killHard, pidOf } from "../support/stacks/servers";
import { arrived, linkIds, publish } from "../support/stacks/traffic";

// A site whose own ports this program does not reach: it is deployed, proven and changed through the hub.

/** An address for documentation (RFC 5737): nothing answers there. */
const NOWHERE = "192.0.2.1";

describe("a site that only the hub reaches", () => {
  let stack: Stack;
  const settings = (change: Partial<NonNullable<RawSettings["sites"]>[number]> = {}): RawSettings => ({
    sites: [{ name: "oslo", reach: "hub", address: NOWHERE, ...change }, { name: "bergen" }],
    streams: [
      { name: "EVENTS", subjects: ["events.>"] },
      { name: "ALARMS", subjects: ["alarms.>"], collect: { mode: "merged" } },
    ],
  });
  before(async () => {
    stack = await Stack.create("behind", settings());
    await stack.up();
  });
  after(() => stack.remove());

  it("is proven in both modes, and says what could not be attacked", async () => {
    const { proof, sites } = await stack.outputs();
    assert.match(sites.oslo!.client, new RegExp(`^nats://${NOWHERE.replaceAll(".", "\\.")}:`));
    assert.deepEqual(
      proof.map(({ site, stream, messages, status, note }) => [site, stream, messages, status, note]),
      [
        ["oslo", "EVENTS", 28, "proven", "through the hub: isolation at the site's own port was not attacked"],
        ["oslo", "ALARMS_OSLO", 28, "proven", "through the hub: isolation at the site's own port was not attacked"],
        ["bergen", "EVENTS", 28, "proven", ""],
        ["bergen", "ALARMS_BERGEN", 28, "proven", ""],
      ],
    );
  });

  it("is followed by a clean preview", () => stack.isClean());

  it("reloads through the hub: its process and its link stay", async () => {
    const [before, links] = [pidOf(stack.fleet, "oslo"), await linkIds(stack)];
    stack.configure(settings({ maxPayload: "512KiB" }));
    const { output } = await stack.up();
    assert.match(output, /site oslo: up reloads its server/);
    assert.equal(pidOf(stack.fleet, "oslo"), before);
    assert.deepEqual(await linkIds(stack), links);
    await stack.isClean();
  });

  it("is seen to be dead, and repaired", async () => {
    await killHard(pidOf(stack.fleet, "oslo"));
    const { output } = await stack.fails("preview", "--expect-no-changes");
    assert.match(output, /site oslo: its server is not running; up repairs it/);
    assert.match((await stack.up()).output, /site oslo: 3 of 3 probes of EVENTS/);
    await stack.isClean();
  });

  it("is reached directly again when the settings say so", async () => {
    stack.configure(settings({ reach: "direct", address: "127.0.0.1" }));
    await stack.up();
    await stack.outputs({ again: true });
    const texts = await publish(await stack.applicationOf("oslo"), "oslo");
    assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
    await stack.isClean();
  });
});
