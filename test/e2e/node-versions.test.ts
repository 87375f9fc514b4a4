import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NODE_RELEASES, findNode } from "../../commands/toolchain/test-node";
import versions from "../../machine/versions.json";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { arrived, publish } from "../support/stacks/traffic";

const SETTINGS = {
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  probes: { burst: "0B" },
};

/** The releases of Node.js that package.json promises. */
describe("a fleet that is deployed with another Node.js", () => {
  it("is tried with each that package.json promises, from the oldest on", () => {
    const { engines } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as {
      engines: { node: string };
    };
    assert.equal(engines.node, `>=${NODE_RELEASES[0]}`);
  });

  for (const release of NODE_RELEASES) {
    const node = findNode(release);
    const title = `${versions.testTools.node[release]}: is proven, carries messages, is clean and goes again`;
    if (node === undefined && process.env.CI === "true") throw new Error(`node ${release}: run 'make test-tools'`);
    // What runs the tests deploys everywhere else.
    if (node === process.execPath) continue;
    (node === undefined ? it.skip : it)(
      `${title}${node === undefined ? " (skipped: make test-tools)" : ""}`,
      async () => {
        const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-node-"));
        writeFileSync(join(folder, "node"), `#!/bin/sh\necho "$1" >> ${folder}/ran\nexec ${node} "$@"\n`, {
          mode: 0o755,
        });
        const env = { PATH: `${folder}:${process.env.PATH}` };
        const stack = await Stack.create(`node-${release}`, SETTINGS, { env });
        try {
          succeeded(await stack.make("up"));
          const ran = readFileSync(join(folder, "ran"), "utf8");
          for (const part of ["commands/bin.js", "pulumi-resource-pulumi-nodejs"]) assert.ok(ran.includes(part), ran);
          const texts = await publish(await stack.applicationOf("oslo"), "oslo");
          assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
          await stack.isClean();
          succeeded(await stack.make("down", { DISCARD: "1" }));
          await stack.leftNothing();
        } finally {
          await stack.remove();
          rmSync(folder, { recursive: true, force: true });
        }
      },
    );
  }
});
