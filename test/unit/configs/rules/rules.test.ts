import assert from "node:assert/strict";
import { createAccount, createOperator, createServer } from "@nats-io/nkeys";
import { Problem } from "../../../../configs/problem";
import { RuleContext } from "../../../../configs/rules/rule";
import { isLoopback } from "../../../../configs/placement";
import { RULES, judge } from "../../../../configs/rules/rules";
import { RawSettings } from "../../../../configs/settings";
import { Case, Cases, merged, sites, stream, withSubjects } from "../../../support/rules/rule-cases";
import { newKey, newSeed, settingsOf } from "../../../support/rules/settings";
import { HUB_CASES } from "../hub-rules.cases";
import { PLACEMENT_CASES } from "../placement-rules.cases";
import { STREAM_CASES } from "../stream-rules.cases";

const seedOf = (pair: { getSeed(): Uint8Array }): string => new TextDecoder().decode(pair.getSeed());
const linkKey = (link: string): RawSettings => ({ sites: sites("oslo"), keys: { oslo: { link } } });
const withWrongCharacter = (seed: string): string =>
  `${seed.slice(0, 20)}${seed[20] === "A" ? "B" : "A"}${seed.slice(21)}`;
const SHARED = newSeed();

/** Every rule with what it refuses and what it lets pass. */
const CASES: Cases = {
  ...STREAM_CASES,
  ...PLACEMENT_CASES,
  ...HUB_CASES,

  siteNamesDiffer: {
    refuses: [
      {
        what: "two sites with one name, and so with one domain and one account",
        raw: { sites: sites("oslo", "bergen", "oslo") },
        says: ["sites[2].name: 'oslo' is used twice"],
      },
    ],
    passes: [{ what: "sites whose names differ", raw: { sites: sites("oslo", "oslo-2") } }],
  },

  siteNamesAreNoParts: {
    refuses: [
      {
        what: "a site named like a resource of another one, or of the hub",
        raw: { sites: sites("oslo", "oslo-server", "hub-container") },
        says: [
          "sites[1].name: 'oslo-server' is the name of a part of 'oslo'",
          "sites[2].name: 'hub-container' is the name of a part of 'hub'",
        ],
      },
    ],
    passes: [{ what: "such a name where there is no such server", raw: { sites: sites("bergen", "oslo-server") } }],
  },

  siteNamesAreFree: {
    refuses: [
      {
        what: "a site with the hub's name, and so with the hub's domain",
        raw: { hub: { name: "centre" }, sites: sites("oslo", "centre") },
        says: ["sites[1].name: 'centre' is the hub's name"],
      },
      {
        what: "a site that would take the system account",
        raw: { sites: sites("sys") },
        says: ["sites[0].name: 'sys' would take the account SYS"],
      },
      {
        what: "a site that would take the account HUB of a hub with another name",
        raw: { hub: { name: "centre" }, sites: sites("hub") },
        says: ["sites[0].name: 'hub' would take the account HUB"],
      },
    ],
    passes: [{ what: "a site whose name only starts like one of these", raw: { sites: sites("hub-2", "system") } }],
  },

  payloadsFit: {
    refuses: [
      {
        what: "a site with larger messages than the hub takes",
        raw: { hub: { maxPayload: "1MiB" }, sites: [{ name: "oslo", maxPayload: "2MiB" }] },
        says: ["sites[0].maxPayload: 2 MiB is more than the hub's 1 MiB"],
      },
      {
        what: "a hub with messages of more than 8 MiB",
        raw: { hub: { maxPayload: "9MiB" } },
        says: ["hub.maxPayload: 9 MiB is out of range"],
      },
      {
        what: "a site with messages of less than 1 KiB",
        raw: { sites: [{ name: "oslo", maxPayload: "1000B" }] },
        says: ["sites[0].maxPayload: 1000 B is out of range"],
      },
    ],
    passes: [
      {
        what: "the largest messages everywhere",
        raw: { hub: { maxPayload: "8MiB" }, sites: [{ name: "oslo", maxPayload: "8MiB" }] },
      },
    ],
  },

  hubHasAMajority: {
    refuses: [
      {
        what: "a hub of two servers",
        raw: { hub: { servers: 2 } },
        says: ["hub.servers: 2 servers survive no more failures than 1: more than half of them must run"],
      },
      {
        what: "a list of four servers",
        raw: { hub: { servers: [{}, {}, {}, {}] } },
        says: ["hub.servers: 4 servers survive no more failures than 3: more than half of them must run"],
      },
    ],
    passes: [
      { what: "a hub of three servers", raw: { hub: { servers: 3 } } },
      { what: "a hub of five servers", raw: { hub: { servers: 5 } } },
    ],
  },
  quotasHoldTheStreams: {
    refuses: [
      {
        what: "a quota without the room for probes",
        raw: {
          sites: [{ name: "oslo" }, { name: "bergen", quota: "1GiB" }],
          streams: [stream("A", { maxBytes: "512MiB" }), stream("B", { maxBytes: "512MiB" })],
        },
        says: [
          "sites[1].quota: 1 GiB does not hold the site's streams: with the room for probes they may need 1 GiB, 16 MiB more",
        ],
      },
    ],
    passes: [
      {
        what: "a quota of exactly the streams and the room for probes",
        raw: { sites: [{ name: "oslo", quota: "528MiB" }], streams: [stream("A", { maxBytes: "512MiB" })] },
      },
      {
        what: "a stream in memory, which takes nothing of the quota",
        raw: {
          sites: [{ name: "oslo", quota: "16MiB" }],
          streams: [stream("A", { maxBytes: "512MiB", storage: "memory" })],
        },
      },
    ],
  },

  hubHoldsTheQuotas: {
    refuses: [
      {
        what: "more files than the hub may store",
        raw: { hub: { maxFile: "2GiB" }, sites: sites("oslo", "bergen"), streams: [stream("A")] },
        says: ["hub.maxFile: 2 GiB does not hold what the hub may collect from its sites: 2 GiB, 32 MiB more"],
      },
      {
        what: "more memory than the hub may take",
        raw: {
          hub: { maxMemory: "100MiB" },
          sites: sites("oslo"),
          streams: [stream("A", { collect: { storage: "memory", maxBytes: "101MiB" } })],
        },
        says: ["hub.maxMemory: 100 MiB does not hold what the hub may collect from its sites: 101 MiB, 1 MiB more"],
      },
    ],
    passes: [
      {
        what: "a hub of exactly what its sites may send and their room for probes",
        raw: { hub: { maxFile: "2080MiB" }, sites: sites("oslo", "bergen"), streams: [stream("A")] },
      },
      {
        what: "a merged stream once, however many the sites",
        raw: { hub: { maxFile: "1056MiB" }, sites: sites("oslo", "bergen"), streams: [merged("A")] },
      },
    ],
  },

  probesFit: {
    refuses: [
      {
        what: "a burst of more than 8 MB",
        raw: { probes: { burst: "9MB" } },
        says: ["probes.burst: 9 MB is out of range"],
      },
      {
        what: "messages of the burst that are too small, and a time that is too short",
        raw: { probes: { burstMessage: "999B", timeout: "999ms" } },
        says: ["probes.burstMessage: 0.999 kB is out of range", "probes.timeout: 999 ms is out of range"],
      },
      {
        what: "messages of the burst that fill a site's largest message and leave no room for headers",
        raw: {
          sites: [{ name: "oslo" }, { name: "bergen", maxPayload: "100kB" }],
          probes: { burstMessage: "100kB" },
        },
        says: ["probes.burstMessage: 100 kB with its headers exceeds the maxPayload of site 'bergen'"],
      },
    ],
    passes: [
      {
        what: "large messages of a burst that is not sent",
        raw: { sites: [{ name: "oslo", maxPayload: "1KiB" }], probes: { burst: "0B", burstMessage: "100kB" } },
      },
      { what: "the largest burst and the longest time", raw: { probes: { burst: "8MB", timeout: "10m" } } },
    ],
  },

  reconnectIsBounded: {
    refuses: [
      {
        what: "a site that would hammer its hub, and one that would miss it",
        raw: {
          sites: [
            { name: "oslo", reconnect: "49ms" },
            { name: "bergen", reconnect: "61s" },
          ],
        },
        says: ["sites[0].reconnect: 49 ms is out of range", "sites[1].reconnect: 61000 ms is out of range"],
      },
    ],
    passes: [
      {
        what: "the shortest and the longest wait",
        raw: {
          sites: [
            { name: "oslo", reconnect: "50ms" },
            { name: "bergen", reconnect: "1m" },
          ],
        },
      },
    ],
  },

  keysBelongToTheFleet: {
    refuses: [
      {
        what: "keys of a site that is not there",
        raw: { sites: sites("oslo"), keys: { bergen: { link: newSeed() }, constructor: { link: newSeed() } } },
        says: ["keys.bergen: names neither a site nor the hub", "keys.constructor: names neither a site nor the hub"],
      },
      {
        what: "a key of the hub for a site, and a site's for the hub",
        raw: { sites: sites("oslo"), keys: { oslo: { system: newSeed() }, hub: { link: newSeed() } } },
        says: ["keys.oslo.system: is not a key of this server", "keys.hub.link: is not a key of this server"],
      },
      { what: "a public key", raw: linkKey(newKey()), says: ["keys.oslo.link: is a public key, not a seed"] },
      {
        what: "the path of a file",
        raw: linkKey("/etc/nats/oslo.nk"),
        says: ["keys.oslo.link: is a path, not a seed"],
      },
      {
        what: "a credentials file",
        raw: linkKey(`-----BEGIN USER NKEY SEED-----\n${newSeed()}\n------END USER NKEY SEED------`),
        says: ["keys.oslo.link: is a credentials file (JWT and seed), not a seed"],
      },
      {
        what: "the seed of an account",
        raw: linkKey(seedOf(createAccount())),
        says: ["keys.oslo.link: is the seed of an account or operator, not of a user"],
      },
      {
        what: "the seed of an operator",
        raw: linkKey(seedOf(createOperator())),
        says: ["keys.oslo.link: is the seed of an account or operator, not of a user"],
      },
      {
        what: "the seed of a server",
        raw: linkKey(seedOf(createServer())),
        says: ["keys.oslo.link: is the seed of another kind of key"],
      },
      {
        what: "a seed that was cut short",
        raw: linkKey(newSeed().slice(0, 57)),
        says: ["keys.oslo.link: is not a valid seed: damaged, cut short, or something else"],
      },
      {
        what: "a seed with a character too many",
        raw: linkKey(`${newSeed()}A`),
        says: ["keys.oslo.link: is not a valid seed: damaged, cut short, or something else"],
      },
      {
        what: "a seed with a wrong character",
        raw: linkKey(withWrongCharacter(newSeed())),
        says: ["keys.oslo.link: is not a valid seed: damaged, cut short, or something else"],
      },
      {
        what: "one seed for two roles",
        raw: { sites: sites("oslo", "bergen"), keys: { oslo: { link: SHARED }, bergen: { operator: SHARED } } },
        says: ["keys.bergen.operator: is the same seed as keys.oslo.link"],
      },
    ],
    passes: [
      {
        what: "a seed of its own for each role of the sites and the hub",
        raw: {
          sites: sites("oslo"),
          keys: {
            oslo: { link: newSeed(), application: newSeed(), operator: newSeed(), reader: newSeed() },
            hub: { system: newSeed(), operator: newSeed(), reader: newSeed() },
          },
        },
      },
    ],
  },
};

