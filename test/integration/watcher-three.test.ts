import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { RawSettings } from "../../configs/settings";
import { readJson, watcherFiles } from "../../machine/folders";
import { rearm } from "../../fleet/sourcing/source";
import { STACK, TestFleet, TestServer } from "../support/fleets/fleet";
import type { Proxy } from "../support/fleets/proxy";
import { linked, misconfigure, throughProxies } from "../support/catalogue/mistakes";
import { COLLECTED } from "../support/fleets/long-cut";
import { Traffic, comesAll, settled } from "../support/fleets/outage";
import { configOf, killServer, pidOf, startServer } from "../support/fleets/servers";
import { leaderOf, metaLeaderOf } from "../support/fleets/three";
import { until } from "../support/until";

/** The watcher that `up` deploys beside a hub of three, while an application publishes. */

const THREE = {
  hub: { servers: 3, maxFile: "1GiB" },
  sites: [{ name: "oslo" }, { name: "bergen" }],
  watch: { deploy: true },
} satisfies RawSettings;

/** Longer than the server's own source survives: it then waits for 30 s and more. */
const CUT_MS = 15_000;
const SOON_MS = 4_000;

const logOf = (fleet: TestFleet): string => readFileSync(watcherFiles(fleet.watcherPlace.folder).log, "utf8");

/** The server at which oslo's link ends. */
async function linkedAt(fleet: TestFleet): Promise<TestServer> {
  const [link] = await until("oslo is linked", async () => {
    const links = await fleet.links("oslo");
    return links.length === 1 && links;
  });
  const { server_id: first, server_name: name } = (await fleet.system()).info!;
  if (link?.server === undefined || link.server === first) return fleet.member(name);
  const ids = await Promise.all(fleet.members.map(async (one) => [one, (await fleet.status(one)).server_id] as const));
  return ids.find(([, id]) => id === link.server)![0];
}

/** A fleet with a watcher, oslo's way to the hub, which leads through proxies, and what its application publishes. */
interface Stage extends AsyncDisposable {
  fleet: TestFleet;
  proxies: readonly Proxy[];
  traffic: Traffic;
}

async function stage(raw: RawSettings = {}): Promise<Stage> {
  const fleet = await TestFleet.deploy({ ...THREE, ...raw });
  const proxies = await throughProxies(fleet, fleet.members);
  const traffic = new Traffic(fleet);
  await until("the hub takes messages", async () => (await fleet.collected("oslo")).state.messages > 0);
  const stop = async (): Promise<void> => {
    await traffic.stop();
    await fleet.stop();
  };
  return { fleet, proxies, traffic, [Symbol.asyncDispose]: stop };
}

/** Cuts oslo off all servers, for long, and does something meanwhile. */
async function cutOff({ fleet, proxies }: Stage, meanwhile: () => Promise<unknown> = async () => undefined) {
  for (const proxy of proxies) proxy.cut(true);
  await until("the link is gone", async () => (await fleet.links("oslo")).length === 0);
  await meanwhile();
  // How long the link is away is what is tested.
  await sleep(CUT_MS);
  for (const proxy of proxies) proxy.cut(false);
}

/** How long everything takes to come from now on; nothing may be lost or come twice. */
async function comesOnce({ fleet, traffic }: Stage): Promise<number> {
  const took = await comesAll(fleet, traffic);
  assert.deepEqual(await settled(fleet, traffic), { lost: [], doubled: [] });
  console.error(`      ${took.toFixed(0)} ms, ${traffic.last} messages`);
  return took;
}

async function comesSoon(on: Stage): Promise<void> {
  const took = await comesOnce(on);
  assert.ok(took < SOON_MS, `it took ${took} ms: ${logOf(on.fleet)}`);
}

const isOff = async (fleet: TestFleet): Promise<boolean> =>
  !(await fleet.collected("oslo")).config.sources?.some(({ external }) => external.api === "$JS.oslo.API");

