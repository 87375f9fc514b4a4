import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { RawSettings } from "../../configs/settings";
import { serverFiles } from "../../machine/folders";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { hasCommit, projectOf, updateProject } from "../support/stacks/earlier";
import { serversOf } from "../support/stacks/servers";
import { Traffic, arrived } from "../support/stacks/traffic";

/** A watcher that an earlier commit deployed: it gets the program of this one, and nothing else of its fleet changes. */

/** When a watcher was for hubs of one process only. */
const EARLIER = "f1b263d";

const SETTINGS: RawSettings = {
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } }],
  watch: { deploy: true },
};

describe("a watcher that an earlier commit deployed", () => {
  let folder: string | undefined;
  let stack: Stack | undefined;
  after(async () => {
    await stack?.remove();
    if (folder !== undefined) fs.rmSync(folder, { recursive: true });
  });

  it("is restarted with this commit's program while applications publish, and nothing else is touched", async function () {
    if (!hasCommit(EARLIER)) return this.skip();
    folder = projectOf(EARLIER);
    stack = await Stack.create("watched", SETTINGS, { folder });
    const { fleet } = stack;
    succeeded(await stack.make("up"));
    const pids = () =>
      serversOf(fleet)
        .map(({ pid }) => pid)
        .sort();
    const texts = () =>
      [`${fleet}/hub`, `${fleet}/sites/oslo`].map((one) => fs.readFileSync(serverFiles(one).config, "utf8"));
    const watcher = () => (JSON.parse(fs.readFileSync(`${fleet}/watcher/process.json`, "utf8")) as { pid: number }).pid;
    const before = { pids: pids(), texts: texts(), watcher: watcher() };
    await using traffic = Traffic.start(await stack.applicationOf("oslo"), "oslo");
    updateProject(folder, "watched");
    const { output } = succeeded(await stack.make("preview"));
    assert.match(output, /watcher: up restarts it: this version of the program has another watcher/);
    assert.doesNotMatch(output, /replace|delete|create/);
    succeeded(await stack.make("up"));
    assert.deepEqual({ pids: pids(), texts: texts() }, { pids: before.pids, texts: before.texts });
    assert.notEqual(watcher(), before.watcher);
    await stack.isClean();
    const sent = await traffic.stop();
    assert.ok(sent.length > 100);
    assert.deepEqual(await arrived(stack, "oslo", sent), sent.toSorted());
  });
});
