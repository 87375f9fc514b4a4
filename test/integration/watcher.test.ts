import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { RawSettings } from "../../configs/settings";
import type { StreamSource } from "../../configs/streams";
import { Notes } from "../../servers/watch/notes";
import { watcherFacts } from "../../servers/watch/hosts";
import { startWatcher } from "../../servers/watch/process";
import { readJson, watcherFiles } from "../../machine/folders";
import type { ServerConfig } from "../../configs/server-config";
import { misconfigure, throughProxy } from "../support/catalogue/mistakes";
import { TestFleet } from "../support/fleets/fleet";
import { COLLECTED, comesOnce, outlastsLongCut, publish } from "../support/fleets/long-cut";
import { textsFrom } from "../support/fleets/messages";
import { until } from "../support/until";

/** The watcher that `up` deploys, with its own key, beside fleets of real servers. */

const TWO = { sites: [{ name: "oslo" }, { name: "bergen" }], watch: { deploy: true } } satisfies RawSettings;
const ONE = { sites: [{ name: "oslo" }], watch: { deploy: true } } satisfies RawSettings;

const pidOf = (fleet: TestFleet): number =>
  readJson<{ pid: number }>(watcherFiles(fleet.watcherPlace.folder).record)?.pid ?? 0;

const logOf = (fleet: TestFleet): string => readFileSync(watcherFiles(fleet.watcherPlace.folder).log, "utf8");

const watches = (fleet: TestFleet) =>
  until("the watcher watches", async () => (await watcherFacts(fleet.watcherPlace)).state === "watches");

async function killWatcher(fleet: TestFleet): Promise<void> {
  process.kill(pidOf(fleet), "SIGKILL");
  await until("it is gone", async () => (await watcherFacts(fleet.watcherPlace)).state === "gone");
}

/** What a watcher leaves that is killed between taking oslo's source off and putting it back. */
async function takeOff(fleet: TestFleet): Promise<void> {
  const info = await fleet.collected("oslo");
  const isOslo = ({ external }: StreamSource) => external.api === "$JS.oslo.API";
  const { seq = 0 } = info.sources!.find((source) => source.external?.api === "$JS.oslo.API")!;
  const source = { ...info.config.sources!.find(isOslo)!, opt_start_seq: seq + 1 };
  const notes = new Notes(watcherFiles(fleet.watcherPlace.folder).restarting);
  const killed = notes.during({ site: "oslo", stream: "EVENTS", source }, async () => {
    const others = info.config.sources!.filter((one) => !isOslo(one));
    await (await fleet.atHub("oslo")).setSources(info, others);
    throw new Error("killed");
  });
  await assert.rejects(killed, /killed/);
}