describe("a watcher of a hub of three", function () {
  this.timeout(240_000);

  for (const [mode, raw] of COLLECTED)
    it(`brings everything soon after a long cut, once (${mode})`, async () => {
      await using on = await stage(raw);
      await on.fleet.prove();
      await cutOff(on);
      await comesSoon(on);
      assert.match(logOf(on.fleet), /oslo\/EVENTS: its source was waiting; it was restarted, and was heard/);
      assert.match(logOf(on.fleet), /oslo: it linked \(at hub-[123], from 127\.0\.0\.1, key U[A-Z2-7]{55}\)/);
      assert.deepEqual((await on.fleet.preview()).changes.includes("watcher"), false);
    });

  for (const [mode, raw] of COLLECTED)
    it(`does so when the stream's leader is killed during the cut (${mode})`, async () => {
      await using on = await stage(raw);
      await cutOff(on, async () => killServer((await leaderOf(on.fleet)).folder));
      await comesSoon(on);
    });

  it("does so when the server is killed that it asks first, and watches it again when it is back", async () => {
    await using on = await stage();
    const [first] = on.fleet.members;
    await cutOff(on, () => killServer(first!.folder));
    assert.match(logOf(on.fleet), /the hub's server hub-1 does not answer/);
    await comesSoon(on);
    await startServer(first!.folder);
    await until("it watches all", () => /the hub's server hub-1 answers again/.test(logOf(on.fleet)));
  });

  it("does so while the server is frozen that it asks first", async () => {
    await using on = await stage();
    const [first] = on.fleet.members;
    const pid = pidOf(first!.folder);
    try {
      await cutOff(on, async () => {
        process.kill(pid, "SIGSTOP");
      });
      on.proxies[0]!.cut(true);
      await until("the source was restarted", () => /it was restarted, and was heard/.test(logOf(on.fleet)));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await comesOnce(on);
  });

  it("sees a link move from one server to another", async () => {
    await using on = await stage();
    const from = await linkedAt(on.fleet);
    const proxy = on.proxies[on.fleet.members.findIndex(({ name }) => name === from.name)]!;
    proxy.cut(true);
    const to = await until("it is linked elsewhere", async () => {
      const at = await linkedAt(on.fleet);
      return at.name !== from.name && at;
    });
    await until("the log says so", () => logOf(on.fleet).includes(`oslo: it linked (at ${to.name}, `));
    assert.match(logOf(on.fleet), new RegExp(`oslo: the hub closed its link: .* \\(at ${from.name}, `));
    await comesSoon(on);
  });

  for (const [mode, raw] of COLLECTED)
    for (const [role, find] of [
      ["the stream's leader", (fleet: TestFleet) => leaderOf(fleet)],
      ["JetStream's leader", metaLeaderOf],
    ] as const)
      it(`puts a source back when ${role} dies while it is off (${mode})`, async () => {
        await using on = await stage(raw);
        const leader = await until("there is a leader", () => find(on.fleet).catch(() => undefined));
        await cutOff(on);
        // It is off for less than a second: on a busy machine the look may come too late, and the leader dies right after.
        const wasOff = (): boolean => /it was restarted/.test(logOf(on.fleet));
        await until("the source is off, or was", async () => (await isOff(on.fleet)) || wasOff());
        process.kill(pidOf(leader.folder), "SIGKILL");
        await comesOnce(on);
        await until("no source is off", async () => !(await isOff(on.fleet)));
        const { restarting } = watcherFiles(on.fleet.watcherPlace.folder);
        await until("the watcher has put all back", async () => isDeepStrictEqual(readJson(restarting), []));
      });

  it("doubles nothing although messages are on their way to the copies when a source is restarted", async () => {
    const size = "900MiB";
    await using fleet = await TestFleet.deploy({
      hub: { servers: 3, maxFile: "4GiB" },
      sites: [{ name: "oslo", quota: "1GiB" }],
      streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: size, collect: { maxBytes: size } }],
    });
    const [stream] = fleet.settings.streams;
    const client = (await fleet.application("oslo")).jetstream();
    const body = "x".repeat(60_000);
    const end = new AbortController();
    let sent = 0;
    const publishing = (async () => {
      for (; !end.signal.aborted && sent < 10_000; sent += 20)
        await Promise.all(Array.from({ length: 20 }, () => client.publish("events.a", body)));
    })();
    for (let i = 0; i < 12; i++) {
      await sleep(200);
      await rearm(fleet.accessAt("oslo"), stream!, STACK);
    }
    end.abort();
    await publishing;
    await until("all is there", async () => (await fleet.collected("oslo")).sources?.[0]?.seq === sent);
    await until("all is stored", async () => (await fleet.collected("oslo")).state.last_seq >= sent);
    await sleep(1_000);
    assert.equal((await fleet.collected("oslo")).state.last_seq, sent);
  });
});

describe("a hub of three that gets a watcher", function () {
  this.timeout(120_000);

  it("restarts no server, keeps its links, and has its old configuration again when the watcher goes", async () => {
    await using fleet = await TestFleet.deploy({ ...THREE, watch: { deploy: false } });
    const look = async () => ({
      configs: fleet.members.map(({ folder }) => configOf(folder)),
      pids: fleet.members.map(({ folder }) => pidOf(folder)),
      links: (await fleet.links("oslo")).map(({ server, id }) => `${server} ${id}`),
    });
    const traffic = new Traffic(fleet);
    const before = await look();
    for (const config of before.configs) assert.doesNotMatch(config, /_WATCH|LEAFZ/);
    await fleet.up({ watch: { deploy: true } });
    const { configs: _, ...during } = await look();
    assert.deepEqual(during, { pids: before.pids, links: before.links });
    await fleet.prove();
    assert.deepEqual((await fleet.preview()).changes, []);
    await fleet.up({ watch: { deploy: false } });
    assert.deepEqual(await look(), before);
    assert.deepEqual(await settled(fleet, traffic), { lost: [], doubled: [] });
  });
});

describe("the smoke test's attacks with the watcher's key on a hub of three", function () {
  this.timeout(120_000);

  it("find out what one server alone lets it do, and up puts it right", async () => {
    await using fleet = await TestFleet.deploy(THREE);
    await fleet.prove();
    for (const server of fleet.members) {
      await misconfigure(server, ({ accounts }) => {
        const { imports = [] } = accounts._WATCH!;
        accounts.BERGEN!.exports = [{ service: "$JS.API.>", accounts: ["_WATCH"] }];
        accounts._WATCH!.imports = imports.filter((one) => !JSON.stringify(one).includes("BERGEN"));
        accounts._WATCH!.imports.push({ service: { account: "BERGEN", subject: "$JS.API.>" }, to: "_watch.BERGEN.>" });
        accounts._WATCH!.users[0]!.permissions!.publish!.allow!.push("$SYS.REQ.SERVER.PING.VARZ");
        accounts._WATCH!.imports.push({ service: { account: "SYS", subject: "$SYS.REQ.SERVER.PING.VARZ" } });
        accounts.SYS!.exports!.push({ service: "$SYS.REQ.SERVER.PING.VARZ", accounts: ["_WATCH"] });
      });
      await linked(fleet, "oslo", "bergen");
      await assert.rejects(fleet.prove(), /\$SYS\.REQ\.SERVER\.PING\.VARZ was answered/, server.name);
      await fleet.up();
      await fleet.prove();
    }
  });
});
