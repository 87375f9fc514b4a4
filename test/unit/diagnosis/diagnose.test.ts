import fc from "fast-check";
import assert from "node:assert/strict";
import { Finding, FindingCode, RULES, blockingFinding, describeFinding, diagnose } from "../../../diagnosis/diagnose";
import { FINDINGS, STREAM_FINDINGS, WARNINGS } from "../../../diagnosis/reference/reference";
import { HubStreamFacts, SiteFacts, StreamFacts } from "../../../diagnosis/facts/facts";
import { breachFinding, cannotTest } from "../../../fleet/proof/isolation";
import { readRecorded } from "../../support/catalogue/recorded";
import { EXAMPLES } from "./finding-examples";
import { HEALTHY, ON_HUB, PROBE, STREAM, withHub, withLeaf, withProbe, withSource, withStream } from "./fixtures";

const RECORDED = readRecorded();

const codes = (facts: SiteFacts): FindingCode[] => diagnose(facts).map(({ code }) => code);

const breach = breachFinding({ site: "oslo", attack: "a leaf with no key", evidence: "it was kept", next: "x" });

describe("the diagnosis of a site", () => {
  it("finds nothing when all is right", () => {
    assert.deepEqual(diagnose(HEALTHY), []);
  });

  it("finds nothing where the site takes flow control in the form that its server uses alone", () => {
    const link = (subject: string) => ({
      links: [{ account: "OSLO", subjects: ["$JS.oslo.API.CONSUMER.>", subject] }],
    });
    const consumer = { sent: 10, upTo: 10, pending: 0, bound: true, count: 1 };
    for (const [flowControl, subject] of [
      ["v1", "$JS.FC.EVENTS.c.*"],
      ["v2", "$JS.FC.oslo.0Ho5lW11.EVENTS.c.*"],
    ] as const) {
      const facts = withLeaf({ flowControl }, link(subject));
      assert.deepEqual(diagnose({ ...facts, streams: [{ ...STREAM, consumer }] }), []);
    }
  });

  it("finds nothing in what could not be read", () => {
    const { name, collectedAs, api } = STREAM;
    const facts: SiteFacts = {
      ...HEALTHY,
      hub: { links: [{ account: "OSLO" }] },
      leaf: { links: [], errors: [] },
      streams: [
        { name, collectedAs, api },
        { ...STREAM, onHub: { ...ON_HUB, source: { name: "EVENTS", activeMs: 300, lag: 0 } } },
        { name, collectedAs, api, before: STREAM.before!, probe: PROBE },
      ],
    };
    assert.deepEqual(diagnose(facts), []);
  });

  it("finds nothing in messages that arrived while it looked: the site's last sequence is ahead of the hub's", () => {
    assert.deepEqual(diagnose(withStream({ atSite: { messages: 99, lastSeq: 99, created: "" } })), []);
  });

  for (const [code, examples] of Object.entries(EXAMPLES)) {
    for (const example of examples) {
      it(`finds ${code}: ${example.it}`, () => {
        const [finding, ...more] = diagnose(example.facts);
        assert.deepEqual(
          { code: finding?.code, severity: finding?.severity, more },
          { code, severity: example.severity ?? "error", more: [] },
        );
        assert.match(finding!.cause, example.cause);
        assert.match(finding!.evidence, example.evidence);
        assert.match(finding!.next, example.next);
      });

      it(`gives the same for the same facts and leaves them as they are: ${example.it}`, () => {
        const before = structuredClone(example.facts);
        assert.deepEqual(diagnose(example.facts), diagnose(structuredClone(before)));
        assert.deepEqual(example.facts, before);
      });
    }
  }

  it("has an example of every code that the program knows, here or in the catalogue", () => {
    const recorded = RECORDED.flatMap(({ facts }) => facts.flatMap(codes));
    const known = new Set<string>([...Object.keys(EXAMPLES), ...recorded, breach.code]);
    assert.deepEqual([...known].sort(), Object.keys(FINDINGS).sort());
  });

  it("calls what concerns the whole site 'no data reaches the hub', and what concerns a stream by its name", () => {
    assert.equal(diagnose(withHub({ links: [] }))[0]?.symptom, "no data reaches the hub");
    assert.equal(diagnose(withProbe({ arrived: 0 }))[0]?.symptom, "stream EVENTS is not proven");
  });

  describe("names the cause and not its symptoms", () => {
    it("for a hub that does not answer: nothing is known of a site that is asked through it", () => {
      const silent = { unreachable: "TIMEOUT", links: [] };
      const codesOf = (more: Partial<SiteFacts["leaf"]>) => codes(withLeaf({ ...silent, ...more }, silent));
      assert.deepEqual(codesOf({ throughHub: true, process: "running" }), ["hub-down"]);
      assert.deepEqual(codesOf({ throughHub: true, process: "gone" }), ["hub-down", "site-down"]);
      assert.deepEqual(codesOf({}), ["hub-down", "site-down"]);
    });

    it("for a step that failed: that the site is down, and its streams are missing, follows from it", () => {
      const facts: SiteFacts = {
        ...withStream({ atSite: "missing", onHub: "missing" }),
        failedSteps: ["the port is taken"],
        leaf: { unreachable: "refused", links: [], errors: [] },
        hub: { links: [] },
      };
      assert.deepEqual(codes(facts), ["step-failed"]);
    });

    it("for a key that is not the declared one: that the hub refuses it, and has no link, follows from it", () => {
      const facts = structuredClone({ ...HEALTHY, hub: { ...HEALTHY.hub, links: [] } });
      facts.leaf.remote!.key = "UOTHER";
      facts.leaf.errors = ["Authorization Violation"];
      assert.deepEqual(codes(facts), ["wrong-key"]);
    });

    it("for a stream that is missing: its probes are not looked at", () => {
      const facts = withStream({ atSite: "missing", probe: { ...PROBE, arrived: 0, error: "the stream is missing" } });
      assert.deepEqual(
        diagnose(facts).map(({ code }) => code),
        ["stream-missing-at-site"],
      );
    });

    it("for a source that asks in vain: that it was never active says nothing more", () => {
      const facts = withSource({ api: "$JS.x.API", activeMs: -1 }, { arrived: 0 });
      assert.deepEqual(
        diagnose(facts).map(({ code }) => code),
        ["source-wrong-api"],
      );
    });

    it("for each stream of its own", () => {
      const other: StreamFacts = { ...STREAM, name: "ALARMS", collectedAs: "OSLO/ALARMS", onHub: "missing" };
      const facts = { ...HEALTHY, streams: [{ ...STREAM, probe: { ...PROBE, arrived: 0 } }, STREAM, other] };
      assert.deepEqual(
        diagnose(facts).map(({ code, symptom }) => [code, symptom]),
        [
          ["unknown", "stream EVENTS is not proven"],
          ["stream-missing-on-hub", "stream ALARMS is not proven"],
        ],
      );
    });
  });

  describe("of several mistakes at once", () => {
    /** Mistakes that can be seen themselves; each changes facts of its own. */
    const SEEN: Partial<Record<FindingCode, (facts: SiteFacts) => void>> = {
      "seed-in-credentials": ({ leaf }) => (leaf.remote!.credentials = "a seed"),
      "wrong-account-on-hub": ({ hub }) => (hub.links[0]!.account = "ANON"),
      "wrong-account-at-site": ({ leaf }) => (leaf.links[0]!.account = "$G"),
      "link-doubled": ({ hub }) => (hub.strangers = ["copy"]),
      "jetstream-off": ({ hub }) => (hub.jetStream = "off in account OSLO"),
      "wrong-domain": ({ leaf }) => (leaf.domain = "bergen"),
      "remote-denies": ({ leaf }) => (leaf.remote!.denyImports = ["$JS.>"]),
      "payload-limits": ({ hub, leaf }) => ([hub.maxPayload, leaf.maxPayload] = [1, 2]),
      "export-missing": ({ streams: [stream] }) => (stream!.notPassedOn = ["x"]),
      "stream-missing-at-site": ({ streams: [stream] }) => (stream!.atSite = "missing"),
      "source-wrong-api": (facts) => (onHub(facts).source!.api = "$JS.x.API"),
      "source-wrong-stream": (facts) => (onHub(facts).source!.name = "X"),
      "hub-full": (facts) => (onHub(facts).full = "full"),
      "hub-stream-altered": (facts) => (onHub(facts).drift = { differences: [{ words: "x", harm: "y" }] }),
      "hub-store-lost": (facts) => (onHub(facts).created = "2026-02-02T00:00:00Z"),
    };
    const onHub = ({ streams: [stream] }: SiteFacts) => stream!.onHub as HubStreamFacts;
    /** What any of them may lead to. */
    const SYMPTOMS: ((facts: SiteFacts) => unknown)[] = [
      ({ leaf }) => leaf.errors.push("Leafnode Error 'Authorization Violation'"),
      ({ leaf }) => leaf.errors.push("maximum account leafnode connections exceeded"),
      (facts) => (onHub(facts).source!.activeMs = -1),
      (facts) => (onHub(facts).source!.error = { code: 10228, text: "stalled" }),
      ({ streams: [stream] }) => (stream!.probe = { ...PROBE, arrived: 3 }),
      ({ streams: [stream] }) => (stream!.probe = { ...PROBE, arrived: 0, error: "timeout" }),
      ({ streams: [stream] }) => (stream!.asked = "nobody listens"),
      ({ streams: [stream] }) => (stream!.consumer = "missing"),
    ];
    const someMistakes = fc.subarray(Object.keys(SEEN) as FindingCode[]);

    it("all are named, whatever their symptoms, and nothing else is", () => {
      fc.assert(
        fc.property(someMistakes, fc.subarray(SYMPTOMS), (mistakes, symptoms) => {
          // A warning explains nothing: symptoms beside warnings alone have another cause.
          const isBroken = mistakes.some((code) => code !== "hub-store-lost");
          const facts = structuredClone(HEALTHY);
          for (const code of mistakes) SEEN[code]!(facts);
          if (isBroken && !mistakes.every((code) => isOfStream(code))) for (const make of symptoms) make(facts);
          assert.deepEqual(codes(facts).sort(), [...mistakes].sort());
        }),
      );
    });

    const isOfStream = (code: FindingCode): boolean => code in STREAM_FINDINGS || code in WARNINGS;

    it("mistakes of two streams are named for each", () => {
      const { name, collectedAs, api } = STREAM;
      const other: StreamFacts = { name, collectedAs, api, atSite: "missing" };
      const facts = {
        ...withStream({ onHub: "missing" }),
        streams: [...withStream({ onHub: "missing" }).streams, other],
      };
      assert.deepEqual(codes(facts), ["stream-missing-on-hub", "stream-missing-at-site"]);
    });

    it("errors come before warnings, each in the order of the path", () => {
      const facts = structuredClone(HEALTHY);
      for (const make of Object.values(SEEN)) make(facts);
      const found = codes(facts);
      assert.equal(found.at(-1), "hub-store-lost");
      assert.deepEqual(
        found.slice(0, -1),
        Object.keys(FINDINGS).filter((code) => found.slice(0, -1).includes(code as FindingCode)),
      );
    });

    it("a rule that is left out finds nothing", () => {
      for (const [code, make] of Object.entries(SEEN)) {
        const facts = structuredClone(HEALTHY);
        make(facts);
        const rules = {
          site: RULES.site.filter((rule) => rule.code !== code),
          stream: RULES.stream.filter((rule) => rule.code !== code),
        };
        const left = diagnose(facts, rules).map((finding) => finding.code);
        assert.ok(!left.includes(code as FindingCode), code);
      }
    });
  });

  describe("separates losses from what is broken", () => {
    it("a loss alone is a warning", () => {
      assert.deepEqual(
        diagnose(withStream({ onHub: { ...ON_HUB, lastSeq: 6 } })).map(({ severity }) => severity),
        ["warning"],
      );
    });

    it("a loss comes after what is broken", () => {
      const facts = withStream({ onHub: { ...ON_HUB, lastSeq: 6 }, probe: { ...PROBE, arrived: 0 } });
      assert.deepEqual(
        diagnose(facts).map(({ code, severity }) => [code, severity]),
        [
          ["unknown", "error"],
          ["hub-store-rolled-back", "warning"],
        ],
      );
    });

    it("a stream that is new since the last proof did not go back in time", () => {
      const facts = withStream({ onHub: { ...ON_HUB, created: "2026-02-02T00:00:00Z", lastSeq: 1 } });
      assert.deepEqual(
        diagnose(facts).map(({ code }) => code),
        ["hub-store-lost"],
      );
    });

    it("a stream that was never proven before lost nothing", () => {
      const { before: _before, ...stream } = STREAM;
      assert.deepEqual(diagnose({ ...HEALTHY, streams: [stream] }), []);
    });
  });

  describe("blocks the probes", () => {
    it("when nothing of the site can reach the hub", () => {
      assert.equal(blockingFinding(withHub({ links: [] }))?.code, "link-down");
    });

    it("not when a single stream is broken, or a loss was found", () => {
      assert.equal(blockingFinding(withStream({ atSite: "missing" })), undefined);
      assert.equal(blockingFinding(withStream({ onHub: { ...ON_HUB, lastSeq: 6 } })), undefined);
    });
  });
});

