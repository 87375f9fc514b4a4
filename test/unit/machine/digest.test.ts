import fc from "fast-check";
import assert from "node:assert/strict";
import { digest } from "../../../machine/digest";

describe("digest", () => {
  it("is the same whatever the order of keys, at any depth", () => {
    assert.equal(
      digest({ a: { x: 1, y: 2 }, b: [{ p: 1, q: 2 }] }),
      digest({ b: [{ q: 2, p: 1 }], a: { y: 2, x: 1 } }),
    );
  });

  it("is the same with and without a key that is undefined", () => {
    assert.equal(digest({ a: 1, natsServer: undefined }), digest({ a: 1 }));
  });

  it("differs when the order of a list does", () => {
    assert.notEqual(digest([1, 2]), digest([2, 1]));
  });

  it("differs for a number and the same number as text", () => {
    assert.notEqual(digest({ port: 4222 }), digest({ port: "4222" }));
  });

  it("is the same after a way through JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const there = JSON.parse(JSON.stringify(value)) as unknown;
        return digest(there) === digest(value);
      }),
    );
  });

  it("is 16 characters, and holds nothing of what it stands for", () => {
    assert.match(digest({ seed: "anything" }), /^[0-9a-f]{16}$/);
  });
});
