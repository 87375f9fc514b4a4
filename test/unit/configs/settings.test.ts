import assert from "node:assert/strict";
import { Problem } from "../../../configs/problem";
import { readSettings } from "../../../configs/reading/read-settings";
import { SETTING_NAMES } from "../../../configs/settings";
import { newSeed, settingsOf } from "../../support/rules/settings";

const problemsOf = (raw: unknown): Problem[] => readSettings(raw).problems;

describe("the settings", () => {
  it("of an empty stack config are a hub without sites", () => {
    assert.deepEqual(settingsOf({}), {
      runtime: "process",
      dataFolder: ".fleet",
      docker: { image: "nats:2.15.2", memory: 512 * 2 ** 20, cpus: 1, stopTimeout: 30_000 },
      hub: {
        name: "hub",
        host: "127.0.0.1",
        ports: {},
        maxFile: 10 * 2 ** 30,
        maxMemory: 256 * 2 ** 20,
        maxPayload: 2 ** 20,
        syncInterval: "always",
        logs: { sizeLimit: 16 * 2 ** 20, keep: 3 },
      },
      links: { tls: "off", validity: 365 * 86_400_000, renewBefore: 90 * 86_400_000 },
      sites: [],
      streams: [],
      smokeTest: "onChange",
      rehearsal: "onChange",
      probes: { count: 3, burst: 2_500_000, burstMessage: 100_000, timeout: 30_000 },
      protect: false,
      keys: {},
    });
  });

  it("of a site need no more than its name", () => {
    assert.deepEqual(settingsOf({ sites: [{ name: "oslo" }] }).sites, [
      {
        name: "oslo",
        expect: "online",
        host: "127.0.0.1",
        ports: {},
        reach: "direct",
        quota: 2 * 2 ** 30,
        maxPayload: 2 ** 20,
        rotation: 0,
        syncInterval: "always",
        reconnect: 100,
        logs: { sizeLimit: 16 * 2 ** 20, keep: 3 },
      },
    ]);
  });

  it("of a stream need no more than its name and subjects", () => {
    assert.deepEqual(settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"] }] }).streams, [
      {
        name: "EVENTS",
        subjects: ["events.>"],
        maxBytes: 512 * 2 ** 20,
        maxAge: 0,
        storage: "file",
        discard: "old",
        adopt: false,
        collect: {
          mode: "perSite",
          maxBytes: 2 ** 30,
          maxAge: 0,
          replicas: 1,
          discard: "old",
          storage: "file",
        },
      },
    ]);
  });

  it("keep what is given beside the defaults of its group", () => {
    const { hub } = settingsOf({ hub: { name: "centre", logs: { keep: 7 } } });
    assert.equal(hub.name, "centre");
    assert.deepEqual(hub.logs, { sizeLimit: 16 * 2 ** 20, keep: 7 });
  });

  it("turn sizes into bytes and durations into milliseconds", () => {
    const { sites } = settingsOf({ sites: [{ name: "oslo", quota: "1.5GiB", reconnect: "2s" }] });
    assert.equal(sites[0]!.quota, 1_610_612_736);
    assert.equal(sites[0]!.reconnect, 2000);
  });

  it("take a duration or 'always' for the sync interval", () => {
    assert.equal(settingsOf({ hub: { syncInterval: "always" } }).hub.syncInterval, "always");
    assert.equal(settingsOf({ hub: { syncInterval: "10s" } }).hub.syncInterval, 10_000);
  });

  it("have these names", () => {
    assert.deepEqual(SETTING_NAMES, [
      "runtime",
      "dataFolder",
      "natsServer",
      "docker",
      "hub",
      "links",
      "sites",
      "streams",
      "smokeTest",
      "rehearsal",
      "probes",
      "watch",
      "protect",
      "keys",
      "sitesFile",
      "state",
    ]);
  });
});

const SPELLING = "check the spelling against docs/settings.md, or remove it";
const SITE_NAME = "must be 1 to 31 lower-case letters, digits or '-', starting with a letter";
const STREAM_NAME = "must be 1 to 64 letters, digits, '_' or '-' (JetStream allows no dot or blank)";
const stream = (more: object): object => ({ streams: [{ name: "EVENTS", subjects: ["events.>"], ...more }] });

