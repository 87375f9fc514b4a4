import assert from "node:assert/strict";
import { ErrorCode, NatsConnection, NatsError } from "nats";
import { RawSettings } from "../../configs/settings";
import { markUnproven } from "../../fleet/observation/unproven";
import { JetStream } from "../../servers/nats/jetstream";
import { leafLogin } from "../support/stacks/leaf-login";
import { TestFleet } from "../support/fleets/fleet";
import { MOST_SILENCE_MS } from "../support/stacks/traffic";
import { collectedMessages, collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { leaveProbe } from "../support/fleets/probes";
import { newSeed } from "../support/rules/settings";
import { until } from "../support/until";

/** The good case: what the sites publish is on the hub, once, and nobody gets at what is not his. */
describe("sourcing", function () {
  this.timeout(120_000);

  const LIMITS = { maxBytes: "32MiB", collect: { maxBytes: "32MiB" } } satisfies Partial<
    NonNullable<RawSettings["streams"]>[number]
  >;
  const PER_SITE = { name: "EVENTS", subjects: ["events.>", "a.*.b"], ...LIMITS };
  const MERGED = {
    ...PER_SITE,
    name: "ALARMS",
    subjects: ["alarms.>", "c.*.d"],
    collect: { mode: "merged" as const, maxBytes: "32MiB" },
  };

  /** Every probe of the fleet, at a site and on the hub, by stream. */
  async function probesIn(js: JetStream, stream: string): Promise<Record<string, number>> {
    const [own, merged] = await Promise.all([js.subjects(stream, "_probe.>"), js.subjects(stream, "*._probe.>")]);
    return { ...own, ...merged };
  }

  it("is not proven where what the hub has of an offline site is not all there", async () => {
    const sites = [{ name: "oslo" }, { name: "bergen", expect: "offline" as const }];
    await using fleet = await TestFleet.deploy({ sites, streams: [PER_SITE] });
    markUnproven(fleet.root, "bergen", { streams: "nobody answers" });
    await assert.rejects(fleet.prove(), /1 of 2 sites are not proven\nsite bergen: .*\n.*nobody answers/);
    markUnproven(fleet.root, "bergen", { streams: "" });
    assert.deepEqual(
      (await fleet.prove()).map(({ site, status }) => `${site} ${status}`),
      ["oslo proven", "bergen pending"],
    );
  });

  describe("in both modes", () => {
    let fleet: TestFleet;
    before(async () => (fleet = await TestFleet.deploy({ streams: [PER_SITE, MERGED] })));
    after(() => fleet.stop());

    it("is proven for every stream of every site, each probe counted once", async () => {
      const rows = await fleet.prove();
      assert.deepEqual(
        rows.map(({ site, account, stream, collected, messages, status }) =>
          [site, account, stream, collected, messages, status].join(" "),
        ),
        [
          "oslo OSLO EVENTS OSLO/EVENTS 28 proven",
          "oslo OSLO ALARMS_OSLO HUB/ALARMS 28 proven",
          "bergen BERGEN EVENTS BERGEN/EVENTS 28 proven",
          "bergen BERGEN ALARMS_BERGEN HUB/ALARMS 28 proven",
        ],
      );
      assert.ok(rows.every(({ latencyMs }) => latencyMs > 0));
    });

    it("leaves no probe at either end", async () => {
      await fleet.prove();
      for (const site of ["oslo", "bergen"]) {
        const account = site.toUpperCase();
        assert.deepEqual(await probesIn(await fleet.atSite(site), "EVENTS"), {});
        assert.deepEqual(await probesIn(await fleet.atSite(site), `ALARMS_${account}`), {});
        assert.deepEqual(await probesIn(await fleet.atHub(site), "EVENTS"), {});
      }
      assert.deepEqual(await probesIn(await fleet.atHub("oslo", "ALARMS"), "ALARMS"), {});
    });

    it("removes what a killed run left behind, and nothing else", async () => {
      const operator = await fleet.connect(fleet.site("oslo"), "operator");
      for (const stream of ["EVENTS", "ALARMS"])
        await leaveProbe(fleet, operator, { site: "oslo", stream, runId: "killed" });
      await publishAll(await fleet.application("oslo"), "events.kept", ["kept"]);
      const hubs = [await fleet.atHub("oslo"), await fleet.atHub("oslo", "ALARMS")] as const;
      await until("the leftovers are on the hub", async () => {
        const [own, merged] = [await probesIn(hubs[0], "EVENTS"), await probesIn(hubs[1], "ALARMS")];
        return own["_probe.EVENTS.killed"] === 1 && merged["oslo._probe.ALARMS_OSLO.killed"] === 1;
      });
      await fleet.repair();
      await fleet.prove();
      assert.deepEqual(await probesIn(hubs[0], "EVENTS"), {});
      assert.deepEqual(await probesIn(hubs[1], "ALARMS"), {});
      assert.deepEqual(await probesIn(await fleet.atSite("oslo"), "EVENTS"), {});
      assert.deepEqual(await collectedTexts(fleet, "oslo", "events.kept"), ["kept"]);
    });

    it("brings all that an application publishes to the hub, in order, under its own subject", async () => {
      const texts = textsFrom(1, 200);
      await publishAll(await fleet.application("oslo"), "events.count", texts);
      await publishAll(await fleet.application("oslo"), "a.x.b", ["wildcard"]);
      await until("all are there", async () => (await collectedTexts(fleet, "oslo", "a.x.b")).length === 1);
      assert.deepEqual(await collectedTexts(fleet, "oslo", "events.count"), texts);
    });

    it("prefixes every subject with the site in a merged stream, where the sites share the subjects", async () => {
      const texts = textsFrom(1, 200);
      for (const site of ["oslo", "bergen"]) {
        await publishAll(await fleet.application(site), "alarms.count", texts);
        await publishAll(await fleet.application(site), "c.x.d", [site]);
      }
      const reader = await fleet.connect(fleet.hub, "reader");
      const counts = { "oslo.alarms.count": 200, "bergen.alarms.count": 200, "oslo.c.x.d": 1, "bergen.c.x.d": 1 };
      const js = await fleet.atHub("oslo", "ALARMS");
      await until("all are there", async () => {
        const all = await js.subjects("ALARMS", ">");
        return Object.entries(counts).every(([subject, count]) => (all[subject] ?? 0) >= count);
      });
      assert.deepEqual(await js.subjects("ALARMS", ">"), counts, "nothing stands there under a raw subject");
      const read = await collectedMessages(reader, "ALARMS", "oslo.alarms.count");
      assert.deepEqual(
        read.map(({ text }) => text),
        texts,
      );
    });

    describe("nobody changes what the program owns:", () => {
      const refused = async (client: NatsConnection, subject: string, body: object = {}): Promise<void> => {
        const before = (await fleet.collected("oslo")).config;
        await assert.rejects(
          client.request(subject, JSON.stringify(body), { timeout: 300 }),
          (error) =>
            error instanceof NatsError &&
            [ErrorCode.PermissionsViolation, ErrorCode.Timeout].some((code) => error.code === code),
        );
        assert.deepEqual((await fleet.collected("oslo")).config, before);
      };

      for (const api of ["$JS.API", "$JS.oslo.API"]) {
        for (const operation of ["DELETE", "PURGE", "UPDATE", "MSG.DELETE"]) {
          it(`an application may not send ${api}.STREAM.${operation} for the site's stream`, async () => {
            const before = (await (await fleet.atSite("oslo")).stream("EVENTS"))!.state;
            await refused(await fleet.application("oslo"), `${api}.STREAM.${operation}.EVENTS`, { seq: 1 });
            assert.deepEqual((await (await fleet.atSite("oslo")).stream("EVENTS"))!.state, before);
          });
        }
      }

      it("an application may make streams of its own", async () => {
        const manager = await (await fleet.application("oslo")).jetstreamManager();
        await manager.streams.add({ name: "OWN", subjects: ["own.>"], max_bytes: 1e6 });
        await manager.streams.delete("OWN");
      });

      for (const operation of ["DELETE", "PURGE", "UPDATE", "MSG.DELETE"]) {
        it(`a reader may not send STREAM.${operation} for the hub's stream`, async () => {
          await refused(await fleet.onHub("oslo", "reader"), `$JS.API.STREAM.${operation}.EVENTS`, { seq: 1 });
        });
      }

      it("a reader may not publish", async () => {
        const reader = await fleet.onHub("oslo", "reader");
        const denied = (async () => {
          for await (const status of reader.status()) if (status.data === ErrorCode.PermissionsViolation) return true;
          return false;
        })();
        reader.publish("events.forged", "");
        assert.equal(await denied, true);
      });

      it("a reader reads what the hub collected", async () => {
        assert.equal((await collectedTexts(fleet, "oslo", "events.count")).length, 200);
      });
    });

    it("lets no link key in at the hub's client port", async () => {
      await assert.rejects(
        fleet.connect({ ...fleet.site("oslo"), url: fleet.hub.url }, "link"),
        (error) => error instanceof NatsError && error.code === ErrorCode.AuthorizationViolation,
      );
    });
  });

  describe("while the fleet changes", () => {
    /** Publishes numbered messages one after the other until it is told to stop. */
    async function publishDuring(client: NatsConnection, work: () => Promise<void>): Promise<string[]> {
      const acknowledged: string[] = [];
      let isDone = false;
      const publishing = (async () => {
        const js = client.jetstream();
        for (let i = 1; !isDone; i++) {
          await js.publish("events.during", `m${i}`);
          acknowledged.push(`m${i}`);
        }
      })();
      try {
        await work();
      } finally {
        isDone = true;
        await publishing;
      }
      assert.ok(acknowledged.length > 10, "nothing was published meanwhile");
      return acknowledged;
    }

    const onHub = async (fleet: TestFleet, site: string): Promise<string[]> => {
      const messages = await collectedMessages(
        await fleet.connect(fleet.hub, "reader"),
        "EVENTS",
        `${site}.events.during`,
      );
      return messages.map(({ text }) => text);
    };

    const arrive = async (fleet: TestFleet, site: string, texts: readonly string[]): Promise<void> => {
      const found = await until(`${texts.length} messages are on the hub`, async () => {
        const here = await collectedTexts(fleet, site, "events.during");
        return here.length >= texts.length && here;
      });
      assert.deepEqual(found, texts);
    };

    it("adding and removing a site touches neither the hub's process nor another link, and no source falls silent", async () => {
      await using fleet = await TestFleet.deploy();
      const before = { hub: (await fleet.status(fleet.hub)).server_id, links: await fleet.links("oslo") };
      const silences: number[] = [];
      let isDone = false;
      const watching = (async () => {
        while (!isDone) {
          const [source] = (await fleet.collected("oslo")).sources ?? [];
          silences.push((source?.active ?? -1) / 1e6);
        }
      })();
      const texts = await publishDuring(await fleet.application("oslo"), async () => {
        await fleet.up({ sites: [{ name: "oslo" }, { name: "bergen" }, { name: "trondheim" }] });
        await fleet.prove();
        await fleet.up({ sites: [{ name: "oslo" }, { name: "trondheim" }] });
      });
      isDone = true;
      await watching;
      const [link] = await fleet.links("oslo");
      assert.equal(link?.id, before.links[0]?.id, "the link of oslo is the same");
      assert.equal((await fleet.status(fleet.hub)).server_id, before.hub, "the hub was not restarted");
      assert.deepEqual(await fleet.links("bergen"), []);
      assert.ok(
        Math.min(...silences) >= 0 && Math.max(...silences) < MOST_SILENCE_MS,
        `silent for ${Math.max(...silences)} ms`,
      );
      await arrive(fleet, "oslo", texts);
    });

    it("a merged stream added to a fleet that runs is proven: live links get the permissions for it", async () => {
      await using fleet = await TestFleet.deploy({ streams: [PER_SITE] });
      await fleet.up({ streams: [PER_SITE, MERGED] });
      assert.deepEqual(
        (await fleet.prove()).map(({ collected }) => collected),
        ["OSLO/EVENTS", "HUB/ALARMS", "BERGEN/EVENTS", "HUB/ALARMS"],
      );
    });

    it("other subjects of a merged stream lose nothing that is published meanwhile, and double nothing", async () => {
      const events = (...subjects: string[]): RawSettings["streams"] => [{ ...MERGED, name: "EVENTS", subjects }];
      await using fleet = await TestFleet.deploy({ streams: events("events.*", "old.>") });
      await fleet.prove();
      const bergen = await fleet.application("bergen");
      const texts = await publishDuring(await fleet.application("oslo"), async () => {
        const others = await publishDuring(bergen, () => fleet.up({ streams: events("new.>", "events.*") }));
        await until("bergen's are on the hub", async () => (await onHub(fleet, "bergen")).length >= others.length);
        assert.deepEqual(await onHub(fleet, "bergen"), others);
      });
      await until("oslo's are on the hub", async () => (await onHub(fleet, "oslo")).length >= texts.length);
      assert.deepEqual(await onHub(fleet, "oslo"), texts);
      await publishAll(bergen, "new.a", ["taken"]);
      await fleet.prove();
    });

    it("a rotation loses nothing that is published meanwhile, and the old key is refused afterwards", async () => {
      await using fleet = await TestFleet.deploy();
      await fleet.prove();
      const old = fleet.site("oslo");
      const texts = await publishDuring(await fleet.application("oslo"), () =>
        fleet.up({ sites: [{ name: "oslo", rotation: 1 }, { name: "bergen" }] }),
      );
      assert.notEqual(fleet.site("oslo").keys.link, old.keys.link);
      await arrive(fleet, "oslo", texts);
      await until("the site is linked", async () => (await fleet.links("oslo")).length === 1);
      assert.equal(await leafLogin(fleet.leafUrl, old.seeds.link), "refused");
      assert.equal(
        await leafLogin(fleet.leafUrl, fleet.site("oslo").seeds.link),
        "accepted",
        "the refusal was of the key",
      );
      await fleet.prove();
    });

    it("another link key and another operator, given at once, both count, whichever key comes first", async () => {
      const [one, other] = [newSeed(), newSeed()];
      const given = (link: string): RawSettings => ({ keys: { oslo: { link, operator: newSeed() } } });
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }], ...given(one) });
      for (const link of [other, one]) {
        await fleet.up(given(link));
        assert.deepEqual(fleet.problemsOf("oslo"), []);
        await fleet.prove();
      }
    });
  });

  describe("through a probe stream beside the real one", () => {
    it("when a consumer reads all subjects, which then gets no probe", async () => {
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
      const application = await fleet.application("oslo");
      const manager = await application.jetstreamManager();
      await manager.consumers.add("EVENTS", { durable_name: "all" });
      await publishAll(application, "events.a", textsFrom(1, 10));
      const [row] = await fleet.prove();
      assert.equal(row?.status, "proven");
      assert.equal(row.messages, 28);
      const itsOwn = "the stream's own source is at 10, and nothing waits";
      assert.equal(row.note, `through a probe stream: consumer all at the site reads all subjects; ${itsOwn}`);
      assert.equal((await manager.consumers.info("EVENTS", "all")).num_pending, 10);
      assert.equal((await manager.streams.info("EVENTS")).state.last_seq, 10, "no probe was stored");
      assert.equal(await (await fleet.atSite("oslo")).stream("EVENTS_PROBE"), undefined);
      assert.equal(await (await fleet.atHub("oslo")).stream("EVENTS_PROBE"), undefined);
    });

    it("unless somebody else's stream has its name, which stays as it is", async () => {
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
      const manager = await (await fleet.application("oslo")).jetstreamManager();
      await manager.consumers.add("EVENTS", { durable_name: "all" });
      await manager.streams.add({ name: "EVENTS_PROBE", subjects: ["mine.>"], max_bytes: 1e6 });
      await publishAll(await fleet.application("oslo"), "mine.a", textsFrom(1, 3));
      await assert.rejects(fleet.prove(), /stream EVENTS_PROBE at the site was not made by this stack, .* rename it/);
      assert.equal((await manager.streams.info("EVENTS_PROBE")).state.messages, 3);
    });

    it("when the stream is nearly full, whose messages all stay", async () => {
      const small = { ...PER_SITE, maxBytes: "1MiB", collect: { maxBytes: "4MiB" } };
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }], streams: [small] });
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 10));
      await until("all are there", async () => (await fleet.collected("oslo")).state.messages === 10);
      const [row] = await fleet.prove();
      assert.match(row?.note ?? "", /^through a probe stream: the stream at the site is nearly full/);
      assert.equal(row?.messages, 28);
      assert.equal((await (await fleet.atSite("oslo")).stream("EVENTS"))?.state.messages, 10);
      assert.equal((await fleet.collected("oslo")).state.last_seq, 10);
    });

    it("in a merged stream too", async () => {
      await using fleet = await TestFleet.deploy({ streams: [MERGED] });
      const manager = await (await fleet.application("oslo")).jetstreamManager();
      await manager.consumers.add("ALARMS_OSLO", { durable_name: "all" });
      const [row, other] = await fleet.prove();
      assert.equal(row?.note, "through a probe stream: consumer all at the site reads all subjects");
      assert.equal(row.messages, 28);
      assert.equal(other?.note, "");
      assert.equal(await (await fleet.atHub("oslo", "ALARMS")).stream("ALARMS_OSLO_PROBE"), undefined);
    });
  });
});
