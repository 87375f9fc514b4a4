import fc from "fast-check";
import assert from "node:assert/strict";
import { UNKNOWN, changed, hasUnknown, inputsOnly, same, settled } from "../../../configs/values";

/** Any value that crosses Pulumi's boundary. */
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.string({ maxLength: 6 }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 4 }), tie("value"), { maxKeys: 4 }),
  ),
})).value;

const object = fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), value, { maxKeys: 5 });

/** The value with the keys of every object in reverse order. */
function turned(part: unknown): unknown {
  if (typeof part !== "object" || part === null) return part;
  if (Array.isArray(part)) return part.map(turned);
  return Object.fromEntries(
    Object.entries(part)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

describe("values across Pulumi's boundary", () => {
  describe("settled", () => {
    it("takes the whole old value for an unknown one", () => {
      assert.deepEqual(settled<unknown>(UNKNOWN, { a: 1 }), { a: 1 });
    });

    it("takes an unknown part, however deep, from the old value", () => {
      const news = { keys: { link: UNKNOWN, operator: "U2" }, ports: [UNKNOWN, 2] };
      assert.deepEqual(settled(news, { keys: { link: "U1", operator: "U0" }, ports: [7, 8] }), {
        keys: { link: "U1", operator: "U2" },
        ports: [7, 2],
      });
    });

    it("leaves out what only the old value has", () => {
      assert.deepEqual(settled({ a: 1 }, { a: 1, running: true }), { a: 1 });
    });

    it("makes undefined of an unknown part that the old value does not have", () => {
      assert.deepEqual(settled({ a: { b: UNKNOWN } }, {}), { a: { b: undefined } });
      assert.deepEqual(settled([UNKNOWN], { 0: "no list" }), [undefined]);
    });

    it("changes nothing where nothing is unknown", () => {
      fc.assert(fc.property(value, value, (news, olds) => same(settled(news, olds), news)));
    });

    it("leaves nothing unknown", () => {
      const holed = fc.oneof(value, fc.constant(UNKNOWN), fc.array(fc.oneof(value, fc.constant(UNKNOWN))));
      fc.assert(fc.property(holed, value, (news, olds) => !hasUnknown(settled(news, olds))));
    });

    it("keeps a key named __proto__ an ordinary one", () => {
      const news = JSON.parse('{"__proto__": {"a": 1}}') as object;
      assert.equal(Object.hasOwn(settled(news, {}), "__proto__"), true);
    });
  });

  describe("changed", () => {
    it("is false when all is as it was, whatever the provider added", () => {
      fc.assert(fc.property(object, (news) => !changed(news, news)));
    });

    it("is false when everything is unknown", () => {
      fc.assert(fc.property(value, (olds) => !changed(UNKNOWN, olds)));
    });

    it("is false when one input is unknown and the others are as they were", () => {
      fc.assert(
        fc.property(object, (olds) => Object.keys(olds).every((key) => !changed({ ...olds, [key]: UNKNOWN }, olds))),
      );
    });

    it("is true when a known part differs beside an unknown one", () => {
      assert.equal(changed({ a: UNKNOWN, b: 2 }, { a: 1, b: 1 }), true);
    });

    it("is true when a list is longer or shorter", () => {
      assert.equal(changed([1, 2], [1]), true);
      assert.equal(changed([1], [1, 2]), true);
    });

    it("is true when a key went away", () => {
      assert.equal(changed({}, { link: "U1" }), true);
    });
  });

  describe("hasUnknown", () => {
    it("finds the unknown at any depth", () => {
      assert.equal(hasUnknown({ a: [{ b: UNKNOWN }] }), true);
    });

    it("finds nothing in what is known", () => {
      fc.assert(fc.property(value, (known) => !hasUnknown(known)));
    });

    it("does not take a text that holds the sentinel for unknown", () => {
      assert.equal(hasUnknown(`nats://${UNKNOWN}`), false);
    });
  });

  describe("same", () => {
    it("holds for a value and itself with its keys in another order", () => {
      fc.assert(fc.property(value, (a) => same(a, turned(a))));
    });

    it("is symmetric", () => {
      fc.assert(fc.property(value, value, (a, b) => same(a, b) === same(b, a)));
    });

    it("takes undefined for absent", () => {
      assert.equal(same({ a: 1, b: undefined }, { a: 1 }), true);
    });

    it("does not take a list for an object, null for an object, or text for a number", () => {
      assert.equal(same([], {}), false);
      assert.equal(same(null, {}), false);
      assert.equal(same("1", 1), false);
    });

    it("does not take lists in different order for equal", () => {
      assert.equal(same([1, 2], [2, 1]), false);
    });
  });

  describe("inputsOnly", () => {
    it("drops the text of the provider and nothing else", () => {
      fc.assert(fc.property(object, (inputs) => same(inputsOnly({ ...inputs, __provider: "exports…" }), inputs)));
    });
  });
});