const contextOf = ({ emptyPassphrase = false }: { emptyPassphrase?: boolean }): RuleContext => ({ emptyPassphrase });
const inShort = ({ where, problem }: Problem): string => `${where}: ${problem}`;
const judged = (name: string, { raw, ...context }: Case): Problem[] =>
  RULES[name]!(settingsOf(raw), contextOf(context));

describe("the rules over the fleet", () => {
  it("have cases here, each one both for what it refuses and for what it lets pass", () => {
    assert.deepEqual(Object.keys(CASES).sort(), Object.keys(RULES).sort());
    const incomplete = Object.entries(CASES).filter(([, c]) => c.refuses.length === 0 || c.passes.length === 0);
    assert.deepEqual(incomplete, []);
  });

  for (const [name, { refuses, passes }] of Object.entries(CASES)) {
    describe(name, () => {
      for (const refused of refuses) {
        it(`refuses ${refused.what}`, () => {
          assert.deepEqual(judged(name, refused).map(inShort), refused.says);
        });
      }
      for (const passed of passes) {
        it(`lets pass ${passed.what}`, () => {
          assert.deepEqual(judged(name, passed), []);
        });
      }
    });
  }

  it("name a cure for each problem", () => {
    for (const [name, { refuses }] of Object.entries(CASES)) {
      for (const refused of refuses) for (const { cure } of judged(name, refused)) assert.match(cure, /^[a-z].{4,}/s);
    }
  });

  it("lets a fleet of two sites and both modes pass all of them", () => {
    const settings = settingsOf({ sites: sites("oslo", "bergen"), streams: [stream("EVENTS"), merged("LOGS")] });
    assert.deepEqual(judge(settings, { emptyPassphrase: true }), []);
  });

  it("report the problems of all of them at once", () => {
    const settings = settingsOf({
      hub: { host: "10.0.0.7", maxPayload: "9MiB" },
      sites: [{ name: "oslo", reconnect: "1ms" }, { name: "oslo" }, { name: "sys" }],
      streams: [stream("A", { subjects: ["a..b", ">"] })],
      keys: { bergen: { link: newSeed() } },
    });
    assert.deepEqual(
      judge(settings, { emptyPassphrase: true })
        .map(({ where }) => where)
        .sort(),
      [
        "hub.host",
        "hub.maxPayload",
        "keys.bergen",
        "sites[0].reconnect",
        "sites[1].name",
        "sites[2].name",
        "streams[0].subjects[0]",
        "streams[0].subjects[1]",
        "streams[0].subjects[1]",
      ],
    );
  });

  it("report each of three sites with one name but the first", () => {
    const places = judge(settingsOf({ sites: sites("oslo", "oslo", "oslo") }), { emptyPassphrase: false });
    assert.deepEqual(
      places.map(({ where }) => where),
      ["sites[1].name", "sites[2].name"],
    );
  });
});

