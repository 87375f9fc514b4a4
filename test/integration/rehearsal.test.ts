import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RawSettings } from "../../configs/settings";
import { processName } from "../../machine/processes";
import { clear } from "../../providers/rehearsal/rehearsal-folder";
import { onLoopback } from "../../providers/rehearsal/rehearsal-plan";
import { ScratchFleet } from "../../providers/rehearsal/scratch-fleet";
import { reservedPorts, serversOf } from "../support/stacks/servers";
import { TestFleet } from "../support/fleets/fleet";
import { settingsOf } from "../support/rules/settings";

// The check of a fleet tries a change on loopback first. The mistakes here are such that every rule passes.

type Stream = NonNullable<RawSettings["streams"]>[number];

const stream = (name: string, subjects: string[], maxBytes = "32MiB", more: Partial<Stream> = {}): Stream => ({
  name,
  subjects,
  maxBytes,
  ...more,
  collect: { maxBytes, ...more.collect },
});

const ON = { rehearsal: "onChange", sites: [{ name: "oslo" }] } satisfies RawSettings;

/** Longer than JetStream's int64 of nanoseconds can say. */
const TOO_LONG = { streams: [stream("EVENTS", ["events.>"], "32MiB", { maxAge: "200000d" })] };
const TOO_LONG_SAYS = /cannot unmarshal number \d+ into .*max_age/;

const rehearsals = (fleet: TestFleet): string[] => fleet.reports.filter((line) => line.startsWith("rehearsal"));

/** Nothing of a rehearsal stays: no server, no port, no file. */
function leftNothing(fleet: TestFleet): void {
  const folder = join(fleet.root, "rehearsal");
  assert.deepEqual(serversOf(folder), [], "servers still run");
  assert.deepEqual(reservedPorts(folder), [], "ports are still reserved");
  assert.equal(existsSync(folder), false, `${folder} is still there`);
}

