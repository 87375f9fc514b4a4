import assert from "node:assert/strict";
import { STREAM_FIELDS } from "../../configs/plan/stream-fields";
import { StreamConfig } from "../../configs/streams";
import { RawSettings } from "../../configs/settings";
import { JetStream } from "../../servers/nats/jetstream";
import { TestFleet } from "../support/fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { until } from "../support/until";
import { lookAt } from "../support/fleets/watched";

/**
 * Every field that the server knows of a stream, changed by hand at both ends: preview and doctor name it, and `up` puts
 * it back, or says why it cannot. Nothing is lost meanwhile.
 */
describe("a stream that somebody edited", function () {
  this.timeout(120_000);

  const FLEET: RawSettings = { sites: [{ name: "oslo" }], probes: { burst: "0B", timeout: "8s" } };

  interface Edit {
    to: unknown;
    /** What the server asks for as well. */
    with?: object;
    /** Why the server of a hub, or any, does not take the edit: then nobody can make it by hand. */
    not?: "anywhere" | "on the hub";
  }

  const EDITS: Record<string, Edit> = {
    description: { to: "by hand" },
    subjects: { to: ["others.>"] },
    retention: { to: "interest" },
    max_consumers: { to: 10 },
    max_msgs: { to: 1_000 },
    max_bytes: { to: 8_000_000 },
    max_age: { to: 86_400e9 },
    max_msgs_per_subject: { to: 1_000 },
    max_msg_size: { to: 100_000 },
    discard: { to: "new" },
    discard_new_per_subject: { to: true, with: { discard: "new", max_msgs_per_subject: 1_000 } },
    storage: { to: "memory", not: "anywhere" },
    num_replicas: { to: 3, not: "anywhere" },
    no_ack: { to: true },
    duplicate_window: { to: 1e9 },
    placement: { to: { tags: ["a"] } },
    mirror: { to: { name: "X" }, not: "anywhere" },
    compression: { to: "s2" },
    first_seq: { to: 5 },
    subject_transform: { to: { src: "events.b", dest: "moved.b" } },
    republish: { to: { src: "events.b", dest: "again.b" } },
    allow_direct: { to: true },
    mirror_direct: { to: true },
    sealed: { to: true },
    deny_delete: { to: true },
    deny_purge: { to: true },
    allow_rollup_hdrs: { to: true },
    consumer_limits: { to: { inactive_threshold: 3_600e9, max_ack_pending: 50_000 } },
    allow_msg_ttl: { to: true },
    subject_delete_marker_ttl: { to: 60e9, with: { allow_rollup_hdrs: true, allow_msg_ttl: true } },
    allow_msg_counter: { to: true, not: "anywhere" },
    allow_atomic: { to: true },
    allow_batched: { to: true },
    allow_msg_schedules: { to: true, not: "on the hub" },
    persist_mode: { to: "async", not: "anywhere" },
  };

  /** What stays turned on, and so cannot be put back. */
  const STAYS = ["sealed", "deny_delete", "deny_purge", "allow_msg_ttl", "allow_msg_schedules"];
  const stays = (field: string): boolean => STAYS.includes(field) || field === "subject_delete_marker_ttl";

  let MESSAGES: string[] = [];
  beforeEach(() => (MESSAGES = textsFrom(1, 12)));

  async function edit(js: JetStream, change: object): Promise<void> {
    const info = (await js.stream("EVENTS"))!;
    await js.updateStream({ ...info.config, ...change });
  }

  /** Messages that the hub has, each once, whatever was done. */
  async function collected(fleet: TestFleet): Promise<void> {
    await until("the hub has all", async () => (await fleet.collected("oslo")).state.messages >= MESSAGES.length);
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), MESSAGES);
  }

  it("has a case for every field", () => {
    assert.deepEqual(Object.keys(EDITS).sort(), Object.keys(STREAM_FIELDS).sort());
  });

  const ENDS = [
    { end: "site", where: "stream EVENTS at site oslo", code: "site-stream-altered" },
    { end: "hub", where: "hub stream OSLO/EVENTS", code: "hub-stream-altered" },
  ] as const;
  type End = (typeof ENDS)[number];
  const at = (fleet: TestFleet, { end }: End) => (end === "site" ? fleet.atSite("oslo") : fleet.atHub("oslo"));
  const isMade = ({ not }: Edit, { end }: End) => not === undefined || (not === "on the hub" && end === "site");

  async function withMessages(): Promise<TestFleet> {
    const fleet = await TestFleet.deploy(FLEET);
    await publishAll(await fleet.application("oslo"), "events.a", MESSAGES);
    await collected(fleet);
    return fleet;
  }

  /** Named by preview and doctor, put back by `up`; then there is nothing to say, and every message is there once. */
  async function isPutBack(fleet: TestFleet, ends: readonly End[], fields: (end: End) => string[]): Promise<void> {
    const { changes, reports } = await fleet.preview();
    assert.deepEqual(changes, ["oslo streams"]);
    const found = await lookAt(fleet, "oslo");
    for (const end of ends) {
      const report = reports.find((line) => line.startsWith(`site oslo: ${end.where}: `)) ?? "";
      const { evidence = "", next = "" } = found.find((finding) => finding.code === end.code) ?? {};
      for (const field of fields(end)) {
        assert.match(report, new RegExp(`\\b${field} is .*, declared .*up repairs it$`));
        assert.match(evidence, new RegExp(`\\b${field} is .*, declared `));
      }
      assert.equal(next, "run 'pulumi up', which repairs it");
    }
    await fleet.up();
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
    assert.deepEqual(await lookAt(fleet, "oslo"), []);
    await collected(fleet);
  }

  it("gets every field back that the server takes back, at both ends, and loses nothing", async () => {
    await using fleet = await withMessages();
    // Retention has a test of its own: on the hub the server drops what nobody consumes.
    const edited = (end: End) =>
      Object.entries(EDITS).filter(([name, one]) => !stays(name) && name !== "retention" && isMade(one, end));
    for (const end of ENDS) {
      const fields = edited(end);
      await edit(
        await at(fleet, end),
        Object.assign(
          {},
          ...fields.map(([, one]) => one.with ?? {}),
          Object.fromEntries(fields.map(([name, { to }]) => [name, to])),
        ) as object,
      );
    }
    await isPutBack(fleet, ENDS, (end) => edited(end).map(([name]) => name));
    await fleet.prove();
  });

  for (const end of ENDS) {
    it(`keeps turned on ${end.end === "site" ? "at the site" : "on the hub"} what the server never turns off, until it is made anew`, async () => {
      await using fleet = await withMessages();
      const fields = STAYS.filter((field) => field !== "sealed" && isMade(EDITS[field]!, end));
      const marker = EDITS.subject_delete_marker_ttl!;
      // A deny_purge would forbid the roll-ups that the other fields need.
      const together = fields.filter((field) => field !== "deny_purge");
      await edit(
        await at(fleet, end),
        Object.assign(
          { max_msgs: 500, subject_delete_marker_ttl: marker.to, ...marker.with },
          Object.fromEntries(together.map((field) => [field, true])),
        ),
      );
      await remadeOnly(fleet, end, together);
      for (const field of ["deny_purge", "sealed"]) {
        await edit(await at(fleet, end), { [field]: true });
        await remadeOnly(fleet, end, [field]);
      }
    });
  }

  /** Named with its cost; `up` puts back the rest and is red; the cure that it names works, and loses what it says alone. */
  async function remadeOnly(fleet: TestFleet, end: End, fields: readonly string[]): Promise<void> {
    const key = end.end === "site" ? "oslo/EVENTS" : "hub/OSLO/EVENTS";
    const js = await at(fleet, end);
    const held = (await js.stream("EVENTS"))!.state.messages;
    const cure = new RegExp(`the stream recreated with REMAKE=${key}: the ${held} messages that it holds are lost`);
    const said = (await fleet.preview()).reports.join("\n");
    assert.match(said, cure);
    for (const field of fields) assert.match(said, new RegExp(`cannot change .*${field} true -> false`));
    const { next = "" } = (await lookAt(fleet, "oslo")).find((finding) => finding.code === end.code) ?? {};
    assert.match(next, cure);
    await fleet.up();
    assert.match(fleet.problemsOf("oslo").join(), cure);
    const { config, created } = (await js.stream("EVENTS"))!;
    for (const field of fields) assert.equal((config as unknown as Record<string, unknown>)[field], true);
    assert.equal((config as unknown as { max_msgs: number }).max_msgs, -1);
    const before = await collectedTexts(fleet, "oslo", "events.>");
    process.env.REMAKE = key;
    try {
      await fleet.up();
    } finally {
      delete process.env.REMAKE;
    }
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    assert.notEqual((await js.stream("EVENTS"))!.created, created);
    assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
    // What the site stores at once, on sequences that the hub took before, is not skipped.
    const more = textsFrom(before.length + 1, before.length + 30);
    await publishAll(await fleet.application("oslo"), "events.a", more);
    const wanted = [...(end.end === "site" ? before : MESSAGES), ...more];
    await until(
      "the hub has all",
      async () => (await collectedTexts(fleet, "oslo", "events.>")).length >= wanted.length,
    );
    assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), wanted);
    if (end.end === "hub") MESSAGES.push(...more);
  }

  it("cannot have by hand what the server fixes for good", async () => {
    await using fleet = await withMessages();
    for (const end of ENDS) {
      const js = await at(fleet, end);
      for (const [field, one] of Object.entries(EDITS)) {
        if (!isMade(one, end)) await assert.rejects(edit(js, { [field]: one.to, ...one.with }), `${end.end}: ${field}`);
      }
    }
    assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
  });

  it("is made anew where the hub has a mirror of it, whose messages would all come twice", async () => {
    await using fleet = await withMessages();
    const hub = await fleet.atHub("oslo");
    const { config } = await fleet.collected("oslo");
    await hub.deleteStream("EVENTS");
    const { sources = [], ...rest } = config;
    await hub.createStream({ ...rest, mirror: { name: "EVENTS", external: sources[0]!.external } } as StreamConfig);
    const cure =
      /cannot change mirror .* -> none in place; .*REMAKE=hub\/OSLO\/EVENTS: the \d+ messages that it holds are lost/;
    assert.match((await fleet.preview()).reports.join(), cure);
    await fleet.up();
    assert.match(fleet.problemsOf("oslo").join(), cure);
    process.env.REMAKE = "hub/OSLO/EVENTS";
    try {
      await fleet.up();
    } finally {
      delete process.env.REMAKE;
    }
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    await collected(fleet);
    assert.deepEqual((await fleet.preview()).changes, []);
  });

  describe("and was adopted", () => {
    const MERGED: RawSettings = {
      sites: [{ name: "oslo" }, { name: "bergen" }],
      streams: [
        {
          name: "EVENTS",
          subjects: ["events.>"],
          maxBytes: "32MiB",
          adopt: true,
          collect: { mode: "merged", maxBytes: "32MiB" },
        },
      ],
      probes: { burst: "0B", timeout: "8s" },
    };

    it("keeps what it had then, and gets that back; equal message ids of two sites are stored both", async () => {
      const streams = MERGED.streams!;
      await using fleet = await TestFleet.deploy({
        ...MERGED,
        streams: [{ ...streams[0]!, name: "OTHER", subjects: ["x.>"] }],
      });
      const hub = await fleet.atHub("oslo", "OTHER");
      const theirs = { name: "EVENTS", subjects: ["theirs"], max_bytes: 1e6, max_msgs: 900, duplicate_window: 120e9 };
      await hub.createStream({ ...theirs, metadata: { team: "a" } } as unknown as StreamConfig);
      await fleet.up(MERGED);
      assert.deepEqual([fleet.problemsOf("oslo"), fleet.problemsOf("bergen")], [[], []]);
      const config = async () => (await hub.stream("EVENTS"))!.config as unknown as Record<string, unknown>;
      const { max_msgs, metadata, duplicate_window, subjects } = await config();
      assert.deepEqual([max_msgs, (metadata as { team: string }).team], [900, "a"]);
      assert.deepEqual([duplicate_window, subjects], [undefined, undefined]);
      assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
      for (const site of ["oslo", "bergen"]) {
        const js = (await fleet.application(site)).jetstream();
        for (let i = 0; i < 10; i++) await js.publish("events.a", site, { msgID: `id-${i}` });
      }
      const count = async () => (await hub.stream("EVENTS"))!.state.messages;
      await until("the hub has those of both", async () => (await count()) >= 20);
      assert.equal(await count(), 20);

      await hub.updateStream({ ...(await hub.stream("EVENTS"))!.config, max_msgs: 25 } as unknown as StreamConfig);
      assert.match((await fleet.preview()).reports.join(), /max_msgs is 25, declared 900/);
      await fleet.up();
      assert.equal((await config()).max_msgs, 900);
      assert.equal(await count(), 20);
    });

    it("before it was noted what it had, is left as it is", async () => {
      await using fleet = await TestFleet.deploy(FLEET);
      const [stream] = fleet.settings.streams;
      const js = await fleet.atSite("oslo");
      await edit(js, { max_msgs: 900 });
      const adopted: RawSettings = {
        streams: [
          {
            name: "EVENTS",
            subjects: stream!.subjects,
            maxBytes: "32MiB",
            adopt: true,
            collect: { maxBytes: "32MiB" },
          },
        ],
      };
      await fleet.up(adopted);
      assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
      assert.equal(((await js.stream("EVENTS"))!.config as unknown as { max_msgs: number }).max_msgs, 900);
    });
  });
});
