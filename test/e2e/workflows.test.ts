import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { interrupt } from "../support/stacks/interrupt";
import { killHard, pidOf, serversOf } from "../support/stacks/servers";

// What the jobs of .github/workflows run, by hand. The preview report and `make up` have tests of their own.

const SETTINGS = {
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
} satisfies RawSettings;

const GIT = "git -c user.name=somebody -c user.email=somebody@example.org -c commit.gpgsign=false";

describe("what the workflows run", () => {
  let stack: Stack;
  const make = async (line: string): Promise<Ran> => stack.shell(`make --silent ${line}`);
  const succeeds = async (line: string): Promise<Ran> => {
    const ran = await make(line);
    assert.equal(ran.code, 0, ran.output);
    return ran;
  };

  before(async () => {
    stack = await Stack.create("flow", SETTINGS);
    const { code, output } = await stack.shell(`git init -q && git add -A && ${GIT} commit -qm first`);
    assert.equal(code, 0, output);
    await succeeds("up STACK=flow");
  });
  after(() => stack.remove());

  it("tells the commit that was deployed", async () => {
    const head = (await stack.shell("git rev-parse HEAD")).stdout.trim();
    assert.equal((await succeeds("deployed-commit STACK=flow")).stdout.trim(), head);
  });

  it("finds no drift in what was just deployed", async () => {
    const { output } = await succeeds("drift STACK=flow");
    assert.match(output, /unchanged/);
    assert.match(output, /oslo/);
  });

  it("finds drift when a server has died", async () => {
    await killHard(pidOf(stack.fleet, "oslo"));
    const { code, output } = await make("drift STACK=flow");
    assert.notEqual(code, 0);
    assert.match(output, /oslo: its server is not running; up repairs it/);
  });

  it("tells no commit of a folder with changes that no commit has", async () => {
    fs.appendFileSync(path.join(stack.folder, "index.ts"), "// changed\n");
    await succeeds("up STACK=flow");
    const { code, output } = await make("deployed-commit STACK=flow");
    assert.notEqual(code, 0);
    assert.match(output, /with changes that were not committed; deploy a commit first/);
  });

  describe("an ephemeral stack", () => {
    const leftOf = (name: string) =>
      [`Pulumi.${name}.yaml`, `.fleet/${name}`, `.state/${name}.passphrase`].filter((file) =>
        fs.existsSync(path.join(stack.folder, file)),
      );

    it("is refused in place of a stack that is none", async () => {
      const { code, output } = await make("ephemeral STACK=flow FROM=flow");
      assert.notEqual(code, 0);
      assert.match(output, /stack 'flow' is not ephemeral: Pulumi\.flow\.yaml was not written by this command/);
      assert.equal(serversOf(stack.fleet).length, 2);
    });

    it("is refused without settings to take", async () => {
      assert.match((await make("ephemeral STACK=try FROM=none")).output, /Pulumi\.none\.yaml: there is none/);
    });

    it("is refused with settings that reach beyond processes of this machine, and makes nothing", async () => {
      fs.writeFileSync(
        path.join(stack.folder, "Pulumi.docked.yaml"),
        "config:\n  nats-hub-leaf:runtime: docker\n  nats-hub-leaf:sites: [{ name: oslo }]\n",
      );
      const { code, output } = await make("ephemeral STACK=try FROM=docked");
      assert.notEqual(code, 0);
      assert.match(output, /make ephemeral FROM=docked: .*\n {2}- runtime: puts hub, oslo into containers/);
      assert.deepEqual(leftOf("try"), []);
    });

    it("goes on after it was killed: it is proven, looked at, and leaves nothing", async () => {
      const fleet = path.join(stack.folder, ".fleet/try");
      const killed = stack.startShell("make --silent ephemeral STACK=try FROM=flow");
      await interrupt(killed, "all", "a server runs", () => serversOf(fleet).length > 0);
      assert.deepEqual(leftOf("try").length, 3);
      const { output } = await succeeds("ephemeral STACK=try FROM=flow");
      assert.match(output, /oslo\s+│ up\s+│ OSLO\s+│ EVENTS\s+│\s+28 │[^│]*│ proven/);
      assert.match(output, /Stack 'try' has been removed/);
      assert.deepEqual(leftOf("try"), []);
      assert.deepEqual(serversOf(fleet), []);
    });
  });
});
