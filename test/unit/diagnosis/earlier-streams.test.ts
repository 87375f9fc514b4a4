import assert from "node:assert/strict";
import { Gap } from "../../../diagnosis/book/gaps";
import { GoneFront, holesAfter, withNewHoles } from "../../../diagnosis/book/holes";
import { gapBetween } from "../../../diagnosis/book/holes-seen";
import { Delivery, Run, inOrder, newestOf, ofEarlierStream, pastOf, startingAt } from "../../../diagnosis/book/runs";
import { afterHubWentBack, onlyCopies, secondOfEarlier } from "../../../diagnosis/book/second-copies";
import { EMPTY_END, lookOf } from "../../support/book/looks";

const past = (ident: string, origin: number) => ({ ident, origin });

describe("copies of an earlier stream of a site", () => {
  const runs = ofEarlierStream([{ seq: 21, origin: 5, count: 4 }], "A");

  it("keep which stream they are of, and their sequences there", () => {
    assert.deepEqual(runs, [{ seq: 21, origin: 0, count: 4, past: past("A", 5) }]);
    assert.deepEqual(startingAt(runs, 23), [{ seq: 23, origin: 0, count: 2, past: past("A", 7) }]);
    assert.deepEqual(pastOf(runs, "A"), [{ first: 5, last: 8 }]);
    assert.deepEqual(pastOf(runs, "B"), []);
    assert.deepEqual(ofEarlierStream(runs, "B"), runs, "also when one more stream follows");
  });

  it("become one run only where they go on in their own stream", () => {
    const one = { seq: 1, origin: 0, count: 2, past: past("A", 5) };
    const joined = (next: Run) => inOrder([one, next]).length;
    assert.equal(joined({ seq: 3, origin: 0, count: 1, past: past("A", 7) }), 1);
    assert.equal(joined({ seq: 3, origin: 0, count: 1, past: past("A", 8) }), 2);
    assert.equal(joined({ seq: 3, origin: 0, count: 1, past: past("B", 7) }), 2);
    assert.equal(joined({ seq: 3, origin: 0, count: 1 }), 2);
  });

  const site = { isHeld: () => true, purged: { count: 0, last: 0 } };
  const gap = (first: number, last: number): Gap => ({
    site: "oslo",
    after: 10,
    before: 14,
    origins: [],
    earlier: last - first + 1,
    past: { ident: "A", origins: [{ first, last }] },
  });

  it("are known by their sequences where they left the middle of the hub's stream", () => {
    const empty = [{ first: 11, last: 13 }];
    const whole = withNewHoles({}, [[gap(31, 33), [11, 12, 13]]], { ...site, empty });
    assert.deepEqual(whole.holes, [{ seq: 11, origin: 0, count: 3, past: past("A", 31) }]);
    const unknown = withNewHoles({}, [[gap(31, 35), [11, 12, 13]]], { ...site, empty });
    assert.deepEqual(unknown.holes, [{ seq: 11, origin: 0, count: 3 }], "of five, nobody knows which three");
  });

  it("are between two copies of one stream, less those that are known to be gone", () => {
    const look = lookOf({ at: "1", atSite: EMPTY_END, onHub: EMPTY_END, position: 5, ident: "B", earlier: "A" });
    const holes = [{ seq: 11, origin: 0, count: 1, past: past("A", 31) }];
    const found = gapBetween(
      { seq: 10, origin: 30, ident: "A" },
      { seq: 14, origin: 34, ident: "A" },
      { site: "oslo", record: { holes } as never, look },
    );
    assert.deepEqual(found.past, { ident: "A", origins: [{ first: 32, last: 33 }] });
    assert.equal(found.earlier, 2);
  });

  it("are lost with a hub's store as second ones, where their first ones had left it", () => {
    // Second copies of 5 to 8 stand at 21 to 24.
    const lost = (more: object) => onlyCopies({ second: runs, ...more }, 1, []).lost ?? 0;
    assert.equal(lost({ oldest: 0 }), 0);
    assert.equal(lost({ oldest: 3 }), 4, "the oldest copy is of the stream of now");
    assert.equal(lost({ oldest: 0, oldestPast: past("A", 7) }), 2);
    assert.equal(lost({ oldest: 0, oldestPast: past("B", 7) }), 0);
    const holes = [{ seq: 9, origin: 0, count: 2, past: past("A", 6) }];
    assert.equal(
      lost({ oldest: 0, oldestPast: past("A", 6), holes }),
      3,
      "5 before the oldest, 6 and 7 from the middle",
    );
    const second = secondOfEarlier({ second: [{ seq: 21, origin: 5, count: 4 }], oldest: 6 }, "A");
    assert.deepEqual(second[0], { seq: 21, origin: 0, count: 1, isOnly: true, past: past("A", 5) });
  });

  it("are lost with what a store that went back lacks, but for those that are there again or were deleted", () => {
    const record = { second: runs, oldest: 0, oldestPast: past("A", 8) };
    const turned = { stands: 10, still: [], empty: [], first: 1 };
    const lost = (more: object) => afterHubWentBack(record, { ...turned, ...more }).lost ?? 0;
    assert.equal(lost({ oldest: 1 }), 3);
    assert.equal(lost({ oldest: 1, empty: [{ first: 21, last: 22 }] }), 1);
    assert.equal(lost({ oldest: 0, oldestPast: past("A", 6) }), 1, "6 and 7 are there again");
    assert.equal(lost({ oldest: 1, still: [{ seq: 21, origin: 0, count: 2, past: past("A", 5) }] }), 1);
  });
});

describe("what had left the oldest end of a store that went back", () => {
  const gone = (front: GoneFront) => ({ gone: { at: [], earlier: 0, behind: 30, front } });
  const left = (front: GoneFront, delivery: Delivery, isAnew = false) => {
    const { leftMiddle = 0, leftMiddleAt = [] } = holesAfter(gone(front), { isAnew, repeated: undefined, delivery });
    return [leftMiddle, leftMiddleAt];
  };
  // The hub has the site's messages up to 30, and takes those from 46 on.
  const delivery = { from: 31, deleted: [], passed: [{ first: 31, last: 45 }] };

  it("is no loss, but what it still held is one", () => {
    assert.deepEqual(left({ count: 20, oldest: 51 }, delivery), [15, [{ first: 31, last: 45 }]]);
    assert.deepEqual(left({ count: 10, oldest: 41 }, delivery), [10, [{ first: 31, last: 40 }]]);
  });

  it("never had what the lost store passed", () => {
    assert.deepEqual(left({ count: 8, oldest: 41 }, delivery), [8, [{ first: 33, last: 40 }]]);
  });

  it("is all of an earlier stream of the site, where the site has another one", () => {
    assert.deepEqual(left({ count: 7, oldest: 0 }, { ...delivery, from: 1, passed: [] }), [7, []]);
    assert.deepEqual(left({ count: 7, oldest: 41 }, delivery, true), [7, []]);
  });

  it("is unknown where nobody read what the hub took again, and nothing where it is older than that", () => {
    assert.deepEqual(left({ count: 20, oldest: 51 }, { from: 31, deleted: [] }), [0, []]);
    assert.deepEqual(left({ count: 20, oldest: 11 }, delivery), [0, []]);
  });

  it("is the newest of what does not come again", () => {
    const ranges = [
      { first: 1, last: 5 },
      { first: 8, last: 10 },
    ];
    assert.deepEqual(newestOf(ranges, 4), [{ first: 5, last: 5 }, ranges[1]]);
    assert.deepEqual(newestOf(ranges, 100), ranges);
    assert.deepEqual(newestOf(ranges, 0), []);
  });
});
