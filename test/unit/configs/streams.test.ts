import assert from "node:assert/strict";
import { probeSubject } from "../../../configs/permissions";
import { RawSettings, StreamSettings } from "../../../configs/settings";
import {
  StreamConfig,
  collectedName,
  collectedSubject,
  hubStreamConfig,
  isSourceOfSite,
  sameSource,
  siteStreamConfig,
  sourceOf,
  streamChanges,
} from "../../../configs/streams";
import { covers } from "../../../configs/subjects";
import { settingsOf } from "../../support/settings";

type RawStream = NonNullable<RawSettings["streams"]>[number];
const stream = (more: Partial<RawStream> = {}): StreamSettings =>
  settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>", "doors.*.state"], ...more }] }).streams[0]!;
const EVENTS = stream({
  maxBytes: "10MiB",
  maxAge: "2s",
  storage: "memory",
  discard: "new",
  collect: { maxBytes: "20MiB", maxAge: "3s", discard: "new", storage: "memory", replicas: 3 },
});
const MERGED = stream({ collect: { mode: "merged" } });

describe("a site's stream", () => {
  it("is this", () => {
    assert.deepEqual(siteStreamConfig(EVENTS, "oslo", "dev"), {
      name: "EVENTS",
      subjects: ["events.>", "doors.*.state", "_probe.EVENTS.>"],
      retention: "limits",
      storage: "memory",
      max_bytes: 10 * 2 ** 20,
      max_age: 2_000_000_000,
      discard: "new",
      num_replicas: 1,
      metadata: { "nats-hub-leaf.stack": "dev" },
    });
  });

  it("carries the site in its name and probes when it is merged with others'", () => {
    const { name, subjects } = siteStreamConfig(MERGED, "oslo-2", "dev");
    assert.equal(name, "EVENTS_OSLO_2");
    assert.deepEqual(subjects, ["events.>", "doors.*.state", "_probe.EVENTS_OSLO_2.>"]);
  });

  it("stores its own probes", () => {
    const { name, subjects } = siteStreamConfig(EVENTS, "oslo", "dev");
    assert.ok(subjects!.some((pattern) => covers(pattern, probeSubject(name, "r1"))));
  });
});

describe("the hub's stream", () => {
  it("is this, without subjects: with them it would store every message twice", () => {
    assert.deepEqual(hubStreamConfig(EVENTS, "dev"), {
      name: "EVENTS",
      retention: "limits",
      storage: "memory",
      max_bytes: 20 * 2 ** 20,
      max_age: 3_000_000_000,
      discard: "new",
      num_replicas: 3,
      metadata: { "nats-hub-leaf.stack": "dev" },
    });
  });

  it("is called the same for every site when it is merged", () => {
    assert.equal(hubStreamConfig(MERGED, "dev").name, "EVENTS");
  });

  it("is shown with its account", () => {
    assert.equal(collectedName(EVENTS, "oslo-2"), "OSLO_2/EVENTS");
    assert.equal(collectedName(MERGED, "oslo-2"), "HUB/EVENTS");
  });
});

describe("the source of a site", () => {
  it("is the site's stream as it is when it is collected by site", () => {
    assert.deepEqual(sourceOf(EVENTS, "oslo"), {
      name: "EVENTS",
      external: { api: "$JS.oslo.API", deliver: "" },
      opt_start_seq: 1,
    });
  });

  it("puts the site before whatever the site's stream stores in a merged stream", () => {
    assert.deepEqual(sourceOf(MERGED, "oslo-2"), {
      name: "EVENTS_OSLO_2",
      external: { api: "$JS.oslo-2.API", deliver: "_source.oslo-2" },
      opt_start_seq: 1,
      subject_transforms: [{ src: ">", dest: "oslo-2.>" }],
    });
  });

  it("is the same one to the server whatever the subjects are: another one would begin anew", () => {
    const other = stream({ subjects: ["doors.>"], collect: { mode: "merged" } });
    assert.deepEqual(sourceOf(other, "oslo"), sourceOf(MERGED, "oslo"));
  });

  it("gives two sites' messages subjects apart", () => {
    assert.equal(collectedSubject(MERGED, "oslo", "events.door"), "oslo.events.door");
    assert.equal(collectedSubject(MERGED, "bergen", "events.door"), "bergen.events.door");
  });

  it("keeps the subject when it is collected by site", () => {
    assert.equal(collectedSubject(EVENTS, "oslo", "events.door"), "events.door");
  });

  it("is told from another site's by its domain", () => {
    assert.equal(isSourceOfSite(sourceOf(MERGED, "oslo"), "oslo"), true);
    assert.equal(isSourceOfSite(sourceOf(MERGED, "oslo"), "oslo-2"), false);
  });

  it("is not a source without a domain", () => {
    assert.equal(isSourceOfSite({ name: "EVENTS" } as ReturnType<typeof sourceOf>, "oslo"), false);
  });
});

