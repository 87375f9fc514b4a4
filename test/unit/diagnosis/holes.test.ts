import fc from "fast-check";
import assert from "node:assert/strict";
import type { Look } from "../../../diagnosis/book/look";
import { EMPTY_END, lookOf } from "../../support/book/looks";
import { advance } from "../../../diagnosis/book/advance";
import { Gap, filled } from "../../../diagnosis/book/gaps";
import { holesAfter, holesTurned, withNewHoles, withPassed } from "../../../diagnosis/book/holes";
import { Collection } from "../../../diagnosis/book/ledger";
import {
  Range,
  inBoth,
  inOrder,
  mergedRanges,
  lengthOf,
  partedBy,
  rangesOf,
  undelivered,
  without,
} from "../../../diagnosis/book/runs";

const all = { isHeld: () => true, purged: { count: 0, last: 0 } };
const gap = (site: string, after: number, before: number, origins: Range[], earlier = 0): Gap => ({
  site,
  after,
  before,
  origins,
  earlier,
});
const seqs = (ranges: readonly Range[]): number[] =>
  ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

describe("ranges of sequences", () => {
  const some = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map(rangesOf);

  it("are without, in both, and joined, as their sequences are", () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const [of, other] = [new Set(seqs(a)), new Set(seqs(b))];
        assert.deepEqual(
          seqs(without(a, b)),
          [...of].filter((seq) => !other.has(seq)),
        );
        assert.deepEqual(
          seqs(inBoth(a, b)),
          [...of].filter((seq) => other.has(seq)),
        );
        assert.deepEqual(new Set(seqs(mergedRanges([...a, ...b]))), new Set([...of, ...other]));
      }),
    );
  });

  it("are not delivered below the first one that the site holds, and where it deleted", () => {
    fc.assert(
      fc.property(some, fc.nat(60), fc.array(fc.integer({ min: 1, max: 60 })), (ranges, from, deleted) => {
        const expected = seqs(ranges).filter((seq) => seq < from || deleted.includes(seq));
        assert.deepEqual(seqs(undelivered(ranges, { from, deleted })), expected);
      }),
    );
  });

  it("part runs by what they are at the site", () => {
    const runs = [
      { seq: 31, origin: 1, count: 5 },
      { seq: 40, origin: 0, count: 2 },
    ];
    assert.deepEqual(partedBy(runs, [{ first: 2, last: 3 }]), {
      inside: [{ seq: 32, origin: 2, count: 2 }],
      outside: [
        { seq: 31, origin: 1, count: 1 },
        { seq: 34, origin: 4, count: 2 },
        { seq: 40, origin: 0, count: 2 },
      ],
    });
  });
});

