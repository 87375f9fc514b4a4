import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { copyProject } from "../support/stacks/scratch-project";
import { pidOf, reservedPorts, serversOf } from "../support/stacks/servers";
import { linkIds } from "../support/stacks/traffic";
import { occupy } from "../support/fleets/foreign-port";

// What the program refuses: one readable error, an exit code other than 0, and nothing touched.

const good = {
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  probes: { burst: "0B" },
};

describe("refusals", () => {
  let folder: string;
  before(() => {
    folder = copyProject("refusals");
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  /** Runs `preview` on a new stack with these settings; it must fail and leave nothing. */
  async function refused(name: string, settings: Record<string, unknown>, passphrase?: string): Promise<Ran> {
    const stack = await Stack.create(name, settings, { folder, ...(passphrase === undefined ? {} : { passphrase }) });
    const ran = await stack.fails("preview");
    await stack.leftNothing();
    return ran;
  }

  describe("of bad settings, in a preview", () => {
    let shape: Ran;
    let rules: Ran;
    let host: Ran;
    let machine: Ran;

    before(async () => {
      // Side by side: none of them gets as far as to touch anything.
      [[shape, rules], [host, machine]] = await Promise.all([
        (async () => [
          await refused("shape", {
            ...good,
            sitez: [],
            sites: [
              { name: "Oslo", qouta: "1GiB" },
              { name: "bergen", quota: 5 },
            ],
            probes: { count: "three" },
          }),
          await refused("rules", {
            hub: { maxPayload: "1MiB", ports: { client: 4300 } },
            sites: [
              { name: "oslo", ports: { client: 4300 } },
              { name: "oslo", maxPayload: "2MiB" },
            ],
            streams: [
              { name: "EVENTS", subjects: ["events.>"], maxBytes: "4GiB" },
              { name: "MORE", subjects: ["events.more", "$JS.API.>"] },
            ],
          }),
        ])(),
        (async () => [
          await refused("host", { ...good, hub: { host: "0.0.0.0" } }, ""),
          await refused("machine", { ...good, natsServer: oldServer(folder), dataFolder: "package.json/fleet" }),
        ])(),
      ] as [Promise<[Ran, Ran]>, Promise<[Ran, Ran]>]);
    });

    it("names a misspelt top-level key, with what there is", () => {
      assert.match(shape.output, /sitez: is not a setting; use one of .*\bsites\b/);
    });

    for (const problem of [
      /sites\[0\]\.name: 'Oslo' must be 1 to 31 lower-case letters/,
      /sites\[0\]: 'qouta' is not a setting; check the spelling/,
      /sites\[1\]\.quota: is number, not string/,
      /probes\.count: is string, not /,
    ]) {
      it(`names, in the same run, ${String(problem)}`, () => assert.match(shape.output, problem));
    }

    for (const problem of [
      /sites\[1\]\.name: 'oslo' is used twice; site names must differ/,
      /sites\[0\]\.ports\.client: port 4300 is taken by hub\.ports\.client/,
      /sites\[1\]\.maxPayload: 2 MiB is more than the hub's 1 MiB; raise hub\.maxPayload/,
      /streams\[1\]\.subjects\[0\]: 'events\.more' overlaps 'events\.>'/,
      /streams\[1\]\.subjects\[1\]: '\$JS\.API\.>' touches the reserved subjects/,
      /sites\[0\]\.quota: 2 GiB does not hold the site's streams/,
    ]) {
      it(`names every broken rule at once: ${String(problem)}`, () => assert.match(rules.output, problem));
    }

    it("takes no empty passphrase for a hub that other machines reach", () => {
      assert.match(host.output, /hub\.host: 0\.0\.0\.0 is not a loopback address, .*empty passphrase/);
      assert.match(host.output, /change-secrets-provider passphrase/);
    });

    it("takes no nats-server that is too old, and says why", () => {
      assert.match(machine.output, /nats-server is version 2\.10\.22, but 2\.15\.0 or newer is needed: older ones /);
    });

    it("takes no data folder that cannot be made, and says which", () => {
      assert.match(
        machine.output,
        /package\.json: a part of the path is a file; remove it or choose another dataFolder/,
      );
    });

    it("shows no stack trace", () => {
      for (const { output } of [shape, rules, host, machine]) assert.doesNotMatch(output, /^ +at .*:\d+:\d+\)?$/m);
    });
  });

  describe("of a port that a foreign process has", () => {
    let stack: Stack;
    let foreign: Awaited<ReturnType<typeof occupy>>;
    before(async () => {
      foreign = await occupy();
      stack = await Stack.create("ports", { ...good, hub: { ports: { client: foreign.port } } }, { folder });
    });
    after(async () => {
      foreign.server.close();
      await stack.remove();
    });

    it("name the port and the setting, and leave the foreign process alone", async () => {
      const { output } = await stack.refusedUp();
      assert.match(
        output,
        new RegExp(`hub: port ${foreign.port} \\(client\\) is taken by a process that this program did not start`),
      );
      assert.match(output, /give hub another ports\.client in the settings/);
      assert.deepEqual(serversOf(stack.fleet), []);
      assert.equal(foreign.server.listening, true);
    });

    it("are over once the port is free: up finishes what it had begun", async () => {
      await new Promise((resolve) => foreign.server.close(resolve));
      await stack.up();
      const { proof, hub } = await stack.outputs();
      assert.deepEqual(
        proof.map(({ status }) => status),
        ["proven"],
      );
      assert.equal(hub.client, `nats://127.0.0.1:${foreign.port}`);
    });

    describe("and then, on the running stack,", () => {
      let pids: number[];
      let links: Record<string, number>;
      const running = () => [pidOf(stack.fleet, "hub"), pidOf(stack.fleet, "oslo")];

      before(async () => {
        pids = running();
        links = await linkIds(stack);
      });
      after(async () => {
        assert.deepEqual(running(), pids);
        assert.deepEqual(await linkIds(stack), links);
      });

      it("of another hub name, of another data folder and of an old nats-server, all at once", async () => {
        stack.configure({ ...good, hub: { name: "center" }, dataFolder: ".elsewhere", natsServer: oldServer(folder) });
        const { output } = await stack.fails("preview");
        assert.match(output, /changes from 'hub' to 'center', and with it the JetStream domain/);
        assert.match(output, /changes while servers run in the old folder/);
        assert.match(output, /nats-server is version 2\.10\.22/);
        assert.equal(fs.existsSync(path.join(folder, ".elsewhere")), false);
      });

      describe("of a state that was made on another machine", () => {
        let original: string;
        before(async () => {
          stack.configure({ ...good, hub: { ports: { client: foreign.port } } });
          original = path.join(folder, "before.json");
          const state = await stack.exported();
          fs.writeFileSync(original, JSON.stringify(state));
          for (const { outputs } of state.deployment.resources ?? []) {
            if (outputs?.machine !== undefined) outputs.machine = "0123456789abcdef";
          }
          const moved = path.join(folder, "moved.json");
          fs.writeFileSync(moved, JSON.stringify(state));
          await stack.succeeds("stack", "import", "--file", moved);
        });
        after(() => stack.succeeds("stack", "import", "--file", original));

        it("in a preview", async () => {
          const { output } = await stack.fails("preview");
          assert.match(output, /this stack's servers run on another machine/);
        });

        it("in a destroy, which would only forget the servers there", async () => {
          const { code, output } = await stack.run(["destroy", "--yes", "--skip-preview"], { DISCARD: "1" });
          assert.notEqual(code, 0, output);
          assert.match(output, /this stack's servers run on another machine/);
        });
      });
    });
  });

  describe("of nothing at all: two stacks brought up on one machine at the same time", () => {
    let [one, two]: Stack[] = [];
    before(async () => {
      one = await Stack.create("one", good, { folder });
      two = await Stack.create("two", good, { folder });
      await Promise.all([one.up(), two.up()]);
    });
    after(async () => {
      await one!.remove();
      await two!.remove();
    });

    it("share no port", () => {
      const ports = [one!, two!].flatMap((stack) => reservedPorts(stack.fleet).map(({ port }) => port));
      assert.equal(ports.length, 2 * 5);
      assert.equal(new Set(ports).size, ports.length);
    });

    it("are both proven", async () => {
      for (const stack of [one!, two!]) {
        assert.deepEqual(
          (await stack.outputs()).proof.map(({ status }) => status),
          ["proven"],
        );
      }
    });

    it("end one without the other", async () => {
      const pids = [pidOf(two!.fleet, "hub"), pidOf(two!.fleet, "oslo")];
      await one!.succeeds("destroy", "--yes", "--skip-preview");
      await one!.leftNothing();
      assert.deepEqual([pidOf(two!.fleet, "hub"), pidOf(two!.fleet, "oslo")], pids);
      await two!.isClean();
    });
  });
});

/** A program that says it is a nats-server of the year 2024. */
function oldServer(folder: string): string {
  const file = path.join(folder, "nats-server");
  fs.writeFileSync(file, "#!/bin/sh\necho 'nats-server: v2.10.22'\n", { mode: 0o755 });
  return file;
}
