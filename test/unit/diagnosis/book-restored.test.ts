import assert from "node:assert/strict";
import { advance } from "../../../diagnosis/book/advance";
import { Collection } from "../../../diagnosis/book/ledger";
import { EndSeen, Look } from "../../../diagnosis/book/look";
import { afterRestore } from "../../../diagnosis/book/restored";
import { EMPTY_END, lookOf, told } from "../../support/book/looks";

// What the book says of a hub's stream that was lost at 03:00 and restored at 05:00 from a backup of 02:00.

const SITE = "2026-11-01T00:00:00Z";
const HUB = { first: "2026-11-01T00:00:01Z", fresh: "2026-11-01T03:00:00Z", restored: "2026-11-01T05:00:00Z" };

const end = (created: string, last: number, more: Partial<EndSeen> = {}): EndSeen => ({
  ...EMPTY_END,
  created,
  last,
  held: last,
  ...more,
});

const look = (at: string, atSite: EndSeen, onHub: EndSeen, position: number, more: Partial<Look> = {}): Look =>
  lookOf({
    at: `2026-11-01T${at}:00Z`,
    atSite,
    onHub,
    position,
    ident: "one",
    delivery: { from: atSite.first, deleted: [] },
    causes: { missing: "the hub's store went back in time, and the site no longer held them" },
    ...more,
  });

const opened = advance(undefined, look("01:00", end(SITE, 10), end(HUB.first, 10), 10));
const saved = advance(opened, look("02:00", end(SITE, 100), end(HUB.first, 100), 100));
/** The site holds 151 to 200; the hub had taken all. */
const site = end(SITE, 200, { first: 151, held: 50 });
const lost = advance(saved, look("03:30", site, end(HUB.fresh, 50, { history: "made anew" }), 200, { oldest: 151 }));
const restoredAt = { created: HUB.restored, first: 1, last: 100, held: 100, at: "2026-11-01T05:00:00Z" };

describe("the account book of a restored stream", () => {
  it("had reported as missing what the hub of now lacks", () => {
    assert.deepEqual(told(lost), [{ kind: "missing", count: 150 }]);
  });

  it("reports what neither the backup nor the site has, once", () => {
    const book = afterRestore(saved, lost, restoredAt);
    const first = advance(book, look("05:01", site, end(HUB.restored, 100), 100, { gap: 50, waiting: 50 }));
    assert.deepEqual(told(first), [{ kind: "missing", count: 50 }]);
    const later = advance(first, look("05:02", site, end(HUB.restored, 150), 200));
    assert.deepEqual(told(later), [{ kind: "missing", count: 50 }]);
  });

  it("counts that before the stream sources anything, and the looks find nothing new", () => {
    const ends = {
      oslo: { created: SITE, first: 151, last: 200, held: 50, position: 100, gap: 50, probesOnHub: 0 },
    };
    for (const now of [lost, saved, undefined]) {
      const book = afterRestore(saved, now, restoredAt, ends);
      assert.deepEqual(told(book), [{ kind: "missing", count: 50 }]);
      const passed = advance(book, look("05:02", site, end(HUB.restored, 150), 200));
      assert.deepEqual(told(passed), [{ kind: "missing", count: 50 }]);
    }
  });

  it("reports nothing when the site still holds what came after the backup", () => {
    const whole = end(SITE, 200);
    const fresh = advance(saved, look("03:30", whole, end(HUB.fresh, 200, { history: "made anew" }), 200));
    const book = afterRestore(saved, fresh, restoredAt);
    assert.deepEqual(told(advance(book, look("05:01", whole, end(HUB.restored, 200), 200))), []);
  });

  it("knows the probes that were purged at the site since the backup", () => {
    const record = saved.sites.oslo!;
    const since: Collection = {
      ...saved,
      sites: { oslo: { ...record, own: { purgedAtSite: 28, purgedOnHub: 28, fillers: 0 } } },
    };
    const book = afterRestore(saved, since, restoredAt);
    const gone = end(SITE, 128, { held: 100, deleted: 28 });
    assert.deepEqual(told(advance(book, look("05:01", gone, end(HUB.restored, 100), 128))), []);
  });

  it("keeps what was acknowledged since", () => {
    const before = advance(saved, look("02:30", end(SITE, 130, { first: 121, held: 10 }), end(HUB.first, 110), 130));
    assert.deepEqual(told(before), [{ kind: "missing", count: 20 }]);
    const record = before.sites.oslo!;
    const accepted = { at: "2026-11-01T02:40:00Z", note: "the disk" };
    const known: Collection = {
      ...before,
      sites: { oslo: { ...record, differences: record.differences.map((one) => ({ ...one, accepted })) } },
    };
    const book = afterRestore(saved, known, restoredAt);
    const now = end(SITE, 130, { first: 121, held: 10 });
    assert.deepEqual(told(advance(book, look("05:01", now, end(HUB.restored, 110), 130))), []);
  });

  it("forgets what came twice on the hub since, for that went with its store", () => {
    const doubled = advance(saved, look("02:30", end(SITE, 100), end(HUB.first, 105), 100));
    assert.deepEqual(told(doubled), [{ kind: "doubled", count: 5 }]);
    const book = afterRestore(saved, doubled, restoredAt);
    assert.deepEqual(told(advance(book, look("05:01", end(SITE, 100), end(HUB.restored, 100), 100))), []);
  });

  it("begins with that of the backup when there is no other, or one that began since", () => {
    const anew = advance(undefined, look("03:30", site, end(HUB.fresh, 50), 200));
    for (const now of [undefined, anew]) {
      const book = afterRestore(saved, now, restoredAt);
      assert.equal(book.sites.oslo?.since, saved.sites.oslo?.since);
      assert.equal(book.sites.oslo?.position, 100);
      assert.equal(book.hub.created, HUB.restored);
    }
  });

  it("counts what a stream of the site held that was recreated since", () => {
    const recreated = "2026-11-01T04:00:00Z";
    const before = advance(saved, look("02:30", end(SITE, 150), end(HUB.first, 150), 150));
    const anew = end(recreated, 10, { history: "made anew" });
    const since = advance(
      before,
      look("04:30", anew, end(HUB.first, 160), 10, { ident: "two", earlier: "one", storedByEarlier: 150 }),
    );
    assert.deepEqual(told(since), []);
    const book = afterRestore(saved, since, restoredAt);
    const now = look("05:01", end(recreated, 10), end(HUB.restored, 110), 10, { ident: "two", earlier: "one" });
    // 101 to 150 were on the hub that was lost, and went with the site's stream.
    assert.deepEqual(told(advance(book, now)), [{ kind: "missing", count: 50 }]);
  });
});