describe("a deployed watcher", function () {
  this.timeout(180_000);

  for (const [mode, raw] of COLLECTED) {
    it(`brings everything soon after a long cut, once, with its own key (${mode})`, async () => {
      await using fleet = await TestFleet.deploy({ ...TWO, ...raw });
      await outlastsLongCut(fleet, await throughProxy(fleet), () => logOf(fleet));
      assert.match(logOf(fleet), /oslo: the hub closed its link: .+ \(from 127\.0\.0\.1, key U[A-Z2-7]{55}\)/);
      const told = async () =>
        (await fleet.collected("oslo")).config.sources?.map(({ opt_start_seq: start }) => start ?? 1);
      await until("no source is told where to begin any more", async () => (await told())?.every((one) => one === 1));
      assert.deepEqual(readJson(watcherFiles(fleet.watcherPlace.folder).restarting), []);
    });
  }

  it("keeps what it knows private, and knows only its own key", async () => {
    await using fleet = await TestFleet.deploy(TWO);
    const { folder } = fleet.watcherPlace;
    const files = watcherFiles(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const file of [files.config, files.log, files.record, files.output])
      assert.equal(statSync(file).mode & 0o777, 0o600, file);
    const seeds = readFileSync(files.config, "utf8").match(/SU[A-Z2-7]{56}/g);
    assert.deepEqual(seeds, [fleet.watcherInputs().hub.seed]);
    for (const file of [files.log, files.record, files.output])
      assert.doesNotMatch(readFileSync(file, "utf8"), /SU[A-Z2-7]{56}/, file);
    assert.deepEqual(readFileSync(`/proc/${pidOf(fleet)}/environ`, "utf8"), "");
  });

  it("is left alone by an up without changes, and follows the sites", async () => {
    await using fleet = await TestFleet.deploy(ONE);
    await watches(fleet);
    assert.deepEqual((await fleet.preview()).changes, []);
    const before = pidOf(fleet);
    await fleet.up();
    assert.equal(pidOf(fleet), before);
    await fleet.up({ sites: [{ name: "oslo" }, { name: "bergen" }] });
    assert.notEqual(pidOf(fleet), before);
    await until("it sees both", () => /watching the links of oslo, bergen/.test(logOf(fleet)));
    await watches(fleet);
    assert.deepEqual((await fleet.preview()).changes, []);
    await fleet.prove();
  });

  for (const [what, signal] of [
    ["died", "SIGKILL"],
    ["is frozen", "SIGSTOP"],
  ] as const) {
    it(`is seen and started again by up when it ${what}`, async () => {
      await using fleet = await TestFleet.deploy(ONE);
      await watches(fleet);
      process.kill(pidOf(fleet), signal);
      await until("that shows", async () => (await watcherFacts(fleet.watcherPlace)).state !== "watches");
      const { changes, reports } = await fleet.preview();
      assert.deepEqual(changes, ["watcher"]);
      assert.match(reports.join("\n"), /watcher: it is (not running|stopped \(frozen\)); up repairs it/);
      await fleet.up();
      await watches(fleet);
      assert.deepEqual((await fleet.preview()).changes, []);
    });
  }

  for (const [mode, raw] of COLLECTED)
    it(`puts back what a watcher left off that was killed while it restarted a source (${mode})`, async () => {
      await using fleet = await TestFleet.deploy({ ...TWO, ...raw });
      await publish(fleet, 1, 20);
      await comesOnce(fleet, textsFrom(1, 20));
      await killWatcher(fleet);
      await takeOff(fleet);
      await publish(fleet, 21, 40);
      await startWatcher(fleet.watcherPlace);
      await comesOnce(fleet, textsFrom(1, 40));
      assert.deepEqual(readJson(watcherFiles(fleet.watcherPlace.folder).restarting), []);
      await fleet.prove();
    });

  it("may be killed while it restarts a source: up puts the source back", async () => {
    await using fleet = await TestFleet.deploy(TWO);
    await publish(fleet, 1, 20);
    await comesOnce(fleet, textsFrom(1, 20));
    await killWatcher(fleet);
    await takeOff(fleet);
    await publish(fleet, 21, 40);
    await fleet.up();
    await comesOnce(fleet, textsFrom(1, 40));
    await fleet.prove();
  });

  it("leaves nothing when the setting goes, and the hub's configuration is what it was", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    const config = () => readFileSync(`${fleet.hub.folder}/nats-server.conf`, "utf8");
    const before = config();
    await fleet.up({ watch: { deploy: true } });
    assert.match(config(), /_WATCH/);
    await watches(fleet);
    await fleet.prove();
    const { folder } = fleet.watcherPlace;
    const pid = pidOf(fleet);
    await fleet.up({ watch: { deploy: false } });
    assert.equal(config(), before);
    assert.equal(existsSync(folder), false);
    await until("its process ended", () => !existsSync(`/proc/${pid}`));
  });
});

/** Changes the hub's configuration by hand while it runs, and reloads it. */
async function alterHub(fleet: TestFleet, change: (config: ServerConfig) => void): Promise<void> {
  await misconfigure(fleet.hub, change);
  await until("both are linked", async () => {
    const links = await Promise.all(["oslo", "bergen"].map((site) => fleet.links(site)));
    return links.every((ofSite) => ofSite.length > 0);
  });
}

describe("the smoke test's attacks with the watcher's key", function () {
  this.timeout(120_000);

  const service = (name: string) => ({ service: name, accounts: ["_WATCH"] });
  const watchUser = ({ accounts }: ServerConfig) => accounts._WATCH!.users[0]!;

  const WAYS: Readonly<Record<string, { change: (config: ServerConfig) => void; says: RegExp }>> = {
    "the key may log in as a leaf": {
      change: (config) => delete watchUser(config).allowed_connection_types,
      says: /a leaf with the watcher's key succeeded/,
    },
    "its account imports the whole API of a site": {
      change: ({ accounts }) => {
        accounts.OSLO!.exports = [service("$JS.API.>")];
        accounts._WATCH!.imports = accounts._WATCH!.imports!.filter((one) => !JSON.stringify(one).includes("OSLO"));
        accounts._WATCH!.imports.push({ service: { account: "OSLO", subject: "$JS.API.>" }, to: "_watch.OSLO.>" });
      },
      says: /_watch\.OSLO\.STREAM\.PURGE\.EVENTS was answered/,
    },
    "its key is in the system account": {
      change: (config) => {
        const { accounts } = config;
        const [user] = accounts._WATCH!.users.splice(0, 1);
        delete user!.permissions;
        accounts.SYS!.users.push(user!);
      },
      says: /\$SYS\.REQ\.SERVER\.PING\.VARZ was answered/,
    },
  };

  for (const [what, { change, says }] of Object.entries(WAYS))
    it(`find out when ${what}, and up puts it right`, async () => {
      await using fleet = await TestFleet.deploy(TWO);
      await fleet.prove();
      await alterHub(fleet, change);
      await assert.rejects(fleet.prove(), says);
      await fleet.up();
      await fleet.prove();
    });
});