interface Mistake {
  readonly what: string;
  readonly raw: unknown;
  readonly says: Problem;
}
const MISTAKES: readonly Mistake[] = [
  {
    what: "a misspelt setting of the stack",
    raw: { stream: [] },
    says: { where: "stack config", problem: "'stream' is not a setting", cure: SPELLING },
  },
  {
    what: "a misspelt setting of the hub",
    raw: { hub: { maxfile: "1GiB" } },
    says: { where: "hub", problem: "'maxfile' is not a setting", cure: SPELLING },
  },
  {
    what: "a misspelt setting deep in a site",
    raw: { sites: [{ name: "oslo" }, { name: "bergen", logs: { size: "1MiB" } }] },
    says: { where: "sites[1].logs", problem: "'size' is not a setting", cure: SPELLING },
  },
  {
    what: "credentials for a site: there is no field that could take a seed in their place",
    raw: { sites: [{ name: "oslo", credentials: "/etc/oslo.creds" }] },
    says: { where: "sites[0]", problem: "'credentials' is not a setting", cure: SPELLING },
  },
  {
    what: "no_auth_user",
    raw: { hub: { no_auth_user: "anonymous" } },
    says: { where: "hub", problem: "'no_auth_user' is not a setting", cure: SPELLING },
  },
  {
    what: "a site without a name",
    raw: { sites: [{}] },
    says: { where: "sites[0].name", problem: "is missing", cure: "give it (string)" },
  },
  {
    what: "a stream without subjects",
    raw: { streams: [{ name: "EVENTS" }] },
    says: { where: "streams[0].subjects", problem: "is missing", cure: "give it (array)" },
  },
  {
    what: "a stream with an empty list of subjects",
    raw: stream({ subjects: [] }),
    says: { where: "streams[0].subjects", problem: "[] is too small", cure: "use 1 or more" },
  },
  {
    what: "a number where text belongs",
    raw: { sites: [{ name: 7 }] },
    says: { where: "sites[0].name", problem: "is number, not string", cure: "write a value of type string" },
  },
  {
    what: "text where a number belongs",
    raw: { hub: { ports: { client: "4222" } } },
    says: { where: "hub.ports.client", problem: "is string, not number", cure: "write a value of type number" },
  },
  {
    what: "a group where a list belongs",
    raw: { sites: { oslo: {} } },
    says: { where: "sites", problem: "is a group of settings, not array", cure: "write a value of type array" },
  },
  {
    what: "a list where a group belongs",
    raw: { hub: [] },
    says: { where: "hub", problem: "is a list, not object", cure: "write a value of type object" },
  },
  {
    what: "nothing where a group belongs",
    raw: { hub: null },
    says: { where: "hub", problem: "is empty, not object", cure: "write a value of type object" },
  },
  {
    what: "a size without a unit",
    raw: stream({ maxBytes: "512" }),
    says: {
      where: "streams[0].maxBytes",
      problem: `'512' is not a size: write it like "256MiB"`,
      cure: "see docs/settings.md",
    },
  },
  {
    what: "a duration with the unit of a size",
    raw: { probes: { timeout: "30MiB" } },
    says: {
      where: "probes.timeout",
      problem: `'30MiB' is not a duration: write it like "30s"`,
      cure: "see docs/settings.md",
    },
  },
  {
    what: "a sync interval that is neither 'always' nor a duration",
    raw: { hub: { syncInterval: "never" } },
    says: {
      where: "hub.syncInterval",
      problem: "'never' is not allowed",
      cure: 'use "always" or a duration such as "30s"',
    },
  },
  {
    what: "an unknown mode",
    raw: stream({ collect: { mode: "mirror" } }),
    says: {
      where: "streams[0].collect.mode",
      problem: "'mirror' is not allowed",
      cure: "use one of perSite, merged",
    },
  },
  {
    what: "an unknown runtime",
    raw: { runtime: "vm" },
    says: { where: "runtime", problem: "'vm' is not allowed", cure: "use one of process, docker" },
  },
  {
    what: "a port that is too small",
    raw: { sites: [{ name: "oslo", ports: { monitor: 0 } }] },
    says: { where: "sites[0].ports.monitor", problem: "0 is too small", cure: "use 1 or more" },
  },
  {
    what: "a port that is too large",
    raw: { hub: { ports: { leafnodes: 70000 } } },
    says: { where: "hub.ports.leafnodes", problem: "70000 is too large", cure: "use 65535 or less" },
  },
  {
    what: "a site's name in capitals",
    raw: { sites: [{ name: "Oslo" }] },
    says: { where: "sites[0].name", problem: `'Oslo' ${SITE_NAME}`, cure: "see docs/settings.md" },
  },
  {
    what: "a site's name with a dot, which no JetStream domain can have",
    raw: { sites: [{ name: "oslo.no" }] },
    says: { where: "sites[0].name", problem: `'oslo.no' ${SITE_NAME}`, cure: "see docs/settings.md" },
  },
  {
    what: "a broken number of rotations",
    raw: { sites: [{ name: "oslo", rotation: 1.5 }] },
    says: { where: "sites[0].rotation", problem: "is number, not int", cure: "write a value of type int" },
  },
  {
    what: "a key for a role that does not exist",
    raw: { keys: { oslo: { leaf: newSeed() } } },
    says: { where: "keys.oslo", problem: "'leaf' is not a setting", cure: SPELLING },
  },
  {
    what: "an empty key",
    raw: { keys: { oslo: { link: "" } } },
    says: { where: "keys.oslo.link", problem: "the given value is too small", cure: "use 1 or more" },
  },
  {
    what: "a stream's name with a dot",
    raw: { streams: [{ name: "EVENTS.A", subjects: ["events.>"] }] },
    says: { where: "streams[0].name", problem: `'EVENTS.A' ${STREAM_NAME}`, cure: "see docs/settings.md" },
  },
];

