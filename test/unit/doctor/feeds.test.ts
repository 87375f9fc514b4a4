import assert from "node:assert/strict";
import { configOf, isFedBy, takeNothing } from "../../../doctor/feeds";
import { lostQuorum, startOf } from "../../../doctor/foreign-inspect";
import type { StreamSeen } from "../../../doctor/foreign-asking";
import { SourceInfo, StreamInfo } from "../../../servers/nats/jetstream";

const feed = (change: Partial<SourceInfo> = {}): SourceInfo => ({
  name: "EVENTS",
  lag: 0,
  active: 1e8,
  external: { api: "$JS.plant.API", deliver: "" },
  ...change,
});

describe("what brings messages into a stream", () => {
  it("is found in the configuration by all that makes it another source", () => {
    const external = { api: "$JS.plant.API" };
    const sources = [
      { name: "EVENTS", external, filter_subject: "a.>", opt_start_seq: 3 },
      { name: "EVENTS", external, opt_start_seq: 7 },
    ];
    const info = { config: { name: "HUB", sources } } as unknown as StreamInfo;
    assert.equal(configOf(info, feed())?.opt_start_seq, 7);
    assert.equal(configOf(info, feed({ filter_subject: "a.>" }))?.opt_start_seq, 3);
    assert.equal(configOf(info, feed({ filter_subject: "b.>" })), undefined);
  });

  it("is a source or a mirror of that name", () => {
    const config = { name: "HUB" };
    assert.equal(isFedBy({ config, sources: [feed()] } as unknown as StreamInfo, "EVENTS"), true);
    assert.equal(isFedBy({ config, mirror: feed() } as unknown as StreamInfo, "EVENTS"), true);
    assert.equal(isFedBy({ config } as unknown as StreamInfo, "EVENTS"), false);
  });

  it("takes nothing when none of its filters can be a subject of the stream", () => {
    const [a, b] = [feed({ filter_subject: "a.>" }), feed({ filter_subject: "b.*" })];
    assert.equal(takeNothing([a, b], ["c.>"]), true);
    assert.equal(takeNothing([a, b], ["b.>"]), false);
    assert.equal(takeNothing([feed()], ["c.>"]), false);
    assert.equal(takeNothing([a], []), false);
  });
});

describe("a stream of a cluster", () => {
  const replicas = (...offline: boolean[]) => offline.map((is, i) => ({ name: `hub-${i}`, offline: is }));

  it("has a leader while more than half of its replicas are there", () => {
    assert.equal(lostQuorum({ cluster: { leader: "hub-9", replicas: replicas(false, true) } }), undefined);
    assert.equal(lostQuorum({ cluster: { leader: "hub-9" } }), undefined);
    assert.equal(lostQuorum({}), undefined);
  });

  it("has none, or soon has none, when they are not", () => {
    assert.match(
      lostQuorum({ cluster: { replicas: replicas(false, true, true) } })!,
      /leader none; offline hub-1, hub-2/,
    );
    assert.match(lostQuorum({ cluster: { leader: "hub-9", replicas: replicas(true, true) } })!, /leader hub-9/);
  });
});

describe("where a source begins", () => {
  const times = [100, 200, 300];
  const stream = {
    js: {
      nextMessage: (_: string, __: string, seq: number) =>
        Promise.resolve(seq > times.length ? undefined : { seq, storedAt: times[seq - 1] }),
    },
    info: { config: { name: "EVENTS" }, state: { first_seq: 1, last_seq: 3 } },
  } as unknown as StreamSeen;
  const at = (ms: number) => ({ name: "EVENTS", opt_start_time: new Date(ms).toISOString() });

  it("is the first message, another sequence, or a time", async () => {
    assert.equal(await startOf(undefined, stream), 0);
    assert.equal(await startOf({ name: "EVENTS", opt_start_seq: 21 }, stream), 20);
    assert.equal(await startOf(at(150), stream), 1);
    assert.equal(await startOf(at(50), stream), 0);
  });

  it("is behind the last message when all are older", async () => {
    assert.equal(await startOf(at(1_000), stream), 3);
  });
});
