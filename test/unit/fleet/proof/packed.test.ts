import assert from "node:assert/strict";
import { packed, unpacked } from "../../../../fleet/proof/packed";

const BOOK = Object.fromEntries(
  Array.from({ length: 200 }, (_, i) => [`SITE_${i}`, { position: i, source: `$JS.site-${i}.API`, word: "å ✓" }]),
);

describe("a packed value", () => {
  it("is the same again", () => assert.deepEqual(unpacked<unknown>(packed(BOOK)), BOOK));

  it("is the other one after another one", () => {
    assert.deepEqual(unpacked<unknown>(packed([1])), [1]);
    assert.deepEqual(unpacked<unknown>(packed([2])), [2]);
  });

  it("is itself where it was stored as it is", () => assert.equal(unpacked<object>(BOOK), BOOK));

  it("takes a fifth of the room, or less", () =>
    assert.ok(packed(BOOK).length * 5 < JSON.stringify(BOOK).length, `${packed(BOOK).length}`));
});
