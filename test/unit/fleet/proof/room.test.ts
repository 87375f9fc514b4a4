import assert from "node:assert/strict";
import { StreamConfig } from "../../../../configs/streams";
import { settingsOf } from "../../../support/rules/settings";
import { Decision, End, Job, StandInRoom, decide, demandOf, stillFits } from "../../../../fleet/proof/room";

const MB = 1e6;
const TIMEOUT_MS = 10_000;

interface Given {
  config?: object;
  bytes?: number;
  limit?: number;
  account?: Partial<End["accountInfo"]>;
  consumers?: End["consumers"];
  copiedBy?: string[];
  serverFiles?: End["serverFiles"];
}

/** A stream of 100 MB that holds nothing, in an account of 200 MB. */
function end(where: End["where"], name: string, given: Given = {}): End {
  const config = {
    name,
    storage: "file",
    num_replicas: 1,
    max_age: 0,
    max_bytes: given.limit ?? 100 * MB,
    ...given.config,
  };
  return {
    where,
    stream: `${where} ${name}`,
    account: `account ${where} ${name}`,
    server: where,
    accountName: "OSLO",
    probes: "_probe.EVENTS.>",
    info: {
      config: config as unknown as StreamConfig,
      created: "",
      state: { messages: 0, bytes: given.bytes ?? 0, first_seq: 1, last_seq: 0 },
    },
    accountInfo: {
      storage: 0,
      memory: 0,
      limits: { max_storage: 200 * MB, max_memory: 200 * MB },
      ...given.account,
    },
    consumers: given.consumers ?? [],
    copiedBy: given.copiedBy ?? [],
    ...(given.serverFiles === undefined ? {} : { serverFiles: given.serverFiles }),
  };
}

const demand = (bytes: number): Job["demand"] => ({ bytes, messages: 28, largest: 100_000 });
const job = (key: string, bytes: number, site: Given = {}, hub: Given = {}): Job => ({
  key,
  demand: demand(bytes),
  ends: [end("at the site", key, site), end("on the hub", key, hub)],
});
const whyOf = (jobs: readonly Job[], key = "oslo"): string | undefined => decide(jobs, TIMEOUT_MS).get(key)?.why;

describe("probes go through the real stream", () => {
  it("when both ends have ample room", () => {
    assert.equal(whyOf([job("oslo", 2.5 * MB)]), undefined);
  });

  it("when neither stream, account nor server has a limit", () => {
    const unlimited = { limit: -1, account: { limits: { max_storage: -1, max_memory: -1 } } };
    assert.equal(whyOf([job("oslo", 2.5 * MB, unlimited, unlimited)]), undefined);
  });

  it("with a consumer that reads other subjects", () => {
    const consumers = [{ name: "mine", config: { filter_subject: "events.>" } }];
    assert.equal(whyOf([job("oslo", MB, { consumers })]), undefined);
  });
});

describe("probes go beside the real stream", () => {
  const CASES: Record<string, [Given, RegExp]> = {
    "a work queue": [{ config: { retention: "workqueue" } }, /has retention workqueue/],
    "an interest stream": [{ config: { retention: "interest" } }, /has retention interest/],
    "a limit of messages": [{ config: { max_msgs: 1000 } }, /limits the number of messages/],
    "a limit of messages by subject": [{ config: { max_msgs_per_subject: 1000 } }, /limits the number of messages/],
    "a limit of sizes": [{ config: { max_msg_size: 50_000 } }, /limits the size of messages/],
    "a short age": [{ config: { max_age: 5e9 } }, /expire sooner than probes.timeout/],
    "markers of what expires": [{ config: { subject_delete_marker_ttl: 1e9 } }, /leaves markers/],
    "a sealed stream": [{ config: { sealed: true } }, /is sealed/],
    "a stream that denies purging": [{ config: { deny_purge: true } }, /denies that messages are removed/],
    "a stream that denies deleting": [{ config: { deny_delete: true } }, /denies that messages are removed/],
    "a stream without acknowledgements": [{ config: { no_ack: true } }, /acknowledges nothing/],
    "a stream of counters": [{ config: { allow_msg_counter: true } }, /stores counters/],
    "a mirror": [{ config: { mirror: { name: "OTHER" } } }, /is a mirror/],
    republishing: [{ config: { republish: { src: ">", dest: "copy.>" } } }, /republishes/],
    "another stream that sources it": [
      { copiedBy: ["stream COPY of account OSLO"] },
      /stream COPY of account OSLO copies/,
    ],
    "a consumer without a filter": [{ consumers: [{ name: "all", config: {} }] }, /consumer all .* reads all subjects/],
    "a consumer of everything": [
      { consumers: [{ name: "all", config: { filter_subjects: ["events.>", ">"] } }] },
      /consumer all .* reads all subjects/,
    ],
    "a stream that is nearly full": [{ bytes: 95 * MB }, /is nearly full/],
    "an account that is nearly full": [{ account: { storage: 195 * MB } }, /is nearly full/],
    "a server that is nearly full": [{ serverFiles: { held: 995 * MB, limit: 1000 * MB } }, /is nearly full/],
    "a tier of the account that is nearly full": [
      { account: { tiers: { R1: { storage: 99 * MB, memory: 0, limits: { max_storage: 100 * MB, max_memory: 0 } } } } },
      /is nearly full/,
    ],
  };

  for (const [name, [given, reason]] of Object.entries(CASES)) {
    it(`with ${name} at the site`, () => {
      assert.match(whyOf([job("oslo", 2.5 * MB, given)]) ?? "", reason);
    });

    it(`with ${name} on the hub`, () => {
      const why = whyOf([job("oslo", 2.5 * MB, {}, given)]) ?? "";
      assert.match(why, reason);
      assert.match(why, /on the hub/);
    });
  }
});

