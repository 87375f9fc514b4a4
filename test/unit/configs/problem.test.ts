import assert from "node:assert/strict";
import { describeProblem, describeProblems } from "../../../configs/problem";

const NAME = { where: "sites[1].name", problem: "'oslo' is used twice", cure: "site names must differ" };
const PORT = { where: "hub.ports.client", problem: "port 4222 is taken", cure: "give another" };

describe("a problem in words", () => {
  it("says where, what and the cure", () => {
    assert.equal(describeProblem(NAME), "sites[1].name: 'oslo' is used twice; site names must differ");
  });

  it("stands on a line of its own among all of them, with their number", () => {
    assert.equal(
      describeProblems([NAME, PORT]),
      [
        "the settings have 2 problems:",
        "  - sites[1].name: 'oslo' is used twice; site names must differ",
        "  - hub.ports.client: port 4222 is taken; give another",
      ].join("\n"),
    );
  });

  it("is counted in the singular when it is the only one", () => {
    assert.match(describeProblems([NAME]), /^the settings have 1 problem:\n/);
  });
});