describe("a seed that breaks a rule", () => {
  const PLACES: Readonly<Record<string, (seed: string) => RawSettings>> = {
    "for a site that is not there": (link) => ({ keys: { oslo: { link } } }),
    "in the wrong role": (system) => ({ sites: sites("oslo"), keys: { oslo: { system } } }),
    "with a character too many": (seed) => linkKey(`${seed}A`),
    "with its file's frame": (seed) => linkKey(`-----BEGIN USER NKEY SEED-----\n${seed}`),
    "behind a path": (seed) => linkKey(`/${seed}`),
    "used twice": (seed) => ({ sites: sites("oslo"), keys: { oslo: { link: seed, operator: seed } } }),
    "in the place of a site's name": (seed) => ({ keys: { [seed]: { link: newSeed() } } }),
    "in the place of a host": (seed) => ({ hub: { host: seed } }),
    "in the place of a stream's name": (seed) => ({ streams: [stream(seed), stream(seed)] }),
    "in the place of a subject": (seed) => withSubjects(`${seed}..a`),
  };
  for (const [place, rawOf] of Object.entries(PLACES)) {
    it(`is in no message: ${place}`, () => {
      const seed = newSeed();
      const problems = judge(settingsOf(rawOf(seed)), { emptyPassphrase: true });
      assert.notEqual(problems.length, 0);
      assert.ok(!JSON.stringify(problems).includes(seed));
    });
  }
});

describe("a host", () => {
  for (const host of ["127.0.0.1", "127.8.9.10", "localhost", "::1"]) {
    it(`${host} is on this machine only`, () => {
      assert.equal(isLoopback(host), true);
    });
  }
  for (const host of ["0.0.0.0", "10.0.0.7", "::", "hub.example.com", "127.example.com", "1127.0.0.1"]) {
    it(`${host} is not on this machine only`, () => {
      assert.equal(isLoopback(host), false);
    });
  }
});
