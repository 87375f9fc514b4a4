import assert from "node:assert/strict";
import { STREAM_FIELDS } from "../../../../configs/plan/stream-fields";
import {
  LiveConfig,
  streamChanges,
  wantedNew,
  wantedOver,
  withoutRefused,
} from "../../../../configs/plan/stream-changes";
import { changeWords } from "../../../../configs/plan/stream-words";
import { StreamConfig, hubStreamConfig, siteStreamConfig, sourceOf } from "../../../../configs/streams";
import { settingsOf } from "../../../support/rules/settings";

const [EVENTS] = settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"] }] }).streams;
const SITE = siteStreamConfig(EVENTS!, "oslo", "dev");
const HUB = hubStreamConfig(EVENTS!, "dev");

/** What nats-server 2.15.2 fills in, and where it does not what it is given. */
const FILLED_IN = {
  max_consumers: -1,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  compression: "none",
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
};
const SERVER = { "_nats.level": "5", "_nats.req.level": "0", "_nats.ver": "2.15.2" };
const onServer = (config: StreamConfig, more: LiveConfig = {}): LiveConfig => ({
  ...FILLED_IN,
  ...config,
  ...(config.subjects === undefined ? {} : { duplicate_window: 120e9 }),
  metadata: { ...config.metadata, ...SERVER },
  ...more,
});
const shown = (existing: LiveConfig, wanted: StreamConfig, adopt = false) =>
  streamChanges(existing, wanted, { adopt }).map(({ field, from, to, kind }) => [field, from, to, kind]);

describe("the changes of a stream", () => {
  it("are none of one that the server filled in", () => {
    assert.deepEqual(shown(onServer(SITE), SITE), []);
    assert.deepEqual(shown(onServer(HUB), HUB), []);
  });

  it("are none of a shorter age, which shortens the window of equal ids", () => {
    const wanted = { ...SITE, max_age: 60e9 };
    assert.deepEqual(shown(onServer(wanted, { duplicate_window: 60e9 }), wanted), []);
  });

  it("are none of subjects in another order", () => {
    assert.deepEqual(shown(onServer(SITE, { subjects: [...SITE.subjects!].reverse() }), SITE), []);
  });

  it("are none of what the server fills in when a hub stream loses its last source", () => {
    assert.deepEqual(shown(onServer(HUB, { subjects: ["EVENTS"], duplicate_window: 120e9 }), HUB), []);
  });

  const OTHERS: Record<string, unknown> = {
    subjects: ["other.>"],
    retention: "interest",
    discard: "new",
    storage: "memory",
    compression: "s2",
    persist_mode: "async",
    mirror: { name: "X" },
    subject_transform: { src: "a", dest: "b" },
    republish: { src: "a", dest: "b" },
    placement: { tags: ["x"] },
    consumer_limits: { max_ack_pending: 1 },
    description: "x",
    num_replicas: 3,
  };
  for (const [field, { change, value }] of Object.entries(STREAM_FIELDS)) {
    it(`name ${field} at both ends, which is ${change === "inPlace" ? "updated in place" : "refused"}`, () => {
      const other = OTHERS[field] ?? (typeof value === "boolean" ? true : 12_345);
      const kind = change === "inPlace" ? "inPlace" : "refused";
      for (const wanted of [SITE, HUB]) {
        const [found] = shown(onServer(wanted, { [field]: other }), wanted).filter(([name]) => name === field);
        assert.deepEqual([found?.[1], found?.[3]], [other, kind]);
      }
    });
  }

  it("are refused from and to a work queue, and where a field that stays on needs them", () => {
    assert.equal(shown(onServer(SITE, { retention: "workqueue" }), SITE)[0]?.[3], "refused");
    const scheduled = onServer(SITE, { allow_msg_schedules: true, allow_rollup_hdrs: true });
    assert.deepEqual(new Set(shown(scheduled, SITE).map(([, , , kind]) => kind)), new Set(["refused"]));
    const sealed = onServer(SITE, { sealed: true, discard: "new", deny_delete: true, deny_purge: true });
    assert.deepEqual(new Set(shown(sealed, SITE).map(([, , , kind]) => kind)), new Set(["refused"]));
  });

  it("name a field that this program does not know, unless it says nothing", () => {
    assert.deepEqual(shown(onServer(SITE, { later: "x" }), SITE), [["later", "x", undefined, "inPlace"]]);
    assert.deepEqual(shown(onServer(SITE, { later: false, never: -1, empty: {} }), SITE), []);
  });

  it("name the owner, and entries of somebody else in the metadata", () => {
    const metadata = { "nats-hub-leaf.stack": "prod", team: "a" };
    assert.deepEqual(shown(onServer(SITE, { metadata }), SITE), [
      ["metadata.team", "a", undefined, "inPlace"],
      ["metadata", "prod", "dev", "inPlace"],
    ]);
  });

  it("name each source that nobody declares", () => {
    const [own, other] = [sourceOf(EVENTS!, "oslo"), { name: "X" }];
    const changes = streamChanges(onServer(HUB, { sources: [own, other] }), HUB, {
      declares: ({ name }) => name === "EVENTS",
    });
    assert.deepEqual(changes.map(changeWords), ["a source of stream X, which is not declared"]);
  });

  it("are shown in units", () => {
    const changes = streamChanges(onServer(SITE, { max_age: 3600e9, max_msgs: 5 }), SITE);
    assert.deepEqual(changes.map(changeWords).sort(), ["max_age is 1h, declared none", "max_msgs is 5, declared none"]);
  });
});

