import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Stack } from "../support/stacks/cli";
import { copyProject } from "../support/stacks/scratch-project";
import { publish, stored } from "../support/stacks/traffic";
import { until } from "../support/until";

// The components in somebody else's Pulumi program, which depends on this package: examples/embedded.

const EXAMPLE = path.resolve(__dirname, "../../examples/embedded");

/** A Pulumi project of its own, with this package among its dependencies. */
function otherProject(dependency: string): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "nhl-elsewhere-")));
  fs.cpSync(EXAMPLE, folder, { recursive: true });
  fs.mkdirSync(path.join(folder, "node_modules"));
  fs.symlinkSync(dependency, path.join(folder, "node_modules/nats-hub-leaf"));
  fs.symlinkSync(path.join(dependency, "node_modules/@pulumi"), path.join(folder, "node_modules/@pulumi"));
  return folder;
}

describe("the components in another program", () => {
  let dependency: string;
  let folder: string;
  let stack: Stack;

  before(async () => {
    dependency = copyProject("dependency");
    folder = otherProject(dependency);
    stack = await Stack.create("embedded", {}, { folder });
    await stack.up();
  });
  after(async () => {
    await stack.remove();
    for (const scratch of [folder, dependency]) fs.rmSync(scratch, { recursive: true });
  });

  it("are proven", async () => {
    const { proof } = await stack.outputs();
    assert.deepEqual(
      proof.map(({ site, collected, status }) => [site, collected, status]),
      [["oslo", "OSLO/EVENTS", "proven"]],
    );
  });

  it("keep their files in that program's folder", () => {
    assert.ok(fs.existsSync(path.join(folder, ".fleet/embedded/hub/nats-server.conf")));
    assert.equal(fs.existsSync(path.join(dependency, ".fleet")), false);
  });

  it("bring what applications publish to the hub", async () => {
    const texts = await publish(await stack.applicationOf("oslo"), "oslo");
    const reader = await stack.client("oslo", "reader", { at: "hub" });
    const found = await until("the hub has them all", async () => {
      const messages = await stored(reader, "EVENTS", "events.>");
      return messages.length >= texts.length && messages;
    });
    assert.deepEqual(found.map(({ text }) => text).sort(), texts.toSorted());
  });

  it("are followed by a clean preview", () => stack.isClean());
});
