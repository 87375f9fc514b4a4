import assert from "node:assert/strict";
import { mayDiscard, mayDiscardAll, mayDiscardCollected } from "../../../../fleet/sourcing/discard";
import { withEnvironment } from "../../providers/temp-folder";

describe("the permission to lose messages", () => {
  withEnvironment(() => ({ DISCARD: undefined, DISCARD_COLLECTED: undefined }));

  it("is not there unless it is given", () => {
    assert.deepEqual([mayDiscard("oslo"), mayDiscardAll(), mayDiscardCollected("oslo")], [false, false, false]);
  });

  it("is not there when the variable is empty", () => {
    process.env.DISCARD = "";
    assert.deepEqual([mayDiscard("oslo"), mayDiscardAll()], [false, false]);
  });

  it("is given for everything with 1", () => {
    process.env.DISCARD = "1";
    assert.deepEqual([mayDiscard("oslo"), mayDiscardAll()], [true, true]);
  });

  it("is given for the named sites and no others, and not for destroy", () => {
    process.env.DISCARD = "oslo, bergen";
    assert.deepEqual(
      [mayDiscard("oslo"), mayDiscard("bergen"), mayDiscard("oslo2"), mayDiscard("os"), mayDiscardAll()],
      [true, true, false, false, false],
    );
  });

  it("is not given by other words", () => {
    for (const word of ["true", "yes", "0", "11", "all"]) {
      process.env.DISCARD = word;
      assert.equal(mayDiscard("oslo") || mayDiscardAll(), false, word);
    }
  });

  it("for what a site has not delivered is none for what the hub collected, nor the other way round", () => {
    process.env.DISCARD = "oslo";
    assert.equal(mayDiscardCollected("oslo"), false);
    delete process.env.DISCARD;
    process.env.DISCARD_COLLECTED = "oslo";
    assert.deepEqual([mayDiscardCollected("oslo"), mayDiscard("oslo")], [true, false]);
  });
});