describe("an adopted stream", () => {
  const SOMEBODYS = onServer(SITE, { metadata: { team: "a" }, max_msgs: 10, description: "theirs", max_age: 5e9 });
  const adopted = wantedOver(SOMEBODYS, SITE, { adopt: true }) as unknown as LiveConfig;

  it("keeps what is not declared, and gets what is", () => {
    assert.deepEqual(shown(SOMEBODYS, SITE, true), [
      ["max_age", 5e9, 0, "inPlace"],
      ["metadata", undefined, "dev", "inPlace"],
    ]);
    assert.deepEqual([adopted.max_msgs, adopted.description, adopted.max_age], [10, "theirs", 0]);
    assert.equal((adopted.metadata as Record<string, string>).team, "a");
  });

  it("is as it is to be afterwards, also when the settings no longer say so", () => {
    assert.deepEqual(shown(onServer(SITE, adopted), SITE, true), []);
    assert.deepEqual(shown(onServer(SITE, adopted), SITE, false), []);
  });

  it("gets back what it had when it was adopted, when that is changed later", () => {
    const edited = onServer(SITE, { ...adopted, max_msgs: 3, no_ack: true });
    assert.deepEqual(shown(edited, SITE, true), [
      ["max_msgs", 3, 10, "inPlace"],
      ["no_ack", true, false, "inPlace"],
    ]);
  });

  it("keeps no window of equal ids on the hub, where those of different sites meet", () => {
    const live = onServer(HUB, { duplicate_window: 120e9, metadata: {} });
    assert.deepEqual(shown(live, HUB, true)[0], ["duplicate_window", 120e9, 0, "inPlace"]);
    const kept = wantedOver(onServer(SITE, { duplicate_window: 5e9, metadata: {} }), SITE, { adopt: true });
    assert.equal((kept as unknown as LiveConfig).duplicate_window, 5e9);
  });

  it("keeps sources that are not the sites'", () => {
    const live = onServer(HUB, { sources: [{ name: "THEIRS" }], metadata: {} });
    const config = wantedOver(live, HUB, { adopt: true });
    assert.deepEqual(config.sources, [{ name: "THEIRS" }]);
    assert.deepEqual(shown(onServer(HUB, { ...config }), HUB), []);
  });

  it("keeps everything while nobody noted what it had", () => {
    assert.deepEqual(shown(onServer(SITE, { max_msgs: 10 }), SITE, true), []);
    assert.deepEqual(shown(onServer(SITE, { max_msgs: 10 }), SITE, false).length, 1);
  });

  it("keeps nothing that was not there when this program made it", () => {
    const made = wantedNew(SITE, { adopt: true }) as unknown as LiveConfig;
    assert.deepEqual(shown(onServer(SITE, { ...made, max_msgs: 10 }), SITE, true), [["max_msgs", 10, -1, "inPlace"]]);
  });

  it("of another stack keeps nothing that was noted there", () => {
    const metadata = { "nats-hub-leaf.stack": "prod", "nats-hub-leaf.adopted": '{"max_msgs":99}' };
    assert.equal(wantedOver(onServer(SITE, { metadata }), SITE, { adopt: true }).max_bytes, SITE.max_bytes);
    assert.deepEqual(shown(onServer(SITE, { metadata }), SITE, true), [["metadata", "prod", "dev", "inPlace"]]);
  });
});

it("a change that the server refuses leaves the rest to be made", () => {
  const changes = streamChanges(onServer(SITE, { deny_purge: true, max_msgs: 5 }), SITE);
  assert.deepEqual(withoutRefused(SITE, changes), { ...SITE, deny_purge: true });
});