describe("a source on the server", () => {
  const wanted = sourceOf(MERGED, "oslo");

  it("is the wanted one when the server adds fields of its own", () => {
    assert.equal(sameSource({ ...wanted, opt_start_seq: 7 }, wanted), true);
  });

  it("is the wanted one when the server leaves out an empty deliver prefix and transforms", () => {
    const perSite = sourceOf(EVENTS, "oslo");
    assert.equal(sameSource({ name: "EVENTS", external: { api: "$JS.oslo.API" } } as typeof wanted, perSite), true);
  });

  const OTHERS: Readonly<Record<string, typeof wanted>> = {
    "another name": { ...wanted, name: "OTHER" },
    "another site": { ...wanted, external: { ...wanted.external, api: "$JS.bergen.API" } },
    "another deliver prefix": { ...wanted, external: { ...wanted.external, deliver: "_source.bergen" } },
    "no transform": { ...wanted, subject_transforms: [] },
    "no external stream": { name: wanted.name } as typeof wanted,
  };
  for (const [what, other] of Object.entries(OTHERS)) {
    it(`is not the wanted one with ${what}`, () => {
      assert.equal(sameSource(other, wanted), false);
    });
  }
});

describe("a change of a stream", () => {
  const wanted = siteStreamConfig(EVENTS, "oslo", "dev");

  it("is none when the server has what is wanted, and fields of its own", () => {
    const existing = { ...wanted, max_msgs: -1, metadata: { ...wanted.metadata, "_nats.ver": "2.15.2" } };
    assert.deepEqual(streamChanges(existing, wanted), []);
  });

  const IN_PLACE: Partial<StreamConfig> = {
    subjects: ["other.>"],
    max_bytes: 1,
    max_age: 1,
    discard: "old",
    num_replicas: 3,
  };
  for (const [field, to] of Object.entries(IN_PLACE)) {
    it(`of ${field} is made in place`, () => {
      const from = wanted[field as keyof StreamConfig];
      assert.deepEqual(streamChanges(wanted, { ...wanted, [field]: to }), [{ field, from, to, kind: "inPlace" }]);
    });
  }

  it("of the stack that owns it is made in place", () => {
    assert.deepEqual(streamChanges({ ...wanted, metadata: {} }, wanted), [
      { field: "metadata", from: undefined, to: "dev", kind: "inPlace" },
    ]);
  });

  it("of storage is refused", () => {
    assert.deepEqual(streamChanges(wanted, { ...wanted, storage: "file" }), [
      { field: "storage", from: "memory", to: "file", kind: "refused" },
    ]);
  });

  it("of retention is refused", () => {
    const existing = { ...wanted, retention: "workqueue" } as unknown as StreamConfig;
    assert.deepEqual(streamChanges(existing, wanted), [
      { field: "retention", from: "workqueue", to: "limits", kind: "refused" },
    ]);
  });

  it("is reported together with all others", () => {
    const changed = streamChanges(wanted, { ...wanted, max_bytes: 1, storage: "file" });
    assert.deepEqual(
      changed.map(({ field, kind }) => `${field} ${kind}`),
      ["storage refused", "max_bytes inPlace"],
    );
  });

  it("of the sources is not its matter", () => {
    assert.deepEqual(streamChanges(wanted, { ...wanted, sources: [sourceOf(EVENTS, "oslo")] }), []);
  });
});
