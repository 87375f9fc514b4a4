import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { interrupt } from "../support/stacks/interrupt";
import { reservedPorts, serversOf } from "../support/stacks/servers";
import { until } from "../support/until";

// Before anything is touched, the CLI's preview has a change tried on loopback.

const good = {
  rehearsal: "onChange",
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
} satisfies RawSettings;

/** Every rule passes it, and JetStream does not. */
const wrong = { ...good, streams: [{ name: "EVENTS", subjects: ["events.>"], maxAge: "200000d" }] };

const PASSED = /rehearsal: hub, oslo on loopback: 28 probes arrived in/;

describe("a rehearsal", () => {
  let stack: Stack;
  before(async () => {
    stack = await Stack.create("loopback", wrong);
  });
  after(() => stack.remove());

  it("refuses the preview of what only a real server refuses, and leaves nothing", async () => {
    const { output } = await stack.fails("preview");
    assert.match(output, /rehearsal: hub, oslo on loopback, as planned: smoke test: 1 of 1 sites are not proven/);
    assert.match(output, /cannot unmarshal number \d+ into .*max_age/);
    await stack.leftNothing();
  });

  it("refuses an up without a preview as well, before any server is started", async () => {
    const { output } = await stack.refusedUp();
    assert.match(output, /cannot unmarshal number \d+ into .*max_age/);
    assert.deepEqual(serversOf(stack.fleet), []);
    assert.equal(fs.existsSync(path.join(stack.fleet, "hub", "nats-server.conf")), false);
  });

  it("of a killed preview leaves nothing, though the provider is killed too", async () => {
    stack.configure({ ...good, sites: [{ name: "oslo", quota: "3GiB" }] });
    const running = stack.start(["preview"]);
    await interrupt(running, "all", "its servers run", () => serversOf(rehearsalOf(stack)).length === 2);
    await until("its servers are gone", () => serversOf(rehearsalOf(stack)).length === 0);
    await until("its ports are free", () => reservedPorts(rehearsalOf(stack)).length === 0);
    await until("its folder is gone", () => !fs.existsSync(rehearsalOf(stack)));
  });

  describe("of a good change", () => {
    let up: Ran;
    before(async () => {
      stack.configure(good);
      up = await stack.succeeds("up", "--yes");
    });

    it("is said in the preview of an up, and not done again in its update", () => {
      const [preview = "", update = ""] = up.output.split(/^Updating/m);
      assert.match(preview, PASSED);
      assert.notEqual(update, "");
      assert.doesNotMatch(update, /rehearsal:/);
    });

    it("leaves nothing beside the fleet", () => {
      assert.equal(fs.existsSync(rehearsalOf(stack)), false);
      assert.equal(serversOf(stack.fleet).length, 2);
    });

    it("does not happen where nothing changes", async () => {
      assert.doesNotMatch((await stack.isClean()).output, /rehearsal:/);
    });
  });
});

const rehearsalOf = ({ fleet }: Stack): string => path.join(fleet, "rehearsal");
