import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { endpointOf } from "../../servers/nats/connection";
import { JetStream } from "../../servers/nats/jetstream";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { type Victims, holds, interrupt, unreadBytes } from "../support/stacks/interrupt";
import { pidOf, serversOf } from "../support/stacks/servers";
import { arrived, publish } from "../support/stacks/traffic";
import { filesBelow } from "../support/stacks/scratch-project";
import { until } from "../support/until";

// kill -9 of the Pulumi CLI, with all that it started or alone, at the moments when most is half done. Each time the
// next `make up` finishes what was begun.

const stream = (name: string) => ({
  name,
  subjects: [`${name.toLowerCase()}.>`],
  maxBytes: "32MiB",
  collect: { maxBytes: "64MiB" },
});
const MANY = ["EVENTS", "LOGS", "METRICS", "ALARMS", "STATES", "AUDIT", "TRACES", "ORDERS"].map(stream);
/** Small messages, so that reading them back takes its time. */
const PROBES = { count: 10, burst: "3MB", burstMessage: "1kB" };
const PROBE_COUNT = 3010;
/** Bytes; a purge is longer. */
const SEVERAL_PINGS = 50;

const settings = (
  sites: RawSettings["sites"],
  streams = MANY,
  probes: RawSettings["probes"] = { burst: "0B" },
): RawSettings => ({
  sites: sites!,
  streams,
  probes,
});