describe("a mistake in the settings", () => {
  for (const { what, raw, says } of MISTAKES) {
    it(`is refused with where, what and the cure: ${what}`, () => {
      assert.deepEqual(problemsOf(raw), [says]);
    });
  }

  it("gives no settings", () => {
    assert.equal(readSettings({ hub: { maxfile: "1GiB" } }).settings, undefined);
  });

  it("does not hide another one", () => {
    const places = problemsOf({
      hub: { maxfile: "1GiB", name: "HUB" },
      sites: [{ quota: "much" }],
      runtime: "vm",
    }).map(({ where }) => where);
    assert.deepEqual(places.sort(), ["hub", "hub.name", "runtime", "sites[0].name", "sites[0].quota"]);
  });

  it("is refused when the stack config is no group of settings at all", () => {
    assert.deepEqual(problemsOf("oslo"), [
      { where: "stack config", problem: "is string, not object", cure: "write a value of type object" },
    ]);
  });
});

describe("a seed in the settings", () => {
  const PLACES: Readonly<Record<string, (seed: string) => unknown>> = {
    "in the place of a site's keys": (seed) => ({ keys: { oslo: seed } }),
    "in a list of keys": (seed) => ({ keys: { oslo: { link: [seed] } } }),
    "in a role that does not exist": (seed) => ({ keys: { oslo: { leaf: seed } } }),
    "as the name of a role": (seed) => ({ keys: { oslo: { [seed]: "link" } } }),
    "as the name of a setting": (seed) => ({ [seed]: "oslo" }),
    "as the name of a site": (seed) => ({ sites: [{ name: seed }] }),
    "as a size": (seed) => ({ hub: { maxFile: seed } }),
    "as a mode": (seed) => ({ streams: [{ name: "A", subjects: ["a"], collect: { mode: seed } }] }),
    "as a sync interval": (seed) => ({ hub: { syncInterval: seed } }),
    "as a number": (seed) => ({ hub: { ports: { client: seed } } }),
    "in credentials": (seed) => ({ sites: [{ name: "oslo", credentials: seed }] }),
  };
  for (const [place, rawOf] of Object.entries(PLACES)) {
    it(`is in no message when it stands ${place}`, () => {
      const seed = newSeed();
      const problems = problemsOf(rawOf(seed));
      assert.notEqual(problems.length, 0);
      assert.ok(!JSON.stringify(problems).includes(seed));
    });
  }
});
