import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import type { RawSettings } from "../../configs/settings";
import { hasCommit, projectOf, updateProject } from "../support/stacks/earlier";
import { killHard, serversOf } from "../support/stacks/servers";
import { Traffic, arrived, endAll } from "../support/stacks/traffic";

/** What an earlier commit deployed goes on: no replacement, no restart, no message lost, and it can be taken down. */

/** Before the program was laid out in rooms, and had one command line. */
const EARLIER = "32d1ae0";

/** What the stack's watcher says of itself. */
async function health(stack: Stack): Promise<unknown> {
  const { port } = JSON.parse(fs.readFileSync(`${stack.fleet}/watcher/watcher.json`, "utf8")) as { port: number };
  return (await fetch(`http://127.0.0.1:${port}/healthz`)).json();
}

const pidsOf = (stack: Stack): number[] =>
  serversOf(stack.fleet)
    .map(({ pid }) => pid)
    .sort();

describe("a stack that an earlier commit deployed", function () {
  let folder: string;
  let stack: Stack;
  let pids: number[];
  let settings: RawSettings;
  const traffic: Record<string, Traffic> = {};

  before(async function () {
    if (!hasCommit(EARLIER)) return this.skip();
    folder = projectOf(EARLIER);
    const collect = { maxBytes: "32MiB" };
    settings = {
      sites: [{ name: "oslo" }, { name: "bergen" }],
      streams: [
        { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect },
        { name: "ALL", subjects: ["all.>"], maxBytes: "32MiB", collect: { ...collect, mode: "merged" } },
      ],
    };
    stack = await Stack.create("earlier", settings, { folder });
    succeeded(await stack.make("up"));
    pids = pidsOf(stack);
    for (const site of ["oslo", "bergen"]) traffic[site] = Traffic.start(await stack.applicationOf(site), site);
    updateProject(folder, "earlier");
  });
  after(async () => {
    await endAll(traffic);
    await stack?.remove();
    if (folder !== undefined) fs.rmSync(folder, { recursive: true });
  });

  it("is replaced and restarted in nothing, as the preview says", async () => {
    const { output } = succeeded(await stack.make("preview"));
    assert.doesNotMatch(output, /replace|restart|delete|create/);
    assert.match(output, /unchanged/);
  });

  it("is updated while applications publish, and proven", async () => {
    succeeded(await stack.make("up"));
    const { proof } = await stack.outputs({ again: true });
    assert.deepEqual(proof.map(({ site, stream, status }) => `${site}/${stream} ${status}`).sort(), [
      "bergen/ALL_BERGEN proven",
      "bergen/EVENTS proven",
      "oslo/ALL_OSLO proven",
      "oslo/EVENTS proven",
    ]);
    assert.deepEqual(pidsOf(stack), pids);
  });

  it("gets a watcher while applications publish: the hub reloads, and no server restarts", async () => {
    stack.configure({ ...settings, watch: { deploy: true } });
    const { output } = succeeded(await stack.make("preview"));
    assert.match(output, /hub: up reloads the hub; links stay/);
    succeeded(await stack.make("up"));
    assert.deepEqual(pidsOf(stack), pids);
    const { status } = (await health(stack)) as { status: string };
    assert.equal(status, "ok");
  });

  it("has everything that was published meanwhile on the hub, once", async () => {
    for (const [site, publishing] of Object.entries(traffic)) {
      const texts = await publishing.stop();
      assert.ok(texts.length > 100, site);
      assert.deepEqual(await arrived(stack, site, texts), texts.toSorted());
    }
  });

  it("is good, and its preview clean", async () => {
    await stack.isClean();
    assert.match(succeeded(await stack.make("doctor")).output, /fleet: good/);
  });

  it("says when its watcher was killed, and starts it again", async () => {
    const { pid } = JSON.parse(fs.readFileSync(`${stack.fleet}/watcher/process.json`, "utf8")) as { pid: number };
    await killHard(pid);
    assert.match((await stack.make("doctor")).output, /the watcher does not run.*\[watcher-down\]|watcher-down/s);
    assert.match(succeeded(await stack.make("preview")).output, /watcher: it is not running; up repairs it/);
    succeeded(await stack.make("up"));
    await stack.isClean();
    assert.match(succeeded(await stack.make("doctor")).output, /fleet: good/);
  });

  it("is taken down with nothing left", async () => {
    succeeded(await stack.make("down", { DISCARD: "1" }));
    assert.deepEqual(pidsOf(stack), []);
    assert.equal(fs.existsSync(path.join(folder, ".fleet")), false);
  });
});
