import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Stack } from "../support/cli";
import { copyProject } from "../support/scratch-project";
import { publish, stored } from "../support/e2e-traffic";
import { until } from "../support/until";

// The components in somebody else's Pulumi program, which depends on this package.

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Fleet, Hub, Leaf, Proof, readSettings } from "nats-hub-leaf";

const { settings, problems } = readSettings({
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
});
if (settings === undefined) throw new pulumi.RunError(JSON.stringify(problems));

const fleet = new Fleet("edge", { settings, stack: pulumi.getStack() });
const center = new Hub("center", { fleet });
const sites = settings.sites.map((site) => new Leaf(site.name, { fleet, hub: center, site }));
const { rows } = new Proof("edge-proof", { fleet, hub: center, sites });

export const proof = rows;
export const hub = center.endpoints;
const site = Object.fromEntries(sites.map((leaf) => [leaf.site.name, leaf.endpoints]));
export { site as sites };
export const seeds = pulumi.secret(fleet.userSeeds());
`;

/** A Pulumi project of its own, with this package among its dependencies. */
function otherProject(dependency: string): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "nhl-elsewhere-")));
  const write = (file: string, text: string) => fs.writeFileSync(path.join(folder, file), text);
  write("Pulumi.yaml", "name: elsewhere\nruntime: nodejs\nbackend:\n  url: file://./.state?create_dir=true\n");
  write("package.json", JSON.stringify({ name: "elsewhere", dependencies: { "nats-hub-leaf": "*" } }));
  write(
    "tsconfig.json",
    JSON.stringify({ compilerOptions: { module: "commonjs", moduleResolution: "node", noCheck: true } }),
  );
  write("index.ts", PROGRAM);
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
