import assert from "node:assert/strict";
import { wavesOf } from "../../../../configs/waves/waves";
import { settingsOf } from "../../../support/rules/settings";

const namesOf = (sites: { name: string; wave?: number }[]): [number | undefined, string][] =>
  wavesOf(settingsOf({ sites })).map(({ number, sites: ofWave }) => [number, ofWave.map(({ name }) => name).join()]);

describe("the waves of a fleet", () => {
  it("are one where no site has a number", () => {
    assert.deepEqual(namesOf([{ name: "oslo" }, { name: "bergen" }]), [[undefined, "oslo,bergen"]]);
  });

  it("come in the order of their numbers, sites without one last", () => {
    const sites = [
      { name: "tromso" },
      { name: "bergen", wave: 20 },
      { name: "oslo", wave: 3 },
      { name: "skien", wave: 20 },
    ];
    assert.deepEqual(namesOf(sites), [
      [3, "oslo"],
      [20, "bergen,skien"],
      [undefined, "tromso"],
    ]);
  });
});
