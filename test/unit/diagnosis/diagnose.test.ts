import fc from "fast-check";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Finding, FindingCode, blockingFinding, describeFinding, diagnose } from "../../../diagnosis/diagnose";
import { SiteFacts, StreamFacts } from "../../../diagnosis/facts";
import { breachFinding, cannotTest } from "../../../providers/smoke-test/isolation";
import {
  EXAMPLES,
  HEALTHY,
  ON_HUB,
  PROBE,
  STREAM,
  withHub,
  withProbe,
  withSource,
  withStream,
} from "./finding-examples";

const breach = breachFinding({ site: "oslo", attack: "a leaf with no key", evidence: "it was kept", next: "x" });

describe("the diagnosis of a site", () => {
  it("finds nothing when all is right", () => {
    assert.deepEqual(diagnose(HEALTHY), []);
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

  it("has an example of every code that the program knows", () => {
    const folder = join(__dirname, "../../../diagnosis");
    const source = readdirSync(folder)
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n");
    const [, union = ""] = /export type FindingCode =([^;]*);/.exec(source) ?? [];
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code]) => code);
    assert.deepEqual([...Object.keys(EXAMPLES), breach.code].sort(), codes.sort());
  });

  it("calls what concerns the whole site 'no data reaches the hub', and what concerns a stream by its name", () => {
    assert.equal(diagnose(withHub({ links: [] }))[0]?.symptom, "no data reaches the hub");
    assert.equal(diagnose(withProbe({ arrived: 0 }))[0]?.symptom, "stream EVENTS is not proven");
  });

  describe("names the cause and not its symptoms", () => {
    /** The rules of the path, most basic first; each of these facts holds together with all that follow. */
    const PATH: FindingCode[] = [
      "hub-down",
      "step-failed",
      "site-down",
      "seed-in-credentials",
      "wrong-key",
      "link-down",
    ];
    const BROKEN: SiteFacts = {
      ...withStream({ atSite: "missing", onHub: "missing" }),
      failedSteps: ["the port is taken"],
      hub: { unreachable: "refused", links: [] },
      leaf: {
        unreachable: "refused",
        links: [],
        domain: "hub",
        remote: { urls: [], credentials: "a seed", key: "UOTHER" },
        errors: ["Authorization Violation"],
      },
    };
    const CURES: ((facts: SiteFacts) => void)[] = [
      (facts) => delete facts.hub.unreachable,
      (facts) => facts.failedSteps.pop(),
      (facts) => delete facts.leaf.unreachable,
      (facts) => delete facts.leaf.remote!.credentials,
      (facts) => {
        facts.leaf.remote!.key = "UDECLARED";
        facts.leaf.errors = [];
      },
    ];

    it("one by one, as each is cured", () => {
      const facts = structuredClone(BROKEN);
      const found = [diagnose(facts)];
      for (const cure of CURES) {
        cure(facts);
        found.push(diagnose(facts));
      }
      assert.deepEqual(
        found.map((findings) => findings.map(({ code }) => code)),
        PATH.map((code) => [code]),
      );
    });

    it("for a link in the wrong account: streams are not looked at", () => {
      const facts = { ...withStream({ atSite: "missing", onHub: "missing" }), hub: { links: [{ account: "HUB" }] } };
      assert.deepEqual(
        diagnose(facts).map(({ code }) => code),
        ["wrong-account-on-hub"],
      );
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
          ["probes-lost", "stream EVENTS is not proven"],
          ["stream-missing-on-hub", "stream ALARMS is not proven"],
        ],
      );
    });
  });

  describe("tells losses from what is broken", () => {
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
          ["probes-lost", "error"],
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
      ].join("\n"),
    );
  });

  it("of every code shows all of its parts, none of them empty", () => {
    for (const finding of all) {
      const text = describeFinding(finding);
      for (const part of [finding.site, finding.symptom, finding.cause, finding.evidence, finding.next, finding.code]) {
        assert.notEqual(part, "");
        assert.equal(text.includes(part), true, `${finding.code}: ${part}`);
      }
      assert.equal(text.includes("undefined"), false, text);
    }
  });

  it("of every code is documented", () => {
    const documented = readFileSync(join(__dirname, "../../../docs/findings.md"), "utf8");
    const missing = all.map(({ code }) => code).filter((code) => !documented.includes(`\`${code}\``));
    assert.deepEqual([...new Set(missing)], []);
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
