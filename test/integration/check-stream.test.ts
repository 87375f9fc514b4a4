import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OWNER, isSourceOfSite } from "../../configs/streams";
import { writeContexts } from "../../commands/state/context-files";
import { contextsOf } from "../../views/outputs/contexts";
import { deployedOf } from "../support/stacks/deployed";
import { TestFleet } from "../support/fleets/fleet";
import { startServer, stopServer } from "../support/fleets/servers";
import { followerOf } from "../support/fleets/three";
import { describeWith, tool } from "../support/tools";
import { until } from "../support/until";

const ROOT = resolve(__dirname, "../..");
const SMALL = { maxBytes: "32MiB", collect: { maxBytes: "32MiB" } };
const BOTH_MODES = [
  { name: "EVENTS", subjects: ["events.>"], ...SMALL },
  { name: "ALL", subjects: ["all.>"], ...SMALL, collect: { mode: "merged" as const, maxBytes: "32MiB" } },
];
const TWO = [{ name: "oslo" }, { name: "bergen" }];

/** What the check says, such as `CRITICAL: 1 sources`, without its figures. */
interface Checked {
  status: string;
  words: string;
}

describeWith(["nats"], "nats server check stream", () => {
  const home = mkdtempSync(join(tmpdir(), "nats-hub-leaf-check-"));
  after(() => rmSync(home, { recursive: true, force: true }));

  /** The check as a person runs it: with a context, and no limit of its own. */
  function check(fleet: TestFleet, context: string, stream: string): Promise<Checked> {
    const deployed = deployedOf(fleet);
    const env = { ...process.env, XDG_CONFIG_HOME: home, HOME: home };
    writeContexts(deployed, contextsOf(deployed.fleet, "test"), "test", ROOT, env);
    const args = ["--context", context, "--timeout", "5s", "server", "check", "stream", "--stream", stream];
    return new Promise((answer) =>
      execFile(tool("nats"), args, { env }, (error, stdout, stderr) => {
        const words = `${stdout}${stderr}`.split("|")[0]!.trim();
        const status = /^(OK|WARNING|CRITICAL|UNKNOWN) /.exec(words)?.[1] ?? "none";
        assert.equal(error === null, status === "OK", words);
        answer({ status, words });
      }),
    );
  }
  const perSite = (fleet: TestFleet, site: string): Promise<Checked> => check(fleet, `test-${site}.hub`, "EVENTS");
  const merged = (fleet: TestFleet): Promise<Checked> => check(fleet, "test-hub", "ALL");
  const becomes = (what: string, wanted: string, look: () => Promise<Checked>, within?: number): Promise<Checked> =>
    until(
      `${what} is ${wanted}`,
      async () => {
        const checked = await look();
        return checked.status === wanted && checked;
      },
      ...(within === undefined ? [] : ([within] as const)),
    );
  const labels = async (fleet: TestFleet, site: string, stream: string): Promise<Record<string, string>> => {
    const entries = Object.entries((await fleet.collected(site, stream)).config.metadata);
    return Object.fromEntries(entries.filter(([key]) => !key.startsWith("_nats.")));
  };

  const linkIds = async (fleet: TestFleet): Promise<unknown[]> => {
    const ids = (await fleet.links("oslo")).map(({ id }) => id);
    assert.equal(ids.length > 0 && ids.every((id) => id > 0), true);
    return ids;
  };

  describe("of a hub of one", () => {
    let fleet: TestFleet;
    before(async () => void (fleet = await TestFleet.deploy({ streams: BOTH_MODES })));
    after(() => fleet.stop());

    it("is OK on a healthy fleet, in both modes", async () => {
      for (const site of ["oslo", "bergen"]) {
        const { words } = await becomes(site, "OK", () => perSite(fleet, site));
        assert.match(words, /1 sources.*1 sources current.*1 sources active/);
      }
      const { words } = await becomes("the merged stream", "OK", () => merged(fleet));
      assert.match(words, /2 sources.*2 sources current.*2 sources active/);
    });

    it("is OK again after a burst", async () => {
      const client = (await fleet.application("oslo")).jetstream();
      await Promise.all(Array.from({ length: 2_000 }, (_, i) => client.publish("all.burst", `${i}`)));
      await becomes("the merged stream", "OK", () => merged(fleet));
    });

    it("is CRITICAL once a source was removed by hand, and another site's update leaves it so", async () => {
      const js = await fleet.atHub("bergen", "ALL");
      const { config } = await fleet.collected("bergen", "ALL");
      await js.updateStream({ ...config, sources: config.sources!.filter((one) => !isSourceOfSite(one, "bergen")) });
      const removed = await merged(fleet);
      assert.deepEqual([removed.status, /1 sources/.test(removed.words)], ["CRITICAL", true], removed.words);
      const { changes } = await fleet.preview();
      assert.deepEqual(changes, ["bergen streams"]);
      await fleet.up();
      await becomes("the merged stream", "OK", () => merged(fleet));
      assert.equal((await labels(fleet, "oslo", "ALL"))["io.nats.monitor.min-sources"], "2");
    });

    it("is CRITICAL for a stream of one site without its source", async () => {
      const js = await fleet.atHub("bergen", "EVENTS");
      await js.setSources(await fleet.collected("bergen"), []);
      assert.equal((await perSite(fleet, "bergen")).status, "CRITICAL");
      assert.equal((await perSite(fleet, "oslo")).status, "OK");
      await fleet.up();
      await becomes("bergen", "OK", () => perSite(fleet, "bergen"));
    });

    it("follows sites that come together and go, and touches no other one", async () => {
      const links = await linkIds(fleet);
      const added = ["hamar", "molde", "tromso"].map((name) => ({ name }));
      const { changes } = await fleet.preview({ sites: TWO });
      assert.deepEqual(changes, []);
      await fleet.up({ sites: [...TWO, ...added] });
      assert.deepEqual((await fleet.preview()).changes, []);
      assert.match((await becomes("the merged stream", "OK", () => merged(fleet))).words, /5 sources/);
      await fleet.up({ sites: TWO });
      assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
      assert.match((await becomes("the merged stream", "OK", () => merged(fleet))).words, /2 sources/);
      assert.deepEqual(await linkIds(fleet), links);
      assert.doesNotMatch(fleet.reports.join(), /restored|metadata/);
    });

    it("is CRITICAL while a site is down, and OK once the site is declared offline, and again online", async function () {
      this.timeout(300_000);
      await stopServer(fleet.site("bergen").folder);
      const within = 120_000;
      const { words } = await becomes("bergen", "CRITICAL", () => perSite(fleet, "bergen"), within);
      assert.match(words, /1 sources are inactive/);
      await becomes("the merged stream", "CRITICAL", () => merged(fleet), within);
      assert.equal((await perSite(fleet, "oslo")).status, "OK");

      await fleet.up({ sites: [{ name: "oslo" }, { name: "bergen", expect: "offline" }] });
      assert.equal((await merged(fleet)).status, "OK");
      assert.equal((await perSite(fleet, "bergen")).status, "OK");
      assert.deepEqual(await labels(fleet, "oslo", "ALL"), {
        [OWNER]: "test",
        "io.nats.monitor.enabled": "true",
        "io.nats.monitor.lag-critical": "10000",
        "io.nats.monitor.max-sources": "2",
        "io.nats.monitor.min-sources": "2",
        "nats-hub-leaf.offline": "bergen",
      });
      assert.deepEqual((await fleet.preview()).changes, []);

      await fleet.up({ sites: TWO });
      await becomes("the merged stream", "OK", () => merged(fleet));
      assert.equal((await labels(fleet, "oslo", "ALL"))["io.nats.monitor.seen-critical"], "70s");
      assert.deepEqual((await fleet.preview()).changes, []);
    });
  });

  describe("of streams that an earlier version of this program made", () => {
    it("works after the next up, which recreates nothing", async () => {
      await using fleet = await TestFleet.deploy({ streams: BOTH_MODES });
      const earlier = async (site: string, stream: string) => {
        const { config } = await fleet.collected(site, stream);
        await (await fleet.atHub(site, stream)).updateStream({ ...config, metadata: { [OWNER]: "test" } });
      };
      for (const [site, stream] of [
        ["oslo", "EVENTS"],
        ["bergen", "EVENTS"],
        ["oslo", "ALL"],
      ] as const)
        await earlier(site, stream);
      const state = async () => {
        const infos = [await fleet.collected("oslo"), await fleet.collected("oslo", "ALL")];
        return infos.map(({ created, sources = [], state }) => [
          created,
          sources.map(({ seq }) => seq).sort(),
          state.last_seq,
        ]);
      };
      const [links, was] = [await linkIds(fleet), await state()];
      const { streams } = await fleet.look("oslo");
      assert.deepEqual(
        streams.map(({ onHub }) => typeof onHub === "object" && onHub.drift),
        [undefined, undefined],
      );
      const { changes, reports } = await fleet.preview();
      assert.deepEqual(changes, ["oslo streams", "bergen streams"]);
      const lacks = "its metadata for 'nats server check stream' lacks enabled";
      assert.equal(reports.filter((line) => line.includes(lacks)).length, 4, reports.join("\n"));
      await fleet.up();
      assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
      assert.deepEqual(await state(), was);
      assert.deepEqual(await linkIds(fleet), links);
      await becomes("the merged stream", "OK", () => merged(fleet));
      await becomes("oslo", "OK", () => perSite(fleet, "oslo"));
    });
  });

  describe("of metadata that somebody wrote", () => {
    it("has the declared limits after the next up, and those of an adopted stream", async () => {
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
      const write = async (entries: Record<string, string>) => {
        const { config } = await fleet.collected("oslo");
        const js = await fleet.atHub("oslo");
        await js.updateStream({ ...config, metadata: { ...config.metadata, ...entries } });
      };
      const declared = await labels(fleet, "oslo", "EVENTS");
      await write({
        "io.nats.monitor.lag-critical": "5",
        "io.nats.monitor.min-sources": "9",
        "io.nats.monitor.msgs-warn": "1",
      });
      assert.equal((await perSite(fleet, "oslo")).status, "CRITICAL");
      assert.match(
        (await fleet.preview()).reports.join(),
        /msgs-warn is 1, declared none.*differs in (lag-critical, min-sources|min-sources, lag-critical)/,
      );
      await fleet.up();
      assert.deepEqual(await labels(fleet, "oslo", "EVENTS"), declared);

      await write({ [OWNER]: "other", "io.nats.monitor.lag-critical": "5", "io.nats.monitor.min-sources": "9" });
      await fleet.up({ streams: [{ ...BOTH_MODES[0]!, adopt: true }] });
      const { "nats-hub-leaf.adopted": note, ...adopted } = await labels(fleet, "oslo", "EVENTS");
      assert.deepEqual(adopted, { ...declared, "io.nats.monitor.lag-critical": "5" }, note);
      assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
      assert.equal((await perSite(fleet, "oslo")).status, "OK");
    });
  });

  describe("of a hub of three", () => {
    it("is OK with all copies, CRITICAL without a server, and OK again", async () => {
      await using fleet = await TestFleet.deploy({ hub: { servers: 3, maxFile: "1GiB" }, streams: BOTH_MODES });
      assert.match((await becomes("oslo", "OK", () => perSite(fleet, "oslo"))).words, /3 peers.*current.*active/);
      await becomes("the merged stream", "OK", () => merged(fleet));
      const { folder } = await until("a server that leads nothing", () => followerOf(fleet).catch(() => undefined));
      await stopServer(folder);
      const { words } = await becomes("oslo", "CRITICAL", () => perSite(fleet, "oslo"));
      assert.match(words, /1 replicas offline/);
      await startServer(folder);
      await becomes("oslo", "OK", () => perSite(fleet, "oslo"));
    });
  });
});
