import fc from "fast-check";
import assert from "node:assert/strict";
import { advance } from "../../../diagnosis/book/advance";
import {
  Collection,
  Difference,
  withDifference,
  withMark,
  withoutMissing,
  withoutSite,
} from "../../../diagnosis/book/ledger";
import {
  withProbesBack,
  withProbesBackAt,
  withProbesGone,
  withProbesGoneAt,
} from "../../../diagnosis/book/probes-back";
import { EndSeen, Look } from "../../../diagnosis/book/look";
import { EMPTY_END, lookOf, told } from "../../support/book/looks";

/** A stream that holds all that it ever stored. */
const stored = (last: number, more: Partial<EndSeen> = {}): EndSeen => ({ ...EMPTY_END, last, held: last, ...more });

const look = (at: string, atSite: EndSeen, onHub: EndSeen, position: number, more: Partial<Look> = {}): Look =>
  lookOf({
    at: `2026-11-01T${at}:00Z`,
    atSite,
    onHub,
    position,
    oldest: onHub.held === 0 ? position + 1 : onHub.first,
    ...more,
  });

const after = (...looks: Look[]): Collection => {
  const book = looks.reduce<Collection | undefined>((before, one) => advance(before, one), undefined);
  assert.ok(book);
  return book;
};

describe("the arithmetic of the account book", () => {
  it("begins where the fleet is, whatever was lost before", () => {
    assert.deepEqual(told(after(look("01:00", stored(100), stored(61), 100))), []);
  });

  it("counts what the hub passed without storing it", () => {
    const book = after(look("01:00", stored(10), stored(10), 10), look("02:00", stored(60), stored(21), 60));
    assert.deepEqual(told(book), [{ kind: "missing", count: 39 }]);
  });

  it("counts what the site dropped before the hub took it, while the link is still down", () => {
    const cut = stored(60, { first: 51, held: 10 });
    const book = after(
      look("01:00", stored(10), stored(10), 10),
      look("02:00", cut, stored(10), 10, { gap: 40, waiting: 10 }),
    );
    assert.deepEqual(told(book), [{ kind: "missing", count: 40 }]);
    const later = advance(book, look("03:00", cut, stored(20), 60));
    assert.deepEqual(told(later), [{ kind: "missing", count: 40 }], "it is told once");
  });

  it("counts no more what a killed site holds again, whether the hub has taken it or not", () => {
    const book = after(
      look("01:00", stored(10), stored(10), 10),
      look("02:00", stored(60, { first: 51, held: 10 }), stored(10), 10, { gap: 40, waiting: 10 }),
    );
    const back = look("03:00", stored(60, { first: 21, held: 40 }), stored(10), 10, { gap: 10, waiting: 40 });
    assert.deepEqual(told(advance(book, back)), [{ kind: "missing", count: 10 }]);
    assert.deepEqual(told(advance(book, look("03:00", stored(60), stored(60), 60))), []);
  });

  it("counts probes that a killed hub holds again as probes, and not among what left the stream", () => {
    const empty = [{ first: 4, last: 6 }];
    const book = after(
      look("01:00", stored(10), stored(10, { empty: [] }), 10),
      look("02:00", stored(10), stored(10, { first: 3, held: 5, deleted: 3, empty }), 10),
    );
    const [record] = Object.values(book.sites);
    assert.ok(record);
    const own = { ...record.own, purgedAtSite: 3, purgedOnHub: 3 };
    const purged: Collection = { ...book, sites: { oslo: { ...record, own, purges: [{ last: 6, count: 3 }] } } };
    const now = withProbesBack({ ...purged, hub: { ...book.hub, empty, otherwise: 2 } }, { oslo: [5, 6] });
    assert.deepEqual(
      [now.sites.oslo?.own.purgedOnHub, now.sites.oslo?.purges, now.hub.held, now.hub.empty],
      [1, [{ last: 6, count: 1 }], 7, [{ first: 4, last: 4 }]],
    );
    // A message at 2 is back too, which somebody had deleted.
    const seen = stored(10, { first: 2, held: 8, deleted: 1, empty: [{ first: 4, last: 4 }] });
    assert.equal(advance(now, look("03:00", stored(10), seen, 10)).hub.otherwise, 1);
  });

  it("counts probes as purged that a killed hub held again and somebody else removed", () => {
    const book = after(look("01:00", stored(10), stored(10, { empty: [] }), 10));
    const [record] = Object.values(book.sites);
    assert.ok(record);
    const own = { ...record.own, purgedAtSite: 3, purgedOnHub: 1 };
    const back = [{ first: 5, last: 6 }];
    const held: Collection = { ...book, sites: { oslo: { ...record, own, back, purges: [{ last: 6, count: 1 }] } } };
    const now = withProbesGone(held, { first: 1, empty: [{ first: 6, last: 7 }] });
    assert.deepEqual(
      [now.sites.oslo?.own.purgedOnHub, now.sites.oslo?.purges, now.sites.oslo?.back, now.hub.held, now.hub.empty],
      [2, [{ last: 6, count: 2 }], [{ first: 5, last: 5 }], 9, [{ first: 6, last: 6 }]],
    );
  });

  it("counts probes that the hub's stream has passed, and a killed site holds again, as what the hub need not have", () => {
    const anew: Partial<EndSeen> = { created: "2026-11-01T01:30:00Z", history: "made anew" };
    const book = after(look("01:00", stored(10), stored(10), 10));
    const [record] = Object.values(book.sites);
    assert.ok(record);
    const own = { ...record.own, purgedAtSite: 4, purgedOnHub: 4 };
    const hub = { ...book.hub, held: 6, empty: [{ first: 3, last: 6 }] };
    const purged: Collection = { ...book, hub, sites: { oslo: { ...record, own, purges: [{ last: 6, count: 4 }] } } };
    const cut = { held: 6, deleted: 4, empty: [{ first: 3, last: 6 }] };
    const delivery = { from: 1, deleted: [3, 4, 5, 6] };
    const turned = advance(purged, look("02:00", stored(10, cut), stored(6, { ...anew, empty: [] }), 10, { delivery }));
    assert.deepEqual(told(turned), []);
    const back = withProbesBackAt(turned, "oslo", [5, 6]);
    const after3 = advance(back, look("03:00", stored(10), stored(6, { ...anew, history: "same", empty: [] }), 10));
    assert.deepEqual(told(after3), [], "they are at the site, and not missing on the hub");
    const gone = withProbesGoneAt(after3, "oslo", { first: 1, empty: [{ first: 3, last: 6 }] });
    assert.equal(gone.sites.oslo?.own.purgedAtSite, 4);
    assert.deepEqual(gone.sites.oslo?.backAtSite, []);
  });

  it("takes a probe that the hub never had for no message that is reported already", () => {
    const lossy = after(look("01:00", stored(10), stored(10), 10), look("02:00", stored(20), stored(15), 20));
    const [record] = Object.values(lossy.sites);
    assert.ok(record);
    const own = { ...record.own, purgedAtSite: 2 };
    const book: Collection = { ...lossy, sites: { oslo: { ...record, own } } };
    const quiet = advance(book, look("03:00", stored(20), stored(15), 20));
    assert.deepEqual(told(quiet), [{ kind: "missing", count: 5 }]);
    const next = advance(quiet, look("04:00", stored(23), stored(15), 23));
    assert.deepEqual(told(next), [{ kind: "missing", count: 6 }], "two of the next three were probes");
    assert.deepEqual(told(advance(next, look("05:00", stored(23), stored(15), 23))), [{ kind: "missing", count: 6 }]);
  });

  it("counts no more what a killed site holds again, and a recreated hub stream takes in several looks", () => {
    const anew: Partial<EndSeen> = { created: "2026-11-01T02:30:00Z", history: "made anew" };
    const again: Partial<EndSeen> = { ...anew, history: "same" };
    const seen = (at: string, taken: number, hub: Partial<EndSeen>) =>
      look(at, stored(20), stored(taken, hub), taken, { waiting: 20 - taken });
    const lossy = [look("01:00", stored(10), stored(10), 10), look("02:00", stored(20), stored(15), 20)];
    assert.deepEqual(told(after(...lossy)), [{ kind: "missing", count: 5 }]);
    const turned = after(...lossy, seen("03:00", 8, anew), seen("04:00", 12, again), seen("05:00", 20, again));
    assert.deepEqual(told(turned), []);
  });

  it("counts nothing that waits", () => {
    assert.deepEqual(
      told(after(look("01:00", stored(10), stored(10), 10), look("02:00", stored(90), stored(10), 10))),
      [],
    );
  });

  it("counts for a recreated hub stream only what the earlier stream still held", () => {
    const limits = { maxAge: 0, maxBytes: 100, others: false };
    const cut = stored(60, { first: 20, held: 41, bytes: 99 });
    const anew: Partial<EndSeen> = { created: "2026-11-01T02:30:00Z", history: "made anew" };
    const site = stored(65, { first: 61, held: 5 });
    const book = after(
      look("01:00", stored(60), cut, 60, { limits }),
      look("02:00", site, { ...cut, first: 25, last: 65, held: 41 }, 65, { limits, oldest: 25 }),
      look("03:00", site, stored(5, anew), 65, { limits, oldest: 61 }),
    );
    // Of 65 the hub held 25 to 65; the site delivers 61 to 65 again.
    assert.deepEqual(told(book), [{ kind: "missing", count: 36 }]);
  });

  it("credits what a site holds again, and delivers to one more stream that is made anew, to what had left before", () => {
    const limits = { maxAge: 0, maxBytes: 100, others: false };
    const anew = (at: string): Partial<EndSeen> => ({ created: `2026-11-01T${at}:00Z`, history: "made anew" });
    const site = stored(65, { first: 41, held: 25 });
    const before = [
      look("01:00", site, stored(65, { first: 51, held: 15, bytes: 99 }), 65, { limits, oldest: 51 }),
      look("02:00", site, stored(25, anew("01:30")), 65, {
        limits,
        oldest: 41,
        deliveredAgain: { ofFront: 10, ofLeft: 10 },
      }),
    ];
    assert.deepEqual(told(after(...before)), []);
    const back = stored(65, { first: 11, held: 55 });
    const again = { oldest: 11, deliveredAgain: { ofFront: 30, ofLeft: 30 } };
    assert.deepEqual(told(after(...before, look("03:00", back, stored(55, anew("02:30")), 65, again))), []);
    const all = { oldest: 1, deliveredAgain: { ofFront: 40, ofLeft: 40 } };
    const whole = after(...before, look("03:00", stored(65), stored(65, anew("02:30")), 65, all));
    assert.deepEqual(told(advance(whole, look("04:00", stored(65), stored(65), 65))), []);
  });

  it("does not count again what had left a hub's stream, when no stream of the site delivers it again", () => {
    // 10 of 20 were purged on the hub.
    const purged = stored(20, { first: 11, held: 10 });
    const before = [look("01:00", stored(20), stored(20), 20), look("02:00", stored(20), purged, 20, { oldest: 11 })];
    const anew: Partial<EndSeen> = { created: "2026-11-01T03:30:00Z", history: "made anew" };
    const atSite = stored(5, { created: "2026-11-01T02:30:00Z", history: "made anew" });
    const both = look("04:00", atSite, stored(5, anew), 5, { storedByEarlier: 20 });
    const expected = [
      { kind: "missing", count: 10 },
      { kind: "dropped", count: 10 },
    ];
    assert.deepEqual(told(after(...before, both)), expected, "both at once");
    const earlier = { ident: "B", earlier: "A", oldest: 0 };
    const site = look("03:00", atSite, stored(25, { first: 11, held: 15 }), 5, { storedByEarlier: 20, ...earlier });
    const hub = look("04:00", { ...atSite, history: "same" }, stored(5, anew), 5, { ident: "B", oldest: 1 });
    assert.deepEqual(told(after(...before, site, hub)), expected, "one after the other");
  });

  it("counts what came twice to a recreated hub stream, beside probes that it never had", () => {
    const begun = after(look("01:00", stored(60), stored(60), 60));
    const { oslo } = begun.sites;
    assert.ok(oslo);
    // 20 of the 60 were probes, purged at both ends since.
    const book = { ...begun, sites: { oslo: { ...oslo, own: { ...oslo.own, purgedAtSite: 20, purgedOnHub: 20 } } } };
    const site = stored(60, { first: 21, held: 40 });
    const anew: Partial<EndSeen> = { created: "2026-11-01T01:30:00Z", history: "made anew" };
    const again = { oldest: 21, deliveredAgain: { ofFront: 0, ofLeft: 0 } };
    const whole = advance(book, look("02:00", site, stored(40, anew), 60, again));
    assert.deepEqual(told(whole), []);
    assert.deepEqual(told(advance(whole, look("03:00", site, stored(65), 60, again))), [
      { kind: "doubled", count: 25 },
    ]);
  });

  it("counts what a lost hub store held, when second copies of purged messages were the only ones", () => {
    // 20 were purged; a second source brought the first 10 of them again, and 3 behind them.
    const purged = stored(23, { first: 21, held: 3 });
    const book = after(
      look("01:00", stored(20), stored(20), 20),
      look("02:00", stored(23), purged, 23),
      look("03:00", stored(23), stored(36, { first: 21, held: 16 }), 23, { oldest: 21 }),
    );
    const { oslo } = book.sites;
    assert.ok(oslo);
    const second = [
      { seq: 24, origin: 1, count: 10 },
      { seq: 34, origin: 21, count: 3 },
    ];
    const doubled = { ...book, sites: { oslo: { ...oslo, second } } };
    const anew: Partial<EndSeen> = { created: "2026-11-01T03:30:00Z", history: "made anew" };
    const lost = (from: number) =>
      advance(
        doubled,
        look("04:00", stored(23, { first: from, held: 24 - from }), stored(24 - from, anew), 23, {
          oldest: from,
          delivery: { from, deleted: [] },
          deliveredAgain: { ofFront: Math.max(0, 21 - from), ofLeft: 0 },
        }),
      );
    const missing = (from: number) => told(lost(from)).find(({ kind }) => kind === "missing")?.count ?? 0;
    assert.deepEqual([1, 6, 11, 21, 23].map(missing), [0, 5, 10, 10, 12]);
    const again = look("05:00", stored(23, { first: 21, held: 3 }), stored(3), 23, { oldest: 21 });
    assert.deepEqual(told(advance(lost(21), again)), told(lost(21)), "told once");
  });

  it("counts what is on the hub once too often", () => {
    const book = after(look("01:00", stored(10), stored(10), 10), look("02:00", stored(20), stored(30), 20));
    assert.deepEqual(told(book), [{ kind: "doubled", count: 10 }]);
  });

  it("counts what a hub lost by going back in time, and the site no longer holds", () => {
    const book = after(
      look("01:00", stored(300), stored(300), 300),
      look("02:00", stored(320, { first: 301, held: 20 }), stored(120, { history: "went back" }), 320),
    );
    assert.deepEqual(told(book), [{ kind: "missing", count: 200 }]);
  });

  it("counts a sequence that a site gave away twice as often as it did", () => {
    const book = after(
      look("01:00", stored(150), stored(150), 150),
      look("02:00", stored(160, { history: "went back" }), stored(160), 160, { repeated: { first: 131, last: 150 } }),
    );
    assert.deepEqual(told(book), [{ kind: "missing", count: 20 }]);
  });

  it("counts what a recreated stream had not delivered", () => {
    const book = after(
      look("01:00", stored(100), stored(80), 80),
      look("02:00", stored(5, { history: "made anew" }), stored(85), 5, { storedByEarlier: 100 }),
    );
    assert.deepEqual(told(book), [{ kind: "missing", count: 20 }]);
  });

  it("lets declared limits take messages from the hub, and nothing else", () => {
    const limits = { maxAge: 3_600_000, maxBytes: 0, others: false };
    const first = look(
      "01:00",
      stored(50),
      stored(50, { mark: { seq: 50, at: Date.parse("2026-11-01T00:59:00Z") } }),
      50,
    );
    const emptied = stored(50, { first: 51, held: 0 });
    const early = advance(after(first), look("01:30", stored(50), emptied, 50, { limits }));
    assert.deepEqual(told(early), [{ kind: "dropped", count: 50 }], "half an hour is sooner than the declared hour");
    const late = advance(after(first), look("02:30", stored(50), emptied, 50, { limits }));
    assert.deepEqual(told(late), []);
  });

  it("lets a site leave a merged stream, with its purged probes and what went with it", () => {
    const positions = { "$JS.oslo.API": 10, "$JS.bergen.API": 10 };
    const atBergen = { site: "bergen", source: "$JS.bergen.API", positions };
    const both = after(
      look("01:00", stored(10), stored(20), 10, { positions }),
      look("01:01", stored(10), stored(20), 10, atBergen),
    );
    const { bergen } = both.sites;
    assert.ok(bergen);
    const purged = { ...bergen, own: { ...bergen.own, purgedAtSite: 3, purgedOnHub: 3 } };
    const alone = withoutSite({ ...both, sites: { ...both.sites, bergen: purged } }, "bergen", 7);
    assert.ok(alone);
    const later = (at: string, left: number, last: number) =>
      look(at, stored(last - 10), stored(last, { held: last - left, deleted: left }), last - 10);
    const book = advance(advance(alone, later("02:00", 10, 20)), later("03:00", 10, 25));
    assert.deepEqual(told(book), []);
    assert.deepEqual(told(advance(book, later("04:00", 12, 25))), [{ kind: "dropped", count: 2 }]);
  });

  it("takes what comes from a site without a book for no other site's", () => {
    const source = "$JS.bergen.API";
    const others = (bergen: number) => ({ positions: { "$JS.oslo.API": 10, [source]: bergen } });
    const book = after(
      look("01:00", stored(10), stored(310), 10, others(300)),
      // Bergen's stream was made anew, and 3 of its messages came.
      look("02:00", stored(10), stored(313), 10, others(3)),
    );
    assert.deepEqual(told(book), []);
    assert.deepEqual(
      told(
        advance(
          book,
          look("03:00", stored(12), stored(314), 12, {
            ...others(3),
            positions: { ...others(3).positions, "$JS.oslo.API": 12 },
          }),
        ),
      ),
      [{ kind: "missing", count: 1 }],
    );
  });

  it("keeps positions and the hub's last message of one moment when one more site's book begins", () => {
    const both = { positions: { "$JS.oslo.API": 13, "$JS.bergen.API": 5 } };
    const first = after(look("01:00", stored(10), stored(10), 10));
    const bergen = look("02:00", stored(5), stored(18), 5, { ...both, site: "bergen", source: "$JS.bergen.API" });
    assert.equal(advance(first, bergen).hub.last, 18);
  });

  it("counts each loss once, and the sum of all is what is gone, whatever the order", () => {
    const step = fc.record({ published: fc.nat(50), lost: fc.nat(50), delayed: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        let [last, hub, gone, hour] = [0, 0, 0, 0];
        let book = after(look("00:00", stored(0), stored(0), 0));
        for (const { published, lost, delayed } of steps) {
          const fresh = last + published - hub - gone;
          last += published;
          const waits = Math.min(delayed, fresh);
          const skipped = Math.min(lost, fresh - waits);
          hub += fresh - waits - skipped;
          gone += skipped;
          hour++;
          const at = `${String(Math.floor(hour / 60)).padStart(2, "0")}:${String(hour % 60).padStart(2, "0")}`;
          book = advance(book, look(at, stored(last), stored(hub), last - waits));
        }
        const sum = told(book).reduce((total, { count }) => total + count, 0);
        assert.equal(sum, gone);
      }),
    );
  });

  it("takes back what turned up again, the newest first", () => {
    const missing = (count: number): Difference => ({ kind: "missing", count, from: "a", to: "b" });
    assert.deepEqual(
      withoutMissing([missing(5), missing(7)], 9).map(({ count }) => count),
      [3],
    );
  });

  it("lets a difference grow that goes on for the same reason, and begins anew after an acknowledgement", () => {
    const one: Difference = { kind: "missing", count: 1, from: "a", to: "b", cause: "x" };
    const grown = withDifference([one], { ...one, from: "b", to: "c" });
    assert.deepEqual(grown, [{ ...one, count: 2, to: "c" }]);
    const known = grown.map((each) => ({ ...each, accepted: { at: "d", note: "" } }));
    assert.equal(withDifference(known, one).length, 2);
  });

  it("keeps few marks, the newest of them and the oldest one", () => {
    let marks: { seq: number; at: number }[] = [];
    for (let seq = 1; seq <= 100; seq++) marks = withMark(marks, { seq, at: seq });
    assert.ok(marks.length <= 16);
    assert.equal(marks.at(-1)?.seq, 100);
    assert.equal(marks[0]?.seq, 1);
  });
});
