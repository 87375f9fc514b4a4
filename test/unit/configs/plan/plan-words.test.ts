import assert from "node:assert/strict";
import { FleetPlan, PlanContext } from "../../../../configs/plan/fleet-plan";
import { planFleet } from "../../../../configs/plan/plan-fleet";
import { planHub } from "../../../../configs/plan/plan-hub";
import { declareHub, declareHubLink } from "../../../../configs/plan/declare";
import { planWords } from "../../../../configs/plan/plan-words";
import { RawSettings } from "../../../../configs/settings";
import { newSeed, settingsOf } from "../../../support/rules/settings";

const CONTEXT: PlanContext = { stack: "lab", passphrase: "set", keysAreHidden: false, notes: [] };
const EVENTS = { name: "EVENTS", subjects: ["events.>"] };

const planned = (raw: RawSettings, context: Partial<PlanContext> = {}): FleetPlan =>
  planFleet(settingsOf(raw), { ...CONTEXT, ...context });
const words = (raw: RawSettings, context: Partial<PlanContext> = {}): string => planWords(planned(raw, context));
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `site-${i + 1}` }));
const section = (text: string, title: string): string =>
  text.split("\n\n").find((part) => part.startsWith(`${title}\n`)) ?? "";

describe("the plan of a fleet", () => {
  it("has a site's names, its link and both ends of its streams", () => {
    const { sites } = planned({ sites: [{ name: "oslo-2" }], streams: [{ ...EVENTS, collect: { mode: "merged" } }] });
    const { domain, link, share } = sites[0]!;
    assert.deepEqual([domain, share.account], ["oslo-2", "OSLO_2"]);
    assert.deepEqual(link, {
      dials: "nats-leaf://127.0.0.1:<allocated>",
      security: "loopback",
      key: "generated",
      rotation: 0,
      reconnect: 100,
    });
    const { site, hub } = share.streams[0]!;
    assert.deepEqual([site.name, site.max_bytes], ["EVENTS_OSLO_2", 512 * 2 ** 20]);
    assert.deepEqual([hub.account, hub.stream.name, hub.subjects], ["HUB", "EVENTS", ["oslo-2.events.>"]]);
    assert.deepEqual([hub.source.name, hub.source.external.api], ["EVENTS_OSLO_2", "$JS.oslo-2.API"]);
  });

  for (const mode of ["perSite", "merged"] as const) {
    it(`lets a link key do what the hub's configuration does, in ${mode} mode`, () => {
      const raw: RawSettings = { sites: [{ name: "oslo" }], streams: [{ ...EVENTS, collect: { mode } }] };
      const settings = settingsOf(raw);
      const hub = declareHub(
        settings,
        { system: "S", operator: "O", reader: "R" },
        { client: 1, leafnodes: 2, monitor: 3 },
      );
      const link = declareHubLink(settings, settings.sites[0]!, { link: "L", operator: "O", reader: "R" });
      const user = planHub(hub, [link], { store: "/store" }).accounts.OSLO?.users.find(({ nkey }) => nkey === "L");
      const { linkKeyMay, storesOnHub } = planned(raw).sites[0]!.share;
      assert.deepEqual(linkKeyMay, {
        publish: user?.permissions?.publish?.allow,
        subscribe: user?.permissions?.subscribe?.allow,
      });
      assert.deepEqual(storesOnHub, link.limits);
    });
  }

  it("knows the fixed ports of another machine, and where a site dials", () => {
    const { hub, sites } = planned({
      hub: { runtime: "docker", engine: "ssh://a", host: "0.0.0.0", address: "192.0.2.1" },
      sites: [
        { name: "oslo" },
        { name: "bergen", runtime: "docker", engine: "ssh://a", address: "192.0.2.1", ports: { client: 4223 } },
      ],
    });
    assert.deepEqual(hub.listens, { clients: "0.0.0.0:4222", leafLinks: "0.0.0.0:7422" });
    assert.deepEqual(
      sites.map(({ link }) => [link.dials, link.security]),
      [
        ["nats-leaf://192.0.2.1:7422", "plain"],
        ["nats-leaf://hub:7422", "bridge"],
      ],
    );
  });

  it("names the servers of a hub of several, and how many copies its streams have", () => {
    const several = planned({ hub: { servers: 3 }, sites: [{ name: "oslo" }], streams: [EVENTS] });
    assert.deepEqual(several.hub.servers, ["hub-1", "hub-2", "hub-3"]);
    assert.match(planWords(several), /^ {2}servers +hub-1, hub-2, hub-3: each with a store/m);
    assert.match(planWords(several), /sources EVENTS of each site over .*, in 3 copies$/m);
    const one = planned({ sites: [{ name: "oslo" }], streams: [EVENTS] });
    assert.equal(one.hub.servers, undefined);
    assert.doesNotMatch(planWords(one), /copies|hub-1/);
  });

  it("says which links use TLS, and the names in the hub's certificate", () => {
    const { sites, links } = planned({ links: { tls: "generated" }, sites: [{ name: "oslo" }] });
    assert.deepEqual([sites[0]?.link.security, sites[0]?.link.dials], ["tls", "tls://127.0.0.1:<allocated>"]);
    assert.deepEqual(links.hubNames, ["127.0.0.1", "hub"]);
  });

  it("counts the burst of a first up in whole messages, for all streams of a link", () => {
    const { probes } = planned({
      sites: [{ name: "oslo" }],
      streams: [EVENTS, { name: "LOGS", subjects: ["logs.>"] }],
      probes: { burst: "250kB", burstMessage: "100kB" },
    });
    assert.deepEqual([probes.burstMessages, probes.bytesPerLink], [3, 600_000]);
  });

  it("shows which keys are given and which will be generated, and holds none", () => {
    const seed = newSeed();
    const plan = planned({ sites: [{ name: "oslo" }], keys: { oslo: { link: seed } } });
    assert.deepEqual([plan.sites[0]?.link.key, plan.sites[0]?.keys.operator], ["given", "generated"]);
    assert.equal(JSON.stringify(plan).includes(seed), false);
    assert.match(planWords(plan), /^ {2}link key of oslo: given\n {2}all others: generated$/m);
  });

  it("does not guess which keys are given when they are encrypted as one", () => {
    assert.match(
      words({ sites: [{ name: "oslo" }] }, { keysAreHidden: true }),
      /all: generated or given \(encrypted\)/,
    );
  });
});

