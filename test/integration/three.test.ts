import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { serverFiles } from "../../machine/folders";
import { TestFleet, TestServer } from "../support/fleets/fleet";
import { handOver } from "../../fleet/streams/hand-over";
import { editConfig, killServer, stopServer } from "../support/fleets/servers";
import { Outcome, followerOf, leaderOf, metaLeaderOf, whilePublishing } from "../support/fleets/three";
import { leadsIn } from "../../fleet/observation/leads";
import { leadLines } from "../../views/topology/leads";
import { topologyOf } from "../../views/topology/topology";
import { diagnose } from "../../diagnosis/diagnose";
import { shared } from "../../servers/nats/connection";
import { accountNames, reload } from "../../servers/nats/system";
import { clusterTroubles } from "../../servers/nats/cluster";
import { until } from "../support/until";

const THREE = { hub: { servers: 3, maxFile: "1GiB" } } as const;

/** How long the hub may take nothing. */
const KILLED_MS = 10_000;
const STOPPED_MS = 2_500;

const isWhole = (fleet: TestFleet): Promise<boolean> =>
  clusterTroubles(fleet.members.map(({ url }) => ({ url, seed: fleet.hub.seeds.system }))).then(
    (troubles) => troubles.length === 0,
  );

function assertAllOnce({ sent, lost, doubled, pauseMs }: Outcome, mostMs: number): void {
  assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
  assert.equal(sent > 50, true);
  assert.equal(pauseMs <= mostMs, true, `the hub took nothing for ${pauseMs} ms`);
}