describe("holes in the hub's stream", () => {
  it("are found by the copies beside them, whose site left out just as many", () => {
    // Oslo's copies at 4 and 9, bergen's at 3 and 8: 5 to 7 are gone.
    const [oslo, bergen] = [gap("oslo", 4, 9, [{ first: 12, last: 12 }]), gap("bergen", 3, 8, [{ first: 7, last: 8 }])];
    const found = filled([{ first: 5, last: 7 }], [oslo, bergen]);
    assert.deepEqual([found.get(oslo)?.length, found.get(bergen)?.length], [1, 2]);
    const record = withNewHoles({}, [[bergen, found.get(bergen) ?? []]], { ...all, empty: [{ first: 5, last: 7 }] });
    assert.deepEqual(record.holes?.map(({ origin, count }) => [origin, count]).flat(), [7, 2]);
  });

  it("are left out where nobody can tell whose they were", () => {
    assert.deepEqual(filled([{ first: 5, last: 5 }], [gap("oslo", 4, 9, [])]).size, 1);
    const [one] = filled([{ first: 5, last: 5 }], [gap("oslo", 4, 9, [])]);
    assert.deepEqual(one?.[1], []);
  });

  it("are of an earlier stream of the site where its copies say so", () => {
    const boundary = gap("oslo", 4, 9, [{ first: 1, last: 1 }], Infinity);
    const found = filled([{ first: 5, last: 7 }], [boundary]);
    const { holes } = withNewHoles({}, [...found], { ...all, empty: [{ first: 5, last: 7 }] });
    assert.deepEqual(holes, [
      { seq: 5, origin: 0, count: 2 },
      { seq: 7, origin: 1, count: 1 },
    ]);
  });

  it("are first those that the site still holds, when the hub also passed some", () => {
    const one = gap("oslo", 4, 6, [{ first: 10, last: 14 }]);
    const record = withNewHoles({}, [[one, [5]]], {
      ...all,
      isHeld: (origin) => origin === 11,
      empty: [{ first: 5, last: 5 }],
    });
    assert.deepEqual(record.holes, [{ seq: 5, origin: 11, count: 1 }]);
    assert.deepEqual(record.passed, [
      { first: 10, last: 10 },
      { first: 12, last: 14 },
    ]);
  });

  it("are not the probes that this program purged", () => {
    const one = gap("oslo", 4, 9, [{ first: 10, last: 13 }]);
    const record = withNewHoles({}, [[one, [5, 6, 7, 8]]], {
      isHeld: (origin) => origin > 11,
      purged: { count: 2, last: 6 },
      empty: [{ first: 5, last: 8 }],
    });
    assert.deepEqual(record.holes, [{ seq: 7, origin: 12, count: 2 }]);
    assert.deepEqual(record.passed, [{ first: 10, last: 11 }]);
  });

  it("are beside the probes of each removal, wherever a killed server holds the messages around them again", () => {
    // Probes stood at 3 and 4, whose copies nobody can tell any more, and at 8 and 9; 6 was deleted.
    const one = gap("oslo", 5, 7, [{ first: 10, last: 10 }]);
    const other = gap("oslo", 7, 10, [{ first: 12, last: 13 }]);
    const found = [
      [one, [6]],
      [other, [8, 9]],
    ] as const;
    const record = withNewHoles({}, found, {
      isHeld: () => false,
      purged: {
        count: 4,
        last: 9,
        removals: [
          { last: 4, count: 2 },
          { last: 9, count: 2 },
        ],
      },
      unknown: [3, 4],
      empty: [
        { first: 3, last: 4 },
        { first: 6, last: 6 },
        { first: 8, last: 9 },
      ],
    });
    assert.deepEqual(record.holes, [{ seq: 6, origin: 10, count: 1 }]);
  });

  it("are none any more where a killed server holds the message again", () => {
    const holes = [{ seq: 5, origin: 10, count: 4 }];
    const record = withNewHoles({ holes }, [], { ...all, empty: [{ first: 6, last: 7 }] });
    assert.deepEqual(record.holes, [{ seq: 6, origin: 11, count: 2 }]);
  });

  const holes = [
    { seq: 5, origin: 0, count: 2 },
    { seq: 12, origin: 9, count: 4 },
  ];

  it("are no loss when the hub loses its store, unless the site delivers them again", () => {
    const turned = holesTurned({ holes, oldest: 3 }, { isAnew: true, stands: undefined, first: 6, isAlone: true });
    assert.deepEqual(turned, { holes: [], gone: { at: [{ first: 9, last: 12 }], earlier: 1, behind: 0 } });
    const site = { isAnew: false, repeated: undefined };
    const after = holesAfter(turned, { ...site, delivery: { from: 10, deleted: [12] } });
    assert.deepEqual([after.leftMiddle, after.leftMiddleAt], [3, rangesOf([9, 12])]);
    // The next store is lost too, and the site holds one more of them by then.
    const next = holesTurned(after, { isAnew: true, stands: undefined, first: 1, isAlone: true });
    const again = holesAfter({ ...after, ...next }, { ...site, delivery: { from: 9, deleted: [12] } });
    assert.deepEqual([again.leftMiddle, again.leftMiddleAt], [2, rangesOf([12])]);
  });

  it("stay where the hub's store went back to a message behind them", () => {
    const turned = holesTurned({ holes }, { isAnew: false, stands: 13, first: 1, isAlone: true });
    assert.deepEqual(turned, {
      holes: [
        { seq: 5, origin: 0, count: 2 },
        { seq: 12, origin: 9, count: 2 },
      ],
      gone: { at: [{ first: 11, last: 12 }], earlier: 0, behind: 13 },
    });
    assert.deepEqual(holesTurned({ holes }, { isAnew: false, stands: undefined, first: 1, isAlone: true }), {});
  });

  it("are never delivered again once the site has another stream, or gave their sequences away again", () => {
    const delivery = { from: 1, deleted: [] };
    const anew = holesAfter(
      { holes, leftMiddle: 2, leftMiddleAt: rangesOf([1, 2]) },
      {
        isAnew: true,
        repeated: undefined,
        delivery,
      },
    );
    assert.deepEqual(anew, {
      holes: holes.map((run) => ({ ...run, origin: 0 })),
      leftMiddle: 2,
    });
    const back = holesAfter({ holes }, { isAnew: false, repeated: { first: 11, last: 20 }, delivery });
    assert.deepEqual(back.holes, [
      { seq: 5, origin: 0, count: 2 },
      { seq: 12, origin: 9, count: 2 },
      { seq: 14, origin: 0, count: 2 },
    ]);
  });

  it("are kept up to a number of runs and ranges, the newest", () => {
    const odd = Array.from({ length: 3_000 }, (_, i) => 2 * i + 1);
    const gaps = odd.map((seq): [Gap, number[]] => [gap("oslo", seq - 1, seq + 1, [{ first: seq, last: seq }]), [seq]]);
    const record = withNewHoles({}, gaps, { ...all, empty: rangesOf(odd) });
    assert.equal(record.holes?.length, 1_000);
    assert.equal(record.holes?.at(-1)?.seq, odd.at(-1));
    assert.equal(withPassed({}, rangesOf(odd)).passed?.length, 1_000);
    const lost = holesTurned(
      { holes: odd.map((seq) => ({ seq, origin: seq, count: 1 })) },
      { isAnew: true, stands: undefined, first: 1, isAlone: true },
    );
    const after = holesAfter(lost, { isAnew: false, repeated: undefined, delivery: { from: 1e6, deleted: [] } });
    assert.equal(after.leftMiddle, 3_000, "their number is known");
    assert.equal(after.leftMiddleAt?.length, 1_000);
    assert.ok(JSON.stringify([record, after]).length < 200_000);
  });

  it("are told once by the book of a hub that loses its store, in a record of an earlier version too", () => {
    assert.deepEqual(lengthOf(mergedRanges([])), 0);
    assert.deepEqual(inOrder([]), []);
    const end = { ...EMPTY_END, created: "a", last: 20, held: 20 };
    const look = (at: string, more: Partial<Look>) =>
      lookOf({ at, hubNow: 0, atSite: end, onHub: end, position: 20, ident: "A", ...more });
    const begun = advance(undefined, look("1", {}));
    const cut = { ...end, held: 17, deleted: 3, empty: [{ first: 5, last: 7 }] };
    const book = advance(begun, look("2", { onHub: cut }));
    const lost = { ...end, created: "b", last: 2, held: 2, history: "made anew" as const };
    const last = look("3", {
      atSite: { ...end, first: 19, held: 2 },
      onHub: lost,
      oldest: 19,
      delivery: { from: 19, deleted: [] },
    });
    const told = (one: Collection) =>
      advance(one, last).sites.oslo?.differences.map(({ kind, count }) => [kind, count]);
    const { oslo } = book.sites;
    assert.ok(oslo);
    const known = { ...book, sites: { oslo: { ...oslo, holes: [{ seq: 5, origin: 5, count: 3 }] } } };
    assert.deepEqual(told(known), [["missing", 15]]);
    assert.deepEqual(told(book), [["missing", 18]], "which of them were deleted is not in an older record");
  });
});
