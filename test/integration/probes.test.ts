import assert from "node:assert/strict";
import { ErrorCode, NatsConnection, headers } from "nats";
import { RawSettings } from "../../configs/settings";
import { RULES, diagnose } from "../../diagnosis/diagnose";
import { JetStream } from "../../servers/nats/jetstream";
import { AccountLooks, endsOf } from "../../fleet/proof/ends";
import { observe } from "../../fleet/observation/observe";
import { proveStream } from "../../fleet/proof/probe";
import { Decision, StandInRoom, decide, demandOf } from "../../fleet/proof/room";
import { pauseSource } from "../support/catalogue/streams";
import { TestFleet } from "../support/fleets/fleet";
import { publishAll, textsFrom } from "../support/fleets/messages";
import { until } from "../support/until";
import { observedAt } from "../support/fleets/watched";

/** The program's own messages never cost a user's. Messages are counted by their texts, at both ends. */
describe("the smoke test's messages", function () {
  this.timeout(120_000);

  type Stream = NonNullable<RawSettings["streams"]>[number];
  const EVENTS: Stream = { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } };
  const merged = (maxBytes: string): Stream => ({ ...EVENTS, collect: { mode: "merged", maxBytes } });
  const sitesOf = (quota: string, ...names: string[]) => names.map((name) => ({ name, quota }));

  /** How each message of a stream begins, in order; the first word of a text is its id. */
  async function idsIn(js: JetStream, stream: string, filter = ">"): Promise<string[]> {
    const ids: string[] = [];
    for (let seq = 1; ;) {
      const message = await js.nextMessage(stream, filter, seq);
      if (message === undefined) return ids;
      ids.push(`${message.subject} ${Buffer.from(message.payload.subarray(0, 12)).toString().trim()}`);
      seq = message.seq + 1;
    }
  }

  const padded = (texts: readonly string[], bytes: number): string[] => texts.map((text) => text.padEnd(bytes, " "));

  describe("pass beside a stream that is nearly full, and its own source is looked at:", () => {
    const NEARLY_FULL = { streams: [{ ...EVENTS, collect: { maxBytes: "4MiB", discard: "new" } }] } as RawSettings;
    const fill = async (fleet: TestFleet) => {
      await publishAll(await fleet.application("oslo"), "events.a", padded(textsFrom(1, 34), 1e5));
      await until("it holds them", async () => (await fleet.collected("oslo")).state.messages === 34);
    };

    it("it stands where the site stands", async () => {
      await using fleet = await TestFleet.deploy(NEARLY_FULL);
      await fill(fleet);
      const [row] = await fleet.prove();
      assert.match(
        row?.note ?? "",
        /^through a probe stream: .*; the stream's own source is at 34, and nothing waits$/,
      );
    });

    it("it takes nothing of what waits, and nothing else shows that", async () => {
      await using fleet = await TestFleet.deploy(NEARLY_FULL);
      await fill(fleet);
      await pauseSource(fleet, "EVENTS");
      await publishAll(await fleet.application("oslo"), "events.a", ["waits"]);
      await assert.rejects(fleet.proveImpatiently(), /source-paused/);
      const job = {
        access: fleet.accessAt("oslo"),
        stack: fleet.stack,
        stream: fleet.stream("EVENTS"),
        publisher: await fleet.connect(fleet.site("oslo"), "operator"),
        settings: { ...fleet.settings.probes, timeout: 3_000 },
        runId: "beside",
        burst: false,
      };
      const ends = await endsOf(job.access, job.stream, observedAt(fleet, "oslo"), new AccountLooks());
      assert.ok(ends);
      const jobs = [{ key: "oslo/EVENTS", demand: demandOf(job.settings, false), ends }];
      const decision = { ...decide(jobs, 3_000).get("oslo/EVENTS"), why: "it is nearly full" } as Decision;
      const probe = await proveStream({ ...job, room: { decision, ends, standIns: new StandInRoom(jobs) } });
      const { real } = probe;
      assert.deepEqual([real?.waits, (real?.after ?? 0) - (real?.before ?? 0)], [true, 0]);
      const facts = await observe({ ...observedAt(fleet, "oslo"), probes: { EVENTS: probe } });
      const unpaused = { ...RULES, stream: RULES.stream.filter(({ code }) => code !== "source-paused") };
      assert.deepEqual(
        diagnose(facts, unpaused).map(({ code }) => code),
        ["source-at-rest"],
      );
    });
  });

  describe("have room kept for all sites together:", () => {
    it("the bursts of three sites push nothing out of a merged stream that holds 9 of its 12 MiB", async () => {
      const streams = [merged("12MiB")];
      await using fleet = await TestFleet.deploy({ sites: sitesOf("64MiB", "oslo", "bergen", "tromso"), streams });
      for (const site of ["oslo", "bergen", "tromso"])
        await publishAll(await fleet.application(site), "events.a", padded(textsFrom(1, 30), 1e5));
      const hub = await fleet.atHub("oslo");
      await until("all are delivered", async () => (await hub.stream("EVENTS"))?.state.messages === 90);
      const before = await idsIn(hub, "EVENTS");
      await fleet.prove();
      assert.deepEqual(await idsIn(hub, "EVENTS"), before);
      await fleet.up({ sites: sitesOf("96MiB", "oslo", "bergen", "tromso") });
      const rows = await fleet.prove();
      assert.deepEqual(await idsIn(hub, "EVENTS"), before);
      assert.deepEqual(
        rows.map(({ messages, note }) => [messages, note.slice(0, 23)]),
        [28, 28, 28].map((count) => [count, "through a probe stream:"]),
      );
    });
  });

  describe("are not confused with messages of others:", () => {
    let fleet: TestFleet;
    before(async () => (fleet = await TestFleet.deploy({ sites: sitesOf("64MiB", "oslo"), streams: [EVENTS] })));
    after(() => fleet.stop());

    const isRefused = async (client: NatsConnection, subject: string): Promise<boolean> => {
      const denied = (async () => {
        for await (const status of client.status()) if (status.data === ErrorCode.PermissionsViolation) return true;
        return false;
      })();
      client.publish(subject, "mine");
      await client.flush();
      return Promise.race([denied, new Promise<boolean>((resolve) => setTimeout(resolve, 500, false))]);
    };

    it("an application cannot publish where probes go", async () => {
      assert.equal(await isRefused(await fleet.application("oslo"), "_probe.EVENTS.mine"), true);
      assert.deepEqual(await idsIn(await fleet.atSite("oslo"), "EVENTS"), []);
    });

    it("what somebody published there stays at both ends, whatever headers it has, and is named", async () => {
      const [operator, site, hub] = [
        await fleet.connect(fleet.site("oslo"), "operator"),
        await fleet.atSite("oslo"),
        await fleet.atHub("oslo"),
      ];
      const forged = headers();
      for (const [name, value] of [
        ["Probe-Run", "mine"],
        ["Probe-Site", "oslo"],
        ["Probe-Number", "1"],
        ["Probe-Mark", "0".repeat(32)],
      ] as const)
        forged.set(name, value);
      await operator.jetstream().publish("_probe.EVENTS.mine", "m1");
      await operator.jetstream().publish("_probe.EVENTS.mine", "m2", { headers: forged });
      await until("both are on the hub", async () => (await hub.stream("EVENTS"))?.state.messages === 2);
      await fleet.repair();
      const rows = await fleet.prove();
      const kept = ["_probe.EVENTS.mine m1", "_probe.EVENTS.mine m2"];
      assert.deepEqual([await idsIn(site, "EVENTS"), await idsIn(hub, "EVENTS")], [kept, kept]);
      assert.match(rows[0]?.note ?? "", /2 messages on the probes' subjects .* are not from this program/);
    });
  });
});
