import assert from "node:assert/strict";
import { seedProblem, withoutSeeds } from "../../../configs/seeds";
import { newKey, newSeed } from "../../support/rules/settings";

describe("a problem's words", () => {
  it("keep only the kind of a seed", () => {
    const seed = newSeed();
    assert.deepEqual(withoutSeeds({ where: `keys.${seed}.link`, problem: `'${seed}' is wrong`, cure: `not ${seed}` }), {
      where: "keys.SU…(masked).link",
      problem: "'SU…(masked)' is wrong",
      cure: "not SU…(masked)",
    });
  });

  it("keep only the kind of a mistyped seed, which gives away nearly all of the right one", () => {
    const mistyped = `${newSeed().slice(0, 30)}0o1${newSeed().slice(33)}`;
    assert.equal(withoutSeeds({ where: "", problem: `'${mistyped}'`, cure: "" }).problem, "'SU…(masked)'");
  });

  it("keep a public key and everything else", () => {
    const problem = { where: "sites[0].name", problem: `'${newKey()}' is used twice`, cure: "SUGGEST ANOTHER" };
    assert.deepEqual(withoutSeeds(problem), problem);
  });
});

describe("the seed of a user", () => {
  it("has no problem", () => {
    assert.equal(seedProblem(newSeed()), undefined);
  });

  for (const wrong of ["", "SU", "su", "seed", newSeed().toLowerCase(), ` ${newSeed()}`, `${newSeed()}\n`]) {
    it(`is not ${JSON.stringify(wrong).replace(/su[a-z2-7]{20,}/gi, "a seed")}`, () => {
      assert.equal(seedProblem(wrong)?.problem, "is not a valid seed: damaged, cut short, or something else");
    });
  }
});