describe("the room of a run", () => {
  /** Sites that share a stream of 100 MB on the hub. */
  const merged = (count: number, bytes: number, held: number): Job[] =>
    Array.from({ length: count }, (_, i) => ({
      key: `site-${i}`,
      demand: demand(bytes),
      ends: [end("at the site", `site-${i}`), { ...end("on the hub", "ALL", { bytes: held }), server: "hub" }],
    }));
  const beside = (jobs: readonly Job[]): number =>
    [...decide(jobs, TIMEOUT_MS).values()].filter(({ why }) => why !== undefined).length;

  it("is that of all sites together, not of each", () => {
    assert.equal(beside(merged(1, 2.5 * MB, 85 * MB)), 0);
    assert.equal(beside(merged(3, 2.5 * MB, 85 * MB)), 2);
  });

  it("never gives probes more than a quarter of what is free", () => {
    for (const held of [0, 20, 50, 80, 90, 99]) {
      const jobs = merged(40, 1.1 * MB, held * MB);
      const given = [...decide(jobs, TIMEOUT_MS).values()].filter(({ why }) => why === undefined).length * 1.1;
      assert.ok(given <= (100 - held) / 4, `${given} MB of ${100 - held} MB`);
    }
  });

  it("goes to small probes first: a site that did not change is proven through its real stream", () => {
    const [large, ...small] = merged(5, 1024, 85 * MB);
    const decided = decide([{ ...large!, demand: demand(5 * MB) }, ...small], TIMEOUT_MS);
    assert.deepEqual(
      [...decided.values()].map(({ why }) => why === undefined),
      [false, true, true, true, true],
    );
  });

  it("gives each job what all jobs together take of its streams", () => {
    const { total } = decide(merged(3, 2 * MB, 0), TIMEOUT_MS).get("site-1") as Decision;
    assert.deepEqual(total, { "at the site": 2 * MB, "on the hub": 6 * MB });
  });

  it("is looked at once more before the first probe", () => {
    const { info } = end("on the hub", "ALL", { bytes: 80 * MB });
    assert.equal(stillFits(info, 7 * MB), true);
    assert.equal(stillFits(info, 8 * MB), false);
  });
});

describe("the room for stand-ins", () => {
  const shared = (storage: number): Job[] => [job("oslo", MB, {}, { account: { storage } })];

  it("is waited for: two that do not fit together come one after the other", async () => {
    const [one] = shared(190 * MB);
    const room = new StandInRoom([one!]);
    const order: string[] = [];
    const take = (name: string) =>
      room.during(one!.ends, 6 * MB, async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      });
    await Promise.all([take("first"), take("second")]);
    assert.deepEqual(order, ["first begins", "first ends", "second begins", "second ends"]);
  });

  it("is given back by a test that fails", async () => {
    const [one] = shared(190 * MB);
    const room = new StandInRoom([one!]);
    await assert.rejects(room.during(one!.ends, 6 * MB, () => Promise.reject(new Error("lost"))));
    assert.equal(await room.during(one!.ends, 6 * MB, () => Promise.resolve("fits")), "fits");
  });

  it("is refused with what is missing where, when one alone does not fit", async () => {
    const jobs = shared(198 * MB);
    await assert.rejects(
      new StandInRoom(jobs).during(jobs[0]!.ends, 5 * 2 ** 20, () => Promise.resolve()),
      /account OSLO on the hub has too little room for the probe stream of 5 MiB: 3\.1 MiB is missing; delete streams/,
    );
  });

  it("counts what other streams may still store", async () => {
    const jobs = [job("oslo", MB, { account: { storage: 0, reserved_storage: 199 * MB } })];
    await assert.rejects(
      new StandInRoom(jobs).during(jobs[0]!.ends, 5 * MB, () => Promise.resolve()),
      /at the site has too little room .* raise its quota/,
    );
  });
});

describe("what probes store", () => {
  const { probes } = settingsOf({ probes: { burst: "2500kB", burstMessage: "100kB", count: 3 } });

  it("is counted with subject, headers and the server's own records", () => {
    assert.deepEqual(demandOf(probes, true), {
      bytes: 25 * (100_000 + 1024) + 3 * 1024,
      messages: 28,
      largest: 101_024,
    });
  });

  it("is little without a burst", () => {
    assert.deepEqual(demandOf(probes, false), { bytes: 3 * 1024, messages: 3, largest: 1024 });
  });
});
