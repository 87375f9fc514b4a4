import assert from "node:assert/strict";
import { Finding, FindingCode, RULES, Rules, describeFinding, diagnose } from "../../../diagnosis/diagnose";
import { FINDINGS } from "../../../diagnosis/reference/reference";
import { Expected, casesOf, misread } from "../../support/catalogue/catalogue";
import { readRecorded } from "../../support/catalogue/recorded";
import { FAILED_STEP, GROUPS } from "../../support/catalogue/rows";
import { ShownFinding, shownFindings } from "../../support/rules/findings";

const ROWS = new Map<string, Expected>([
  ...casesOf(Object.values(GROUPS).flat()).map(({ title, row }): [string, Expected] => [title, row]),
  [FAILED_STEP.title, FAILED_STEP],
]);

const RECORDED = readRecorded();

/** The finding as a person reads it, with a word for a warning. */
const asShown = (finding: Finding): ShownFinding[] =>
  shownFindings(describeFinding(finding)).map((one) =>
    finding.severity === "warning" ? { ...one, code: `${one.code} (warning)` } : one,
  );

/** Attacks find it, not the diagnosis of facts. */
const isDiagnosed = (found: string): boolean => !found.endsWith(": isolation-broken");

describe("what was observed in the catalogue of mistakes (cure: make catalogue RECORD=1)", () => {
  it("was recorded for every row", () => {
    assert.deepEqual(RECORDED.map(({ title }) => title).sort(), [...ROWS.keys()].sort());
  });

  it("has no key and no folder of the machine", () => {
    const text = JSON.stringify(RECORDED);
    assert.deepEqual(text.match(/\b[SUAO][A-Z2-7]{50,}\b|\/tmp\/|\/home\//g), null);
  });

  for (const { title, facts } of RECORDED) {
    it(`leads to the findings of the row: ${title}`, () => {
      const row = ROWS.get(title)!;
      const findings = facts.flatMap((ofSite) => diagnose(ofSite)).flatMap(asShown);
      assert.deepEqual(misread({ ...row, finds: row.finds.filter(isDiagnosed) }, findings), []);
    });
  }

  describe("needs every rule: without it, a mistake is not found", () => {
    /** Findings that no row of the catalogue has, and why. */
    const ELSEWHERE: Partial<Record<FindingCode, string>> = {
      "isolation-broken": "attacks find it, not the diagnosis of facts",
      "source-at-rest": "behind other findings here: test/integration/probes.test.ts",
      "config-altered": "the doctor finds it: test/integration/hand-edits.test.ts",
      ...Object.fromEntries(
        ["hub-without-leader", "hub-server-missing", "account-missing-on-server"].map((code) => [
          code,
          "of a hub of several servers: test/integration/three.test.ts",
        ]),
      ),
      "hub-deduplicates": "of fleets that others deployed: test/integration/doctor-foreign.test.ts",
    };

    /** Findings that another one always comes before here; without that one they are seen. */
    const BEHIND: Partial<Record<FindingCode, FindingCode>> = { "probes-doubled": "hub-stream-altered" };

    const without = ({ site, stream }: Rules, code: FindingCode | undefined): Rules => ({
      site: site.filter((rule) => rule.code !== code),
      stream: stream.filter((rule) => rule.code !== code),
    });

    for (const code of Object.keys(FINDINGS) as FindingCode[]) {
      if (code in ELSEWHERE) continue;
      it(code, () => {
        const all = without(RULES, BEHIND[code]);
        const rest = without(all, code);
        const missed = RECORDED.flatMap(({ facts }) => facts).filter(
          (seen) =>
            diagnose(seen, all).some((finding) => finding.code === code) &&
            JSON.stringify(diagnose(seen, all)) !== JSON.stringify(diagnose(seen, rest)),
        );
        assert.notEqual(missed.length, 0, `no mistake of the catalogue is found by ${code}`);
      });
    }
  });
});