describe("an interrupted up", () => {
  let stack: Stack;
  const published: Record<string, string[]> = {};

  before(async () => {
    stack = await Stack.create("interrupted", settings([{ name: "oslo" }, { name: "bergen" }]));
  });
  after(() => stack.remove());

  const file = (...parts: string[]) => path.join(stack.fleet, ...parts);
  /** Names of the streams in the store of one server and account. */
  const storedStreams = (server: string, account: string): string[] => {
    try {
      return fs.readdirSync(file(server, "jetstream/jetstream", account, "streams"));
    } catch {
      return [];
    }
  };
  const probes = async (site: string, at: string): Promise<number> => {
    const js = new JetStream(await stack.client(site, "operator", { at }));
    const subjects = await js.subjects("EVENTS", "_probe.>");
    return Object.values(subjects).reduce((sum, count) => sum + count, 0);
  };

  /** `make up` finishes: exit code 0, all proven, nothing doubled, nothing left over, nothing more to do. */
  async function assertConverged(sites: string[], streams: string[], finish = () => stack.make("up")): Promise<void> {
    const ran = succeeded(await finish());
    const { proof } = await stack.outputs({ again: true });
    assert.deepEqual(
      proof.map((row) => `${row.site}/${row.stream} ${row.status}`),
      sites.flatMap((site) => streams.map((name) => `${site}/${name} proven`)),
      ran.output,
    );
    const configs = serversOf(stack.fleet).map(({ config }) => config);
    assert.deepEqual(
      configs.sort(),
      [file("hub/nats-server.conf"), ...sites.map((site) => file("sites", site, "nats-server.conf"))].sort(),
    );
    for (const site of sites) {
      assert.equal(await probes(site, site), 0, `probes are left at ${site}`);
      assert.equal(await probes(site, "hub"), 0, `probes of ${site} are left on the hub`);
      const client = await stack.applicationOf(site);
      const before = (published[site] ??= []);
      before.push(...(await publish(client, site, { first: before.length })));
      assert.deepEqual(await arrived(stack, site, before), before.toSorted());
    }
    assert.deepEqual((await stack.exported()).deployment.pending_operations ?? [], []);
    await stack.isClean();
  }

  const interruptedAt = (what: string, victims: Victims, look: () => boolean | Promise<boolean>): Promise<void> =>
    interrupt(stack.startMake("up", {}, ["--skip-preview"]), victims, what, look);

  it("right after the hub took the sites' accounts, with a provider that goes on alone, is finished by make up", async () => {
    await interruptedAt("the hub reloads", "cli", () =>
      holds(file("hub/nats-server.log"), "Reloaded server configuration"),
    );
    assert.ok(storedStreams("hub", "OSLO").length === 0, "it was too late: the hub has streams");
    await assertConverged(
      ["oslo", "bergen"],
      MANY.map(({ name }) => name),
    );
  });

  it("between a site's streams and the hub's is finished by make up", async () => {
    stack.configure(settings([{ name: "oslo" }, { name: "bergen" }, { name: "tromso" }]));
    await interruptedAt("tromso has a stream", "all", () => storedStreams("sites/tromso", "TROMSO").length > 0);
    assert.ok(storedStreams("hub", "TROMSO").length < MANY.length, "it was too late: the hub has all streams");
    await assertConverged(
      ["oslo", "bergen", "tromso"],
      MANY.map(({ name }) => name),
    );
  });

  it("in the middle of a burst of probes is finished by make up", async () => {
    stack.configure(settings([{ name: "oslo" }, { name: "tromso", maxPayload: "512KiB" }], [stream("EVENTS")], PROBES));
    await interruptedAt("probes arrive on the hub", "all", async () => (await probes("tromso", "hub")) > 50);
    const left = await probes("tromso", "hub");
    assert.ok(left > 0, "it was too late: the probes are gone");
    await assertConverged(["oslo", "tromso"], ["EVENTS"]);
  });

  describe("between the purges of the two ends", () => {
    before(async () => {
      stack.configure(
        settings(
          [
            { name: "oslo", maxPayload: "256KiB" },
            { name: "tromso", maxPayload: "512KiB" },
          ],
          [stream("EVENTS")],
          PROBES,
        ),
      );
      const { port } = endpointOf((await stack.outputs()).sites.oslo!.client);
      const site = pidOf(stack.fleet, "oslo");
      let stopped = false;
      try {
        await interruptedAt("the site is asked to purge", "all", async () => {
          if (stopped) return unreadBytes(port) > SEVERAL_PINGS;
          // While all probes are read back at the hub, the site is made to wait: the purge that comes next stays unread.
          if ((await probes("oslo", "hub")) < PROBE_COUNT) return false;
          process.kill(site, "SIGSTOP");
          stopped = true;
          return false;
        });
      } finally {
        process.kill(site, "SIGCONT");
      }
      await until("the site is purged", async () => (await probes("oslo", "oslo")) === 0);
      assert.equal(await probes("oslo", "hub"), PROBE_COUNT);
    });

    it("the stack is locked for the plain CLI", async () => {
      const { output } = await stack.refusedUp();
      assert.match(output, /locked/);
    });

    it("make unlock clears the lock and what was pending", async () => {
      const { output } = succeeded(await stack.make("unlock"));
      assert.match(output, /was killed and left its lock; clearing the lock/);
      assert.match(output, /forgot that smoke-test was interrupted while updating/);
    });

    it("the plain CLI finishes it then", () => assertConverged(["oslo", "tromso"], ["EVENTS"], () => stack.up()));
  });

  describe("while the CLI wrote the attributes of the state", () => {
    const attributes = () => filesBelow(stack.stateFolder).filter((name) => name.endsWith(".attrs"));

    it("cannot be: the backend keeps none", () => assert.deepEqual(attributes(), []));

    it("of a backend that keeps them is finished by make up", async () => {
      fs.writeFileSync(`${stack.checkpoint()}.attrs`, "");
      const { output } = await stack.fails("preview");
      assert.match(output, /failed to load checkpoint: EOF/);
      await assertConverged(["oslo", "tromso"], ["EVENTS"]);
      assert.deepEqual(attributes(), []);
    });
  });

  describe("and once it is whole", () => {
    it("make up prints the proof as a table", async () => {
      const { output } = succeeded(await stack.make("up"));
      assert.match(output, /site .*link .*account .*stream .*messages .*latency .*status/);
      assert.match(output, /oslo .*up .*OSLO .*EVENTS .*ms .*proven/);
    });

    it("make down refuses to lose what was collected", async () => {
      const { code, output } = await stack.make("down");
      assert.notEqual(code, 0);
      assert.match(output, /make down DISCARD=1/);
    });

    it("make down DISCARD=1 leaves nothing, not even the stack", async () => {
      succeeded(await stack.make("down", { DISCARD: "1" }));
      assert.equal(stack.exists(), false);
      await stack.leftNothing();
    });
  });
});
