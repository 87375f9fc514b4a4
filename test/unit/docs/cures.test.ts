import assert from "node:assert/strict";
import type { Row } from "../../support/catalogue/catalogue";
import { commandsIn, cureProblems } from "../../support/catalogue/cures";
import type { ShownFinding } from "../../support/rules/findings";

const finding = (next: string): ShownFinding => ({
  site: "oslo",
  code: "x",
  symptom: "",
  cause: "",
  evidence: "",
  next,
});
const row = (more: Partial<Row>): Row => ({
  name: "",
  make: () => Promise.resolve(),
  finds: [],
  evidence: {},
  ...more,
});

describe("the cure of a finding", () => {
  it("is read from its own words", () => {
    assert.deepEqual(commandsIn("run 'pulumi up', which repairs it"), {
      up: true,
      doubles: [],
      repairs: [],
      known: [],
    });
    assert.deepEqual(commandsIn("write it down: 'make repair SITE=oslo STREAM=EVENTS ACCEPT=known'"), {
      up: false,
      doubles: [],
      repairs: [],
      known: [{ site: "oslo", stream: "EVENTS" }],
    });
    assert.deepEqual(commandsIn("make repair SITE=oslo STREAM=EVENTS, which says what was skipped").repairs, [
      { site: "oslo", stream: "EVENTS" },
    ]);
    assert.equal(commandsIn("look at the network").up, false);
    const { up, doubles } = commandsIn("'DOUBLE=oslo make up' restores it");
    assert.deepEqual({ up, doubles }, { up: true, doubles: ["oslo"] });
  });

  it("is refused when nothing of it can be run", () => {
    assert.match(cureProblems(row({}), [finding("look at the network")]).join(), /nothing of it can be run/);
    assert.deepEqual(cureProblems(row({}), [finding("compare with a backup; it is gone")]), []);
  });

  it("is refused when a person does what no finding says", () => {
    const cure = () => Promise.resolve();
    const next = [finding("stop the copy, then run 'pulumi up'")];
    assert.match(cureProblems(row({ cure }), next).join(), /has no words/);
    assert.match(cureProblems(row({ cure, says: "make room" }), next).join(), /no finding says 'make room'/);
    assert.deepEqual(cureProblems(row({ cure, says: "stop the copy" }), next), []);
  });

  it("is refused when it repairs, or changes settings, unasked", () => {
    const next = [finding("run 'pulumi up'")];
    assert.match(cureProblems(row({ accept: "leave" }), next).join(), /'make repair'/);
    assert.match(cureProblems(row({ change: {} }), next).join(), /no finding names a change/);
  });
});