describe("the rehearsal", () => {
  describe("of a new fleet", () => {
    it("passes when the plan is good, says what was tried, and leaves nothing", async () => {
      await using fleet = TestFleet.declare({ ...ON, sites: [{ name: "oslo" }, { name: "bergen" }] });
      assert.deepEqual(await fleet.checkNew(), []);
      const [said, ...more] = rehearsals(fleet);
      assert.match(said ?? "", /^rehearsal: hub, oslo, bergen on loopback: 56 probes arrived in \d+\.\d s$/);
      assert.deepEqual(more, []);
      assert.deepEqual(fleet.reports, [said]);
      leftNothing(fleet);
      assert.equal(existsSync(fleet.root), false, "the stack's folder was not there before");
    });

    it("passes with TLS, a site behind the hub and a merged stream, as they are planned", async () => {
      const streams = [stream("EVENTS", ["events.*.>"], "32MiB", { collect: { mode: "merged" } })];
      const sites: RawSettings["sites"] = [
        { name: "oslo", reach: "hub" },
        { name: "bergen", expect: "offline" },
      ];
      await using fleet = TestFleet.declare({ ...ON, sites, streams, links: { tls: "generated" } });
      assert.deepEqual(await fleet.checkNew(), []);
      assert.match(rehearsals(fleet).join(), /hub, oslo, bergen on loopback: 56 probes arrived/);
    });

    const sites = Array.from({ length: 30 }, (_, i) => ({ name: `site-${i}` }));

    it("does with three of many sites", async () => {
      await using fleet = TestFleet.declare({ ...ON, sites, hub: { maxFile: "3GiB" } });
      assert.deepEqual(await fleet.checkNew(), []);
      assert.match(
        rehearsals(fleet).join(),
        /^rehearsal: hub, site-0, site-1, site-2, 3 of 30 sites that change, on loopback: 84 probes/,
      );
    });

    it("says when the containers run another nats-server than the one that it tried", async () => {
      const image = "nats:2.15.1-alpine";
      await using fleet = TestFleet.declare({ ...ON, runtime: "docker", docker: { image } });
      // As `make` does when it has looked for the engines: there need be none here.
      process.env.NATS_HUB_LEAF_AWAY = "";
      fleet.whenStopped(async () => delete process.env.NATS_HUB_LEAF_AWAY);
      await fleet.checkNew();
      assert.match(rehearsals(fleet).join(), /; with nats-server [\d.]+, and the containers run nats:2\.15\.1-alpine$/);
    });

    it("gives the hub the accounts of all sites, whether or not it has room for them", async () => {
      await using fleet = TestFleet.declare({ ...ON, sites, hub: { maxFile: "1GiB" } });
      assert.match((await fleet.checkNew()).join(), /exited at start .*insufficient storage resources available/);
    });

    it("does not happen twice for one plan", async () => {
      await using fleet = TestFleet.declare(ON);
      await fleet.checkNew();
      assert.deepEqual(await fleet.checkNew(), []);
      assert.equal(rehearsals(fleet).length, 1);
    });

    it("does not happen when the settings turn it off", async () => {
      await using fleet = TestFleet.declare({ ...ON, ...TOO_LONG, rehearsal: "off" });
      assert.deepEqual(await fleet.checkNew(), []);
      assert.deepEqual(rehearsals(fleet), []);
    });

    it("refuses an age that JetStream cannot count, in the server's words, and leaves nothing", async () => {
      await using fleet = TestFleet.declare({ ...ON, ...TOO_LONG });
      const [refusal = "", ...more] = await fleet.checkNew();
      assert.match(refusal, /^rehearsal: rehearsal: hub, oslo on loopback, as planned: smoke test: 1 of 1 sites/);
      assert.match(refusal, TOO_LONG_SAYS);
      assert.match(refusal, /nothing of the fleet was touched; 'rehearsal: off' would go on without a rehearsal$/);
      assert.deepEqual(more, []);
      leftNothing(fleet);
    });

    it("refuses the same plan each time: only what passed is remembered", async () => {
      await using fleet = TestFleet.declare({ ...ON, ...TOO_LONG });
      await fleet.checkNew();
      assert.match((await fleet.checkNew()).join(), TOO_LONG_SAYS);
    });
  });

  describe("of a fleet that is deployed and proven", () => {
    let fleet: TestFleet;
    const deployed = [stream("A", ["a.>"], "32MiB"), stream("B", ["b.>", "c.>"], "64MiB")];
    before(async () => {
      fleet = await TestFleet.deploy({ ...ON, sites: [{ name: "oslo", quota: "112MiB" }], streams: deployed });
      await fleet.prove();
    });
    afterEach(() => leftNothing(fleet));

    it("does not happen when nothing changes", async () => {
      fleet.reports.length = 0;
      assert.deepEqual(await fleet.check(), []);
      assert.deepEqual(fleet.reports, []);
    });

    it("tries only what changes, and touches nothing real", async () => {
      const [links, status] = [await fleet.links("oslo"), await fleet.status(fleet.hub)];
      const sites = [{ name: "oslo", quota: "112MiB" }, { name: "bergen" }];
      assert.deepEqual(await fleet.check({ sites }), []);
      assert.match(rehearsals(fleet).at(-1) ?? "", /^rehearsal: hub, bergen on loopback: 56 probes arrived/);
      assert.deepEqual(
        (await fleet.links("oslo")).map(({ id }) => id),
        links.map(({ id }) => id),
      );
      assert.equal((await fleet.status(fleet.hub)).config_digest, status.config_digest);
    });

    const CHANGES: Record<string, { streams: Stream[]; says: RegExp }> = {
      "two streams that swap their sizes within the quota": {
        streams: [stream("A", ["a.>"], "64MiB"), stream("B", ["b.>", "c.>"], "32MiB")],
        says: /site oslo: .*\n {2}cause +insufficient storage resources available/,
      },
      "a subject that moves to a stream declared before the one that has it": {
        streams: [stream("A", ["a.>", "c.>"], "32MiB"), stream("B", ["b.>"], "64MiB")],
        says: /site oslo: .*\n {2}cause +subjects overlap with an existing stream/,
      },
    };
    for (const [what, { streams, says }] of Object.entries(CHANGES)) {
      it(`refuses ${what}, and says that two updates can do it`, async () => {
        const [refusal = "", ...more] = await fleet.check({ streams });
        assert.match(refusal, says);
        assert.match(
          refusal,
          /good for a new fleet, but the deployed one cannot change to them in one update; make two/,
        );
        assert.deepEqual(more, []);
      });
    }

    it("does not blame the way there for a plan that is wrong in itself", async () => {
      const [refusal = ""] = await fleet.check(TOO_LONG);
      assert.match(refusal, TOO_LONG_SAYS);
      assert.doesNotMatch(refusal, /make two/);
    });

    it("leaves a change that only the live stream decides to that", async () => {
      const streams = [stream("A", ["a.>"], "32MiB", { storage: "memory" }), ...deployed.slice(1)];
      assert.deepEqual(await fleet.check({ streams }), []);
    });

    it("clears what one left that was killed, not what goes on in another process", async () => {
      const scratch = async (name: string) => {
        const settings = onLoopback(settingsOf({ sites: [{ name: "oslo" }] }));
        const left = new ScratchFleet(settings, join(fleet.root, "rehearsal", name), "rehearsal");
        await left.bring(settings);
        return left;
      };
      const [killed, alive] = [await scratch("1.1.1"), await scratch(`${processName()}.x`)];
      try {
        assert.equal(serversOf(killed.root).length, 2);
        assert.deepEqual(await fleet.check(), []);
        assert.deepEqual(
          [serversOf(killed.root), reservedPorts(killed.root), existsSync(killed.root)],
          [[], [], false],
        );
        assert.equal(serversOf(alive.root).length, 2);
      } finally {
        for (const { root } of [killed, alive]) await clear(root, fleet.root);
      }
    });
  });

  it("gives every site of each stage its certificate: one that is added to a fleet with TLS, too", async () => {
    await using fleet = await TestFleet.deploy({ ...ON, links: { tls: "generated" } });
    await fleet.prove();
    assert.deepEqual(await fleet.check({ sites: [{ name: "oslo" }, { name: "bergen" }] }), []);
    assert.match(rehearsals(fleet).join(), /^rehearsal: hub, bergen on loopback: 28 probes arrived/);
    leftNothing(fleet);
  });

  it("starts from nothing when the last update was not proven: nobody knows what is deployed", async () => {
    const streams = [stream("A", ["a.>"], "32MiB"), stream("B", ["b.>"], "64MiB")];
    await using fleet = await TestFleet.deploy({ ...ON, sites: [{ name: "oslo", quota: "112MiB" }], streams });
    const swapped = [stream("A", ["a.>"], "64MiB"), stream("B", ["b.>"], "32MiB")];
    assert.deepEqual(await fleet.check({ streams: swapped }), []);
    assert.equal(rehearsals(fleet).length, 1);
  });

  describe("that cannot take place", () => {
    /** A file where its folder would be. */
    const obstruct = ({ root }: TestFleet) => {
      mkdirSync(root, { recursive: true });
      writeFileSync(join(root, "rehearsal"), "");
    };

    it("is said, with the reason, and refuses nothing", async () => {
      await using fleet = TestFleet.declare(ON);
      obstruct(fleet);
      assert.deepEqual(await fleet.checkNew(), []);
      const [said, ...more] = rehearsals(fleet);
      assert.match(said ?? "", /^rehearsal: this change could not be rehearsed: .*a part of the path is a file/);
      assert.deepEqual(more, []);
    });

    it("refuses the change when the settings require it", async () => {
      await using fleet = TestFleet.declare({ ...ON, rehearsal: "required" });
      obstruct(fleet);
      assert.match(
        (await fleet.checkNew()).join(),
        /^rehearsal: rehearsal: this change could not be rehearsed: .*'rehearsal: required' refuses it$/,
      );
    });

    it("is tried again by the next run", async () => {
      await using fleet = TestFleet.declare(ON);
      obstruct(fleet);
      await fleet.checkNew();
      rmSync(join(fleet.root, "rehearsal"));
      await fleet.checkNew();
      assert.match(rehearsals(fleet)[1] ?? "", /probes arrived/);
    });
  });
});