describe("a hub of three", () => {
  it("collects from every site, and is proven", async () => {
    await using fleet = await TestFleet.deploy(THREE);
    const rows = await fleet.prove();
    assert.deepEqual(
      rows.map(({ site, status }) => [site, status]),
      [
        ["oslo", "proven"],
        ["bergen", "proven"],
      ],
    );
    const { config } = await fleet.collected("oslo");
    assert.equal(config.num_replicas, 3);
    assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
  });

  it("shows which server leads a stream, as the proof or the doctor saw it last", async () => {
    await using fleet = await TestFleet.deploy(THREE);
    const shown = (): string[] => leadsIn(fleet.root).map(({ stream, leader }) => `${stream} ${leader}`);
    const seen = async (site: string): Promise<string> =>
      `${site.toUpperCase()}/EVENTS ${(await leaderOf(fleet, site)).name}`;
    await fleet.prove();
    assert.deepEqual(shown(), [await seen("bergen"), await seen("oslo")]);
    const before = await leaderOf(fleet);
    await handOver(fleet.led, before.name);
    await until("another server leads", async () => (await leaderOf(fleet)).name !== before.name);
    assert.ok(shown().includes(`OSLO/EVENTS ${before.name}`));
    await fleet.look("oslo");
    assert.ok(shown().includes(await seen("oslo")));
    const lines = leadLines(topologyOf(fleet.settings), leadsIn(fleet.root));
    assert.ok(
      lines.some((line) => line.startsWith("hub-1 leads ")),
      lines.join(),
    );
    assert.match(lines.at(-1) ?? "", /^seen /);
  });

  describe("while applications publish", () => {
    let fleet: TestFleet;
    before(async () => void (fleet = await TestFleet.deploy(THREE)));
    after(() => fleet.stop());

    const roles: [string, (fleet: TestFleet) => Promise<TestServer>][] = [
      ["the stream's leader", (one) => leaderOf(one)],
      ["JetStream's leader", metaLeaderOf],
      ["a server that leads nothing", followerOf],
    ];
    const ends: [string, (folder: string) => Promise<void>, number][] = [
      ["is killed", killServer, KILLED_MS],
      ["is stopped", stopServer, STOPPED_MS],
    ];
    for (const [how, end, mostMs] of ends)
      for (const [role, serverOf] of roles)
        it(`loses and doubles nothing when ${role} ${how}, and up starts it again`, async () => {
          // A follower that leads nothing need not be there at every moment.
          const server = await until(`${role} is there`, () => serverOf(fleet).catch(() => undefined));
          const run = `${role} ${how}`.replace(/\W+/g, "-");
          const stop = async (): Promise<void> => {
            // As `up`, `upgrade` and `drain` do it: a server that leads a stream and has the site's link may double some.
            if (end === stopServer) await handOver(fleet.led, server.name);
            await end(server.folder);
          };
          const outcome = await whilePublishing(fleet, stop, { run });
          console.error(`      ${role} ${how}: ${outcome.sent} messages, pause ${outcome.pauseMs} ms`);
          assertAllOnce(outcome, mostMs);
          const { changes } = await fleet.preview();
          assert.deepEqual(changes, [server.name]);
          await fleet.up();
          await until("the hub is whole again", () => isWhole(fleet));
          assert.deepEqual((await fleet.preview()).changes, []);
        });

    it("gives up the lead of all streams before it is stopped, and keeps it where nobody can take it", async () => {
      await until("the hub is whole", () => isWhole(fleet));
      const leader = await leaderOf(fleet);
      const first = fleet.members.find(({ name }) => name !== leader.name);
      await handOver(fleet.led, leader.name, first?.name);
      for (const site of ["oslo", "bergen"])
        assert.notEqual((await fleet.collected(site)).cluster?.leader, leader.name);
      assert.equal((await leaderOf(fleet)).name, first?.name);
      for (const { folder, name } of fleet.members) if (name !== first?.name) await killServer(folder);
      await assert.rejects(
        handOver(fleet.led, first!.name),
        /is not stopped while it leads the stream (OSLO|BERGEN)\/EVENTS: .*; run 'make doctor', then this again/,
      );
      await fleet.up();
      await until("the hub is whole again", () => isWhole(fleet));
    });

    it("fills a server whose disk is lost", async () => {
      const server = await leaderOf(fleet);
      const outcome = await whilePublishing(
        fleet,
        async () => {
          await killServer(server.folder);
          rmSync(serverFiles(server.folder).store, { recursive: true });
          await fleet.up();
        },
        { run: "disk" },
      );
      assertAllOnce(outcome, KILLED_MS);
      await until("the hub is whole again", () => isWhole(fleet));
      await fleet.prove();
    });
  });

  it("takes a site in, gives it a new key and lets it go, and touches no other link", async () => {
    await using fleet = await TestFleet.deploy(THREE);
    const idsOf = async (site: string) => (await fleet.links(site)).map(({ server = "", id }) => `${server} ${id}`);
    const before = await idsOf("oslo");
    const sites = [{ name: "oslo" }, { name: "bergen" }];
    await fleet.up({ sites: [...sites, { name: "tromso" }] });
    await fleet.prove();
    await fleet.up({ sites: [...sites, { name: "tromso", rotation: 1 }] });
    await fleet.prove();
    assert.deepEqual((await fleet.preview()).changes, []);
    await fleet.up({ sites });
    assert.equal((await fleet.links("tromso")).length, 0);
    assert.deepEqual(await idsOf("oslo"), before);
    const [sysTold] = await Promise.all(
      fleet.members.map(async ({ url }) => accountNames(await shared({ url, seed: fleet.hub.seeds.system }))),
    );
    assert.equal(sysTold?.includes("OSLO"), true);
    await fleet.prove();
    await fleet.destroy();
    assert.equal(existsSync(fleet.root), false);
  });

  it("restarts one server at a time when a setting changes, and loses nothing", async () => {
    await using fleet = await TestFleet.deploy(THREE);
    const change = { hub: { ...THREE.hub, logs: { keep: 4 } } };
    const outcome = await whilePublishing(fleet, () => fleet.up(change), { run: "rolling" });
    console.error(`      a setting of all three: ${outcome.sent} messages, pause ${outcome.pauseMs} ms`);
    assertAllOnce(outcome, STOPPED_MS);
    assert.deepEqual((await fleet.preview()).changes, []);
    await fleet.prove();
  });

  it("collects merged streams, over links with TLS", async () => {
    await using fleet = await TestFleet.deploy({
      ...THREE,
      links: { tls: "generated" },
      streams: [
        { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
      ],
    });
    const rows = await fleet.prove();
    assert.deepEqual(
      rows.map(({ status }) => status),
      ["proven", "proven"],
    );
    assert.deepEqual((await fleet.preview()).changes, []);
    assert.equal((await fleet.collected("oslo")).config.num_replicas, 3);
  });

  it("refuses another number of servers before anything is touched", async () => {
    await using fleet = await TestFleet.deploy({ hub: { maxFile: "1GiB" }, sites: [{ name: "oslo" }] });
    assert.match(
      (await fleet.check(THREE)).join(),
      /hub\.servers: changes from 1 to 3, .* would delete them .*'make up' saves/,
    );
  });

  describe("diagnosed", () => {
    let fleet: TestFleet;
    before(async () => void (fleet = await TestFleet.deploy({ ...THREE, sites: [{ name: "oslo" }] })));
    after(() => fleet.stop());

    /** But for a source that lost its site for a moment: the server may take 78 s to look for it again. */
    const findings = async () => diagnose(await fleet.look("oslo")).filter(({ code }) => code !== "source-waiting");
    const found = async (): Promise<string[]> => (await findings()).map(({ code }) => code);

    /** A link of the site that ended there, and the streams that it led, need a moment: the doctor looks again too. */
    const isOnlyMissing = (server: string): Promise<unknown> =>
      until(`nothing is found but that ${server} is missing`, async () => {
        const codes = await found();
        return codes.length === 1 && codes[0] === "hub-server-missing";
      });

    it("has no finding", async () => {
      assert.deepEqual(await found(), []);
    });

    it("names a server that lacks the account of a site, and up gives it back", async () => {
      const [server] = fleet.members;
      editConfig(server!.folder, (text) => text.replaceAll(/\bOSLO\b/g, "OTHER"));
      await reload(await shared({ url: server!.url, seed: fleet.hub.seeds.system }));
      assert.equal((await found()).includes("account-missing-on-server"), true);
      await fleet.up();
      await until("nothing is found", async () => (await found()).length === 0);
    });

    it("names the one server whose file somebody changed", async () => {
      const [, , server] = fleet.members;
      editConfig(server!.folder, (text) => text.replace(/"?max_payload"?: \d+/, "max_payload: 500000"));
      const seen = await findings();
      assert.deepEqual(
        seen.map(({ code }) => code),
        ["config-altered"],
      );
      assert.match(seen[0]!.evidence, /hub-3: .*max_payload/);
      assert.doesNotMatch(seen[0]!.evidence, /hub-[12]/);
      await fleet.up();
      assert.deepEqual(await found(), []);
    });

    it("says nothing but that one is gone, whichever it is", async () => {
      for (const server of fleet.members) {
        await killServer(server.folder);
        await isOnlyMissing(server.name);
        await fleet.up();
        await until("the hub is whole again", () => isWhole(fleet));
      }
    });

    it("names a server that is gone, and the loss of the majority", async () => {
      const [first, second] = fleet.members;
      await killServer(first!.folder);
      await isOnlyMissing(first!.name);
      await killServer(second!.folder);
      // A leader without its followers gives up after 10 s.
      await until("nobody leads", async () => (await found()).includes("hub-without-leader"));
      await fleet.up();
      await until("the hub is whole again", () => isWhole(fleet));
      assert.deepEqual(await found(), []);
    });
  });
});
