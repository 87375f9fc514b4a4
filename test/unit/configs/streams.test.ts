import assert from "node:assert/strict";
import { probeSubject } from "../../../configs/permissions";
import { RawSettings, StreamSettings } from "../../../configs/settings";
import {
  collectedName,
  collectedSubject,
  declaredSources,
  hubStreamConfig,
  isSourceOfSite,
  sameSource,
  siteStreamConfig,
  sourceOf,
} from "../../../configs/streams";
import { covers } from "../../../configs/subjects";
import { settingsOf } from "../../support/rules/settings";

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

  it("differs from another site's by its domain", () => {
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
    "a filter": { ...wanted, filter_subject: "events.a" },
    "a time to begin at": { ...wanted, opt_start_time: "2026-01-01T00:00:00Z" } as typeof wanted,
    "a consumer that somebody made": { ...wanted, consumer: { name: "X", deliver_subject: "x" } } as typeof wanted,
    "a field that nobody knows": { ...wanted, later: true } as typeof wanted,
  };
  for (const [what, other] of Object.entries(OTHERS)) {
    it(`is not the wanted one with ${what}`, () => {
      assert.equal(sameSource(other, wanted), false);
    });
  }
});

describe("the sources of a hub's stream", () => {
  const undeclared = (sources: object[], of = MERGED, sites?: string[]) => {
    const all = sources as ReturnType<typeof sourceOf>[];
    const declares = declaredSources(all, of, "oslo", sites === undefined ? undefined : new Set(sites));
    return all.filter((source) => !declares(source));
  };
  const [own, others] = [sourceOf(MERGED, "oslo"), sourceOf(MERGED, "bergen")];
  const filtered = { ...own, filter_subject: "events.a", subject_transforms: [] };

  it("are all declared when each is a site's own", () => {
    assert.deepEqual(undeclared([own, others]), []);
    assert.deepEqual(undeclared([own, others], MERGED, ["oslo", "bergen"]), []);
  });

  it("have none beside the site's own one", () => {
    assert.deepEqual(undeclared([own, filtered]), [filtered]);
  });

  it("have an altered one in place of the site's own: that is another mistake", () => {
    assert.deepEqual(undeclared([filtered, others]), []);
  });

  it("have none of a site that the fleet does not have, where that is known", () => {
    assert.deepEqual(undeclared([own, others], MERGED, ["oslo"]), [others]);
  });

  it("have none of something else: the hub's own stream, another domain's API", () => {
    const strange = [{ name: "X" }, { name: "X", external: { api: "_imported", deliver: "" } }];
    assert.deepEqual(undeclared([own, ...strange]), strange);
  });

  it("have none of another site where each has a stream of its own", () => {
    const source = sourceOf(EVENTS, "oslo");
    const other = sourceOf(EVENTS, "bergen");
    assert.deepEqual(undeclared([source, other], EVENTS), [other]);
  });
});