describe("a finding", () => {
  const all: Finding[] = [
    ...Object.values(EXAMPLES).flatMap((examples) => examples.flatMap(({ facts }) => diagnose(facts))),
    ...RECORDED.flatMap(({ facts }) => facts.flatMap((ofSite) => diagnose(ofSite))),
    breach,
    cannotTest("oslo", "isolation", new Error("timeout")),
  ];

  it("is shown as where, cause, evidence, next step and code", () => {
    assert.equal(
      describeFinding(diagnose(withHub({ links: [{ account: "ANON" }] }))[0]!),
      [
        "site oslo: no data reaches the hub",
        "  cause     the hub put the link in account ANON, not OSLO",
        "  evidence  hub /leafz: oslo -> ANON",
        "  next      move the site's key to accounts.OSLO.users and remove no_auth_user from the hub (run 'pulumi up')  [wrong-account-on-hub]",
        "  see       docs/findings.md#wrong-account-on-hub",
      ].join("\n"),
    );
  });

  it("of every code shows all of its parts, none of them empty", () => {
    for (const finding of all) {
      const text = describeFinding(finding);
      for (const part of [finding.site, finding.symptom, finding.cause, finding.evidence, finding.next, finding.code]) {
        assert.notEqual(part, "");
        const shown = part.replaceAll("\n", `\n${" ".repeat(12)}`);
        assert.equal(text.includes(shown), true, `${finding.code}: ${part}`);
      }
      assert.equal(text.includes("undefined"), false, text);
    }
  });

  it("of a test that ended early, and of a successful attack, is an error", () => {
    assert.deepEqual(
      [breach, cannotTest("oslo", "sourcing", new Error("x"))].map(({ severity }) => severity),
      ["error", "error"],
    );
  });

  it("comes for any facts without an error, and always for the site that they are of", () => {
    const links = fc.array(fc.record({ account: fc.constantFrom("OSLO", "$G") }), { maxLength: 2 });
    const domain = fc.constantFrom("oslo", "hub", "x");
    const facts = fc.record(
      {
        links,
        domain,
        unreachable: fc.constant("refused"),
        remote: fc.record(
          {
            urls: fc.constant<string[]>([]),
            credentials: fc.constantFrom("a seed", "another file"),
            key: fc.constant("U"),
          },
          { requiredKeys: ["urls"] },
        ),
        errors: fc.array(fc.constantFrom("Authorization Violation", "refused"), { maxLength: 2 }),
      },
      { requiredKeys: ["links", "errors"] },
    );
    const probe = fc.record({
      sent: fc.nat(3),
      arrived: fc.nat(3),
      doubled: fc.nat(1),
      burst: fc.nat(1),
      through: fc.constant("real" as const),
    });
    fc.assert(
      fc.property(
        facts,
        facts,
        probe,
        fc.nat(20),
        (leaf, { remote: _remote, errors: _errors, ...hub }, probed, lastSeq) => {
          const stream = { ...STREAM, probe: probed, atSite: { messages: 1, lastSeq, created: "" } };
          const found = diagnose({ ...HEALTHY, leaf, hub, streams: [stream] });
          return found.every(({ site, next }) => site === "oslo" && next !== "");
        },
      ),
    );
  });
});
