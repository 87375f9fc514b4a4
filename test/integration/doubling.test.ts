import assert from "node:assert/strict";
import { RawSettings } from "../../configs/settings";
import { StreamConfig, StreamSource, siteApi } from "../../configs/streams";
import { Mode } from "../support/catalogue/catalogue";
import { Played } from "../support/book/played";
import { TestFleet } from "../support/fleets/fleet";
import { until } from "../support/until";
import { examined, siteIn } from "../support/fleets/watched";

/** What the program would have the hub store a second time is counted first, by ids here, and asked for. */
describe("messages that would come twice", function () {
  this.timeout(120_000);

  const streamIn = (mode: Mode): RawSettings => ({
    sites: [{ name: "oslo" }, { name: "bergen" }],
    streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode, maxBytes: "32MiB" } }],
    probes: { burst: "0B", timeout: "8s" },
  });

  async function deployed(mode: Mode): Promise<Played> {
    const fleet = await TestFleet.deploy(streamIn(mode));
    await fleet.prove();
    return new Played(fleet, mode);
  }

  const isOfOslo = ({ external }: StreamSource): boolean => external.api === siteApi("oslo");

  /** Edits oslo's source by hand. */
  async function alter(played: Played, change: Partial<StreamSource>): Promise<void> {
    const { config } = await played.fleet.collected("oslo");
    const sources = config.sources!.map((source) => (isOfOslo(source) ? { ...source, ...change } : source));
    await played.editOnHub({ sources });
  }

  const onHub = async (played: Played): Promise<number> =>
    (await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS")).length;

  const holds = (played: Played, count: number) =>
    until(`the hub holds ${count}`, async () => (await onHub(played)) >= count, 30_000);

  async function permitting<T>(sites: string, work: () => Promise<T>): Promise<T> {
    process.env.DOUBLE = sites;
    try {
      return await work();
    } finally {
      delete process.env.DOUBLE;
    }
  }

  const nextOf = async (played: Played, code: string): Promise<string | undefined> =>
    siteIn(await examined(played.fleet), "oslo").findings.find((finding) => finding.code === code)?.next;

  const doubledIn = async (played: Played): Promise<number> =>
    (siteIn(await examined(played.fleet), "oslo").findings ?? [])
      .filter(({ code }) => code === "messages-doubled")
      .reduce((sum, { cause }) => sum + Number(/^(\d+)/.exec(cause)?.[1]), 0);

  const ALTERED: Record<string, { mode: Mode; change: Partial<StreamSource>; where: string }> = {
    "another filter": { mode: "perSite", change: { filter_subject: "events.>" }, where: "OSLO/EVENTS" },
    "other transforms": {
      mode: "merged",
      change: { subject_transforms: [{ src: "events.>", dest: "oslo.events.>" }] },
      where: "HUB/EVENTS",
    },
    "no transforms": { mode: "merged", change: { subject_transforms: [] }, where: "HUB/EVENTS" },
  };

  for (const [what, { mode, change, where }] of Object.entries(ALTERED)) {
    it(`when a source with ${what} is put back, are counted by the preview, up and the doctor, and need DOUBLE`, async () => {
      const played = await deployed(mode);
      await using fleet = played.fleet;
      await played.publish("oslo", 50);
      await played.publish("bergen", 5);
      const others = mode === "merged" ? 5 : 0;
      await holds(played, 50 + others);
      await alter(played, change);
      await holds(played, 100 + others);
      await played.publish("oslo", 10);
      await holds(played, 110 + others);

      const words = `hub stream ${where} does not source ${played.streamAt("oslo")} as declared; once restored, the source stores 10 messages of the site a second time; allow that with DOUBLE=oslo`;
      const preview = await fleet.preview();
      assert.deepEqual(preview, { changes: ["oslo streams"], reports: [`site oslo: ${words}`] });
      await fleet.up();
      assert.deepEqual(fleet.problemsOf("oslo"), [words]);
      await permitting("bergen", () => fleet.up());
      assert.deepEqual(fleet.problemsOf("oslo"), [words]);
      assert.equal(await onHub(played), 110 + others);
      assert.match(
        (await nextOf(played, "source-altered")) ?? "",
        /^'DOUBLE=oslo make up' restores it, and .* 10 messages/,
      );
      assert.equal(await doubledIn(played), 50);

      await permitting("oslo", () => fleet.up());
      assert.deepEqual(fleet.problemsOf("oslo"), []);
      await holds(played, 120 + others);
      await played.publish("oslo", 3);
      await holds(played, 123 + others);
      assert.equal(await onHub(played), 123 + others);
      assert.deepEqual(await played.truth("oslo"), { gone: 0, doubled: 60 });
      assert.equal(await doubledIn(played), 60);
      assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
    });
  }

  it("are fewer when the site no longer holds them", async () => {
    const played = await deployed("perSite");
    await using fleet = played.fleet;
    await played.publish("oslo", 50);
    await holds(played, 50);
    await alter(played, { filter_subject: "events.>" });
    await holds(played, 100);
    await played.publish("oslo", 6);
    await played.publish("oslo", 4, { subject: "events.b" });
    await holds(played, 110);
    await (await fleet.atSite("oslo")).purge("EVENTS", "events.b");
    assert.match((await fleet.preview()).reports.join(), /stores 6 messages of the site a second time/);
    await permitting("oslo", () => fleet.up());
    await holds(played, 116);
    await played.publish("oslo", 1);
    await holds(played, 117);
    assert.equal(await onHub(played), 117);
  });

  it("are what the hub took and dropped again, when an altered source is put back", async () => {
    const played = await deployed("perSite");
    await using fleet = played.fleet;
    await played.publish("oslo", 50);
    await holds(played, 50);
    await alter(played, { filter_subject: "events.b" });
    await played.look();
    await (await fleet.atHub("oslo")).purge("EVENTS", ">");
    const asks = /stores at most 50 messages of the site a second time; allow that with DOUBLE=oslo/;
    assert.match((await fleet.preview()).reports.join(), asks);
    await fleet.up();
    assert.match(fleet.problemsOf("oslo").join(), asks);
    assert.equal(await onHub(played), 0);
    await permitting("oslo", () => fleet.up());
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    await holds(played, 50);
    await played.publish("oslo", 2);
    await holds(played, 52);
    assert.equal(await onHub(played), 52);
    assert.equal(await doubledIn(played), 50);
  });

  for (const mode of ["perSite", "merged"] as const) {
    it(`are none when a source was taken off and the hub dropped all: it goes on where the book says (${mode})`, async () => {
      const played = await deployed(mode);
      await using fleet = played.fleet;
      await played.publish("oslo", 50);
      await holds(played, 50);
      await played.look();
      const hub = await fleet.atHub("oslo");
      await hub.purge("EVENTS", ">");
      const { config } = await fleet.collected("oslo");
      await hub.updateStream({ ...config, sources: config.sources!.filter((source) => !isOfOslo(source)) });
      await played.publish("oslo", 10);
      assert.match((await fleet.preview()).reports.join(), /does not source EVENTS(_OSLO)?; up repairs it/);
      await fleet.up();
      assert.deepEqual(fleet.problemsOf("oslo"), []);
      await holds(played, 10);
      await played.publish("oslo", 2);
      await holds(played, 12);
      assert.equal(await onHub(played), 12);
      assert.equal(await doubledIn(played), 0);
      const [source] = (await fleet.collected("oslo")).config.sources!.filter(isOfOslo);
      assert.equal(source?.opt_start_seq, 1);
    });
  }

  it("are none when a source with another deliver prefix is put back, which needs no word", async () => {
    const played = await deployed("perSite");
    await using fleet = played.fleet;
    await played.publish("oslo", 50);
    await holds(played, 50);
    await alter(played, { external: { api: siteApi("oslo"), deliver: "_elsewhere" } });
    await fleet.up();
    assert.deepEqual(fleet.problemsOf("oslo"), []);
    await played.publish("oslo", 10);
    await holds(played, 60);
    assert.deepEqual(await played.truth("oslo"), { gone: 0, doubled: 0 });
  });

  it("are none when the altered source took nothing, which needs no word", async () => {
    const played = await deployed("perSite");
    await using fleet = played.fleet;
    await played.publish("oslo", 50);
    await holds(played, 50);
    await alter(played, { filter_subject: "events.b" });
    await played.publish("oslo", 10);
    assert.equal(await doubledIn(played), 0);
    assert.match((await fleet.preview()).reports.join(), /does not source EVENTS; up repairs it/);
    await fleet.up();
    await holds(played, 60);
    assert.deepEqual(await played.truth("oslo"), { gone: 0, doubled: 0 });
  });

  describe("are none, and need no word", () => {
    const CASES: Record<string, (fleet: TestFleet, mode: Mode) => Promise<void>> = {
      "where a stream is taken out of the settings and declared again": async (fleet, mode) => {
        await fleet.up({ streams: [] });
        await fleet.up(streamIn(mode));
      },
      "where collect.mode is changed and changed back": async (fleet, mode) => {
        await fleet.up(streamIn(mode === "merged" ? "perSite" : "merged"));
        await fleet.up(streamIn(mode));
      },
      "where the hub's stream was deleted by hand": async (fleet) => {
        await (await fleet.atHub("oslo")).deleteStream("EVENTS");
        await fleet.up();
      },
      "where the site's source was taken off by hand": async (fleet) => {
        const hub = await fleet.atHub("oslo");
        const { config } = await fleet.collected("oslo");
        await hub.updateStream({ ...config, sources: config.sources!.filter((source) => !isOfOslo(source)) });
        await fleet.up();
      },
      "where the hub's stream is made anew with REMAKE": async (fleet, mode) => {
        const hub = await fleet.atHub("oslo");
        const { config } = await fleet.collected("oslo");
        await hub.updateStream({ ...config, deny_purge: true } as StreamConfig);
        const key = mode === "merged" ? "hub/HUB/EVENTS" : "hub/OSLO/EVENTS";
        const said = `REMAKE=${key}: the 50 messages that it holds are lost, and the sites deliver again what they still hold`;
        assert.ok((await fleet.preview()).reports.join().includes(said));
        process.env.REMAKE = key;
        try {
          await fleet.up();
        } finally {
          delete process.env.REMAKE;
        }
      },
    };

    for (const mode of ["perSite", "merged"] as const) {
      for (const [what, change] of Object.entries(CASES)) {
        it(`${what} (${mode})`, async () => {
          const played = await deployed(mode);
          await using fleet = played.fleet;
          await played.publish("oslo", 50);
          await holds(played, 50);
          await played.look();
          await change(fleet, mode);
          assert.deepEqual(fleet.problemsOf("oslo"), []);
          await played.publish("oslo", 10);
          await holds(played, 60);
          await played.publish("oslo", 1);
          await holds(played, 61);
          assert.deepEqual(await played.truth("oslo"), { gone: 0, doubled: 0 });
          const told = siteIn(await examined(fleet), "oslo").findings.map(({ code }) => code);
          assert.deepEqual(
            told.filter((code) => code.startsWith("messages-")),
            [],
          );
        });
      }
    }
  });

  for (const mode of ["perSite", "merged"] as const) {
    it(`are counted when a hub stream of somebody else is adopted that has them from another source (${mode})`, async () => {
      const [stream] = streamIn(mode).streams!;
      const other = { ...stream!, name: "OTHER", subjects: ["x.>"] };
      await using fleet = await TestFleet.deploy({ ...streamIn(mode), streams: [other] });
      const name = mode === "merged" ? "EVENTS_OSLO" : "EVENTS";
      await (
        await fleet.atSite("oslo")
      ).createStream({ name, subjects: ["events.>"], max_bytes: 1e6 } as unknown as StreamConfig);
      const played = new Played(fleet, mode);
      await played.publish("oslo", 50);
      const hub = await fleet.atHub("oslo", "OTHER");
      const source = (await hub.stream("OTHER"))!.config.sources!.find(isOfOslo)!;
      const theirs = { ...source, name, subject_transforms: [{ src: "events.>", dest: "old.events.>" }] };
      await hub.createStream({ name: "EVENTS", max_bytes: 1e6, sources: [theirs] } as unknown as StreamConfig);
      await until("it has them", async () => (await hub.stream("EVENTS"))?.state.messages === 50, 20_000);

      const adopting = { ...streamIn(mode), streams: [{ ...stream!, adopt: true }] };
      const asks = /stores 50 messages of the site a second time; allow that with DOUBLE=oslo/;
      await assert.rejects(fleet.preview(adopting), asks);
      await assert.rejects(fleet.up(adopting), asks);
      assert.equal((await hub.stream("EVENTS"))?.state.messages, 50);
      await permitting("oslo", () => fleet.up());
      assert.deepEqual(fleet.problemsOf("oslo"), []);
      await holds(played, 100);
      await played.publish("oslo", 3);
      await holds(played, 103);
      assert.deepEqual([await onHub(played), await played.truth("oslo")], [103, { gone: 0, doubled: 50 }]);
    });
  }
});
