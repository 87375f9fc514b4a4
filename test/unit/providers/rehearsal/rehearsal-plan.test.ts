import assert from "node:assert/strict";
import { RawSettings } from "../../../../configs/settings";
import { deployedBefore, onLoopback, planRehearsal } from "../../../../providers/rehearsal/rehearsal-plan";
import { newSeed, settingsOf } from "../../../support/rules/settings";
import { withEnvironment } from "../temp-folder";

const STREAM = { name: "EVENTS", subjects: ["events.>"] };
const fleet = (raw: RawSettings = {}) =>
  settingsOf({ sites: [{ name: "oslo" }, { name: "bergen" }], streams: [STREAM], ...raw });
const chosen = (olds: RawSettings | undefined, news: RawSettings): string[] | undefined =>
  planRehearsal(olds === undefined ? undefined : fleet(olds), fleet(news))?.chosen;
const names = (...all: string[]) => all.map((name) => ({ name }));

describe("what is rehearsed", () => {
  withEnvironment(() => ({ NATS_HUB_LEAF_AWAY: undefined }));

  it("is all of a new fleet of two sites", () => {
    assert.deepEqual(chosen(undefined, {}), ["oslo", "bergen"]);
  });

  it("is at most three sites of a large one, and how many there are", () => {
    const plan = planRehearsal(undefined, fleet({ sites: names("a", "b", "c", "d", "e") }));
    assert.deepEqual(plan?.chosen, ["a", "b", "c"]);
    assert.equal(plan.concerned, 5);
  });

  it("is one site of each kind before a second of any", () => {
    const sites = [...names("a", "b", "c"), { name: "d", quota: "3GiB" }, { name: "e", maxPayload: "512KiB" }];
    assert.deepEqual(chosen(undefined, { sites }), ["a", "d", "e"]);
  });

  it("is only the site that is new", () => {
    assert.deepEqual(chosen({}, { sites: names("oslo", "bergen", "tromso") }), ["tromso"]);
  });

  it("is only the site that changes", () => {
    assert.deepEqual(chosen({}, { sites: [{ name: "oslo" }, { name: "bergen", quota: "3GiB" }] }), ["bergen"]);
  });

  it("is every site when the hub changes", () => {
    assert.deepEqual(chosen({}, { hub: { maxPayload: "2MiB" } }), ["oslo", "bergen"]);
  });

  it("is every site when a stream changes", () => {
    assert.deepEqual(chosen({}, { streams: [{ ...STREAM, maxAge: "7d" }] }), ["oslo", "bergen"]);
  });

  const NOTHING: Record<string, [RawSettings, RawSettings]> = {
    "nothing changes": [{}, {}],
    "a site leaves": [{}, { sites: names("oslo") }],
    "ports change": [
      {},
      { hub: { ports: { client: 4222 } }, sites: [{ name: "oslo", ports: { client: 4223 } }, { name: "bergen" }] },
    ],
    "addresses change": [{}, { hub: { host: "0.0.0.0", address: "hub.example" } }],
    "a link key is rotated": [{}, { sites: [{ name: "oslo", rotation: 1 }, { name: "bergen" }] }],
    "a site comes online": [{ sites: [{ name: "oslo", expect: "offline" }, { name: "bergen" }] }, {}],
    "given keys change": [{}, { keys: { oslo: { link: newSeed() } } }],
    "only the setting itself changes": [{}, { rehearsal: "required" }],
    "there is no site": [{ sites: names("oslo") }, { sites: [] }],
  };
  for (const [what, [olds, news]] of Object.entries(NOTHING)) {
    it(`is nothing when ${what}`, () => assert.equal(chosen(olds, news), undefined));
  }

  it("is no site whose machine is away", () => {
    process.env.NATS_HUB_LEAF_AWAY = "oslo";
    assert.deepEqual(chosen(undefined, {}), ["bergen"]);
  });

  it("never has a given key, nor the folder of given certificates", () => {
    const seed = newSeed();
    const plan = onLoopback(fleet({ keys: { oslo: { link: seed } }, links: { tls: "given", certificates: "pki" } }));
    assert.deepEqual(plan.keys, {});
    assert.deepEqual(plan.links, { tls: "generated", validity: 0, renewBefore: 0 });
    assert.doesNotMatch(JSON.stringify(plan), new RegExp(`${seed}|pki`));
  });

  it("runs on loopback, as processes, with ports of its own", () => {
    const plan = onLoopback(
      fleet({
        runtime: "docker",
        hub: { host: "0.0.0.0", address: "hub.example", engine: "ssh://a@hub.example", ports: { client: 4222 } },
        sites: [{ name: "oslo", host: "0.0.0.0", engine: "ssh://a@oslo.example", hubAddress: "hub.example:7422" }],
      }),
    );
    assert.equal(plan.runtime, "process");
    assert.doesNotMatch(JSON.stringify(plan), /0\.0\.0\.0|example|4222|7422/);
    assert.deepEqual([plan.hub.host, plan.sites[0]?.host], ["127.0.0.1", "127.0.0.1"]);
  });

  it("waits no longer than 10 s for probes, and less where less is declared", () => {
    assert.equal(onLoopback(fleet()).probes.timeout, 10_000);
    assert.equal(onLoopback(fleet({ probes: { timeout: "2s" } })).probes.timeout, 2_000);
  });

  describe("starts from what is deployed", () => {
    const before = (change: object): string[] | undefined => {
      const plan = planRehearsal(fleet(), fleet({ streams: [{ ...STREAM, ...change }] }));
      assert.ok(plan !== undefined);
      return deployedBefore(plan)?.streams.map(({ name }) => name);
    };

    it("with a stream that JetStream can change", () => assert.deepEqual(before({ maxAge: "7d" }), ["EVENTS"]));
    it("without one that somebody must remove first: at the site", () =>
      assert.deepEqual(before({ storage: "memory" }), []));
    it("without one that somebody must remove first: on the hub", () =>
      assert.deepEqual(before({ collect: { storage: "memory" } }), []));
    it("with one that is another stream in another mode", () =>
      assert.deepEqual(before({ storage: "memory", collect: { mode: "merged" } }), ["EVENTS"]));
  });
});