describe("the words of a plan", () => {
  it("show few sites one by one, and more than three equal ones in one row", () => {
    assert.match(section(words({ sites: many(3) }), "sites"), /site-1 +SITE_1\n +site-2 +SITE_2\n +site-3 +SITE_3$/);
    assert.match(
      section(words({ sites: many(4) }), "sites"),
      /\n {2}4 sites like site-1 +SITE_1 …\n {2}4 sites like site-1:\n {4}site-1, site-2, site-3, site-4$/,
    );
  });

  for (const count of [2, 20, 200]) {
    it(`stay legible with ${count} sites, one of which differs`, () => {
      const [first, ...others] = many(count);
      const text = words({ sites: [{ ...first!, quota: "3GiB" }, ...others], streams: [EVENTS] });
      const lines = text.split("\n");
      assert.ok(lines.length < 90, `${lines.length} lines`);
      assert.ok(lines.every((line) => line.length < 130));
      for (const { name } of [first!, ...others]) assert.match(text, new RegExp(`\\b${name}\\b`));
      assert.match(section(text, "sites"), /^ {2}site, domain .*account +stores$/m);
    });
  }

  it("keep sites in their order, also those that are alike", () => {
    const sites = [{ name: "a" }, { name: "b", quota: "3GiB" }, { name: "c" }];
    assert.match(section(words({ sites }), "sites"), /\n {2}a .*\n {2}b .*\n {2}c /);
  });

  it("say what is in common once, and nothing that is not", () => {
    const text = words({ sites: [{ name: "a" }, { name: "b", reconnect: "1s", rotation: 2 }] });
    assert.match(section(text, "every site"), /\n {2}runs +process on this machine\n/);
    assert.doesNotMatch(section(text, "every site"), /reconnects|link key/);
    assert.match(text, /\n {2}b +every 1s +generated, rotation 2\n/);
  });

  it("are the same for the same settings", () => {
    const raw: RawSettings = { sites: many(20), streams: [EVENTS] };
    assert.equal(words(raw), words(structuredClone(raw)));
  });

  it("say that a fleet collects nothing, proves nothing, or waits", () => {
    assert.match(words({}), /a hub, 0 sites[\s\S]*streams\n {2}none[\s\S]*smoke test\n {2}nothing to prove$/);
    const offline = words({ sites: [{ name: "oslo", expect: "offline" }], streams: [EVENTS] });
    assert.match(offline, /nothing to prove\n\npending \(expect: offline\): .*\n {2}oslo$/);
  });

  it("show every subject of a stream as it arrives, a wildcard too", () => {
    const collect = { mode: "merged" as const };
    const streams = [{ name: "E", subjects: ["a.*.b", "c.>"], adopt: true, collect }];
    const text = section(words({ sites: [{ name: "oslo" }], streams }), "streams");
    for (const part of ["a.*.b", "c.>", "<site>.a.*.b", "<site>.c.>", "<SITE>/E_<SITE>", "HUB/E", "is taken over"]) {
      assert.ok(text.includes(part), part);
    }
  });

  it("show no seed, not even one that stands where it does not belong", () => {
    const seed = newSeed();
    assert.equal(words({ dataFolder: seed, hub: { host: seed } }, { notes: [seed] }).includes(seed.slice(2)), false);
  });
});
