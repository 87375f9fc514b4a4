import assert from "node:assert/strict";
import { ofEarlierStream, undelivered } from "../../../diagnosis/book/runs";
import {
  afterDelivery,
  afterHubWentBack,
  behindSecond,
  onlyCopies,
  secondBelow,
  secondOf,
  withCopies,
} from "../../../diagnosis/book/second-copies";

const copies = (seq: number, ...origins: number[]) => origins.map((origin, i) => ({ seq: seq + i, origin }));

describe("second copies on the hub", () => {
  it("are those of messages that the hub had taken before, whichever source was first", () => {
    const second = secondOf(copies(11, 11, 1, 12, 2, 13, 13, 14), 10);
    assert.deepEqual(
      second.map(({ seq }) => seq),
      [12, 14, 16],
    );
  });

  it("are kept by runs, each once", () => {
    const runs = withCopies([], copies(21, 1, 2, 3, 7, 8));
    assert.deepEqual(runs, [
      { seq: 21, origin: 1, count: 3 },
      { seq: 24, origin: 7, count: 2 },
    ]);
    assert.deepEqual(withCopies(runs, [...copies(24, 7, 8), ...copies(26, 9)]), [
      { seq: 21, origin: 1, count: 3 },
      { seq: 24, origin: 7, count: 3 },
    ]);
  });

  it("are kept up to a number of runs, the newest", () => {
    const runs = withCopies(
      [],
      Array.from({ length: 3_000 }, (_, i) => ({ seq: i + 1, origin: 2 * i + 1 })),
    );
    assert.equal(runs.length, 1_000);
    assert.deepEqual(runs[0], { seq: 2_001, origin: 4_001, count: 1 });
  });

  it("are passed by whoever looks for the oldest first copy", () => {
    const runs = [
      { seq: 5, origin: 1, count: 3 },
      { seq: 8, origin: 9, count: 1 },
    ];
    assert.deepEqual(
      [4, 5, 7, 8, 9].map((seq) => behindSecond(runs, seq)),
      [4, 9, 9, 9, 9],
    );
  });

  it("are the only ones below the oldest first copy, while the hub holds them", () => {
    const second = [
      { seq: 31, origin: 1, count: 5 },
      { seq: 36, origin: 18, count: 5 },
      { seq: 41, origin: 4, count: 3 },
    ];
    assert.deepEqual(onlyCopies({ second, oldest: 21 }, 21, []).only, [
      { first: 1, last: 6 },
      { first: 18, last: 20 },
    ]);
    assert.deepEqual(onlyCopies({ second, oldest: 21 }, 34, []).only, [
      { first: 4, last: 6 },
      { first: 18, last: 20 },
    ]);
    assert.deepEqual(onlyCopies({ oldest: 21 }, 1, []).only, [], "a record of an earlier version");
  });

  it("come again where the site holds their messages", () => {
    const ranges = [
      { first: 1, last: 6 },
      { first: 18, last: 20 },
    ];
    assert.deepEqual(undelivered(ranges, { from: 5, deleted: [2, 6, 19] }), [
      { first: 1, last: 4 },
      { first: 6, last: 6 },
      { first: 19, last: 19 },
    ]);
    const lost = afterDelivery({ only: ranges }, { from: 5, deleted: [] });
    assert.deepEqual(lost, { lost: 4, lostAt: [{ first: 1, last: 4 }] });
    assert.deepEqual(afterDelivery({ ...lost, only: [] }, { from: 1, deleted: [3] }), {
      lost: 1,
      lostAt: [{ first: 3, last: 3 }],
    });
    assert.deepEqual(afterDelivery({}, { from: 5, deleted: [] }), {});
  });

  it("stay lost where their sequences say nothing any more", () => {
    assert.deepEqual(afterDelivery({ lost: 3 }, { from: 1, deleted: [] }), { lost: 3 });
  });

  it("are counted where they left the hub, when the book knows all of them", () => {
    const second = [
      { seq: 31, origin: 1, count: 5 },
      { seq: 40, origin: 19, count: 4 },
    ];
    assert.equal(secondBelow({ second }, 42, 9), 7);
    assert.equal(secondBelow({ second: ofEarlierStream(second) }, 42, 9), 7);
    assert.equal(secondBelow({ second }, 42, 10), undefined);
    assert.equal(secondBelow({}, 42, 0), 0);
    // The first copies of the earlier stream have left the hub: these are the only ones.
    assert.deepEqual(onlyCopies({ second: ofEarlierStream(second), oldest: 21 }, 33, []), { only: [], lost: 7 });
    assert.deepEqual(onlyCopies({ second: ofEarlierStream(second) }, 33, []), { only: [] });
  });

  it("go with a store that went back to before them", () => {
    const second = [
      { seq: 31, origin: 1, count: 5 },
      { seq: 40, origin: 19, count: 4 },
    ];
    assert.deepEqual(afterHubWentBack({ second }, { stands: 33, still: [], empty: [], oldest: 21, first: 21 }), {
      second: [{ seq: 31, origin: 1, count: 3 }],
      lost: 4,
      lostAt: [
        { first: 4, last: 5 },
        { first: 19, last: 20 },
      ],
    });
    const older = { stands: 10, still: [], empty: [], oldest: 1, first: 21 };
    assert.deepEqual(afterHubWentBack({ second }, older), { second: [] }, "to before what had left it");
    assert.deepEqual(afterHubWentBack({}, older), {});
  });
});
