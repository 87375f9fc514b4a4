import assert from "node:assert/strict";
import { sourceOf } from "../../../../configs/streams";
import { Count, Held, doublingRefusal, doublingWords } from "../../../../fleet/book/doubling";
import { Origin, originIn, sourceIdentity, sourceName, streamIdent } from "../../../../fleet/sourcing/source-identity";
import { settingsOf } from "../../../support/rules/settings";
import { withEnvironment } from "../../providers/temp-folder";

const stream = (mode: "perSite" | "merged") =>
  settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "1MB", collect: { mode } }] }).streams[0]!;

describe("the identity of a source", () => {
  const source = sourceOf(stream("perSite"), "oslo");
  const name = sourceName(source);

  it("is the server's own: name, hash of the API, filter, destination", () => {
    // The hash of "SITE" was read from a server.
    assert.equal(streamIdent("SITE"), "0Ho5lW11");
    assert.match(name, /^EVENTS:[0-9A-Za-z]{8}$/);
    assert.equal(sourceIdentity(source), `${name} > >`);
    assert.equal(sourceIdentity(sourceOf(stream("merged"), "oslo")), `EVENTS_OSLO:${name.split(":")[1]} > oslo.>`);
  });

  it("is another one with another filter or other transforms, and not with another deliver prefix or beginning", () => {
    assert.equal(sourceIdentity({ ...source, filter_subject: "events.>" }), `${name} events.> >`);
    const transforms = [
      { src: "a", dest: "x.a" },
      { src: "", dest: "" },
    ];
    assert.equal(sourceIdentity({ ...source, subject_transforms: transforms }), `${name} a\f> x.a\f>`);
    const external = { ...source.external, deliver: "elsewhere" };
    assert.equal(sourceIdentity({ ...source, external, opt_start_seq: 7, filter_subject: ">" }), `${name} > >`);
  });

  it("stands in the header of every message that it brought", () => {
    assert.deepEqual(originIn("EVENTS:x 12 > oslo.> events.a IDENT"), {
      identity: "EVENTS:x > oslo.>",
      name: "EVENTS:x",
      seq: 12,
      ident: "IDENT",
    });
    assert.equal(originIn("EVENTS:x 12 > > events.a")?.ident, undefined);
    assert.deepEqual([originIn(undefined), originIn("EVENTS 12")], [undefined, undefined]);
  });
});

describe("what would come twice", () => {
  withEnvironment(() => ({ DOUBLE: undefined }));
  const WANTED = "EVENTS:x > >";
  const held = (change: Partial<Held> = {}): Held => ({
    first: 1,
    last: 60,
    deleted: new Set(),
    ident: "NOW",
    ...change,
  });
  const from = (identity: string, seq: number, ident = "NOW"): Origin => ({
    identity,
    name: identity.split(" ")[0]!,
    seq,
    ident,
  });
  /** Messages of the hub's stream, the newest first. */
  const counted = (site: Held | undefined, messages: Origin[], { isWhole = true, booked = 0 } = {}) => {
    const count = new Count(WANTED, site, booked);
    for (const message of messages) count.add(message);
    return count.result(isWhole);
  };
  const others = (first: number, last: number, ident?: string): Origin[] =>
    Array.from({ length: last - first + 1 }, (_, i) => from("EVENTS:x *.> >", last - i, ident));

  it("is what another source brought since the last message of the declared one", () => {
    assert.deepEqual(counted(held(), [...others(1, 60), from(WANTED, 50)]), { count: 10, bound: "exactly" });
  });

  it("is counted once, however often the hub has it", () => {
    const messages = [...others(51, 60), ...others(51, 60), from(WANTED, 50)];
    assert.deepEqual(counted(held(), messages), { count: 10, bound: "exactly" });
  });

  it("is all that another source brought when the hub has nothing of the declared one", () => {
    assert.deepEqual(counted(held(), others(1, 60)), { count: 60, bound: "exactly" });
  });

  it("is only what the site still holds", () => {
    const site = held({ first: 54, deleted: new Set([56, 57]) });
    assert.deepEqual(counted(site, [...others(51, 60), from(WANTED, 50)]), { count: 5, bound: "exactly" });
  });

  it("is nothing of an earlier stream of that name, nor of another stream", () => {
    const messages = [from("OTHER:x > >", 60), ...others(51, 60, "BEFORE"), from(WANTED, 50)];
    assert.deepEqual(counted(held(), messages), { count: 0, bound: "exactly" });
  });

  it("begins with the first message when the declared source brought only an earlier stream", () => {
    const messages = [...others(1, 7), from(WANTED, 50, "BEFORE")];
    assert.deepEqual(counted(held(), messages), { count: 7, bound: "exactly" });
  });

  it("is at least what was read when not all was", () => {
    const isWhole = false;
    assert.deepEqual(counted(held({ last: 90 }), others(51, 60), { isWhole }), { count: 10, bound: "at least" });
    // All that the site holds behind the position is there already: nothing that was not read adds to it.
    assert.deepEqual(counted(held(), [...others(51, 60), from(WANTED, 50)], { isWhole }), {
      count: 10,
      bound: "exactly",
    });
  });

  it("is at most what the hub has when the site cannot be asked", () => {
    assert.deepEqual(counted(undefined, [...others(51, 60), from(WANTED, 50)]), { count: 10, bound: "at most" });
  });

  it("is also what the hub took and dropped again, as the account book has it", () => {
    assert.deepEqual(counted(held(), [], { booked: 40 }), { count: 40, bound: "at most" });
    assert.deepEqual(counted(held(), others(31, 45), { booked: 40 }), { count: 45, bound: "at most" });
    assert.deepEqual(counted(held(), [from(WANTED, 40)], { booked: 40 }), { count: 0, bound: "exactly" });
  });

  it("is shown with the word that permits it", () => {
    const doubling = { count: 10, bound: "exactly" } as const;
    const what = "hub stream OSLO/EVENTS does not source EVENTS as declared";
    const words = () => doublingRefusal(stream("perSite"), "oslo", doubling);
    const asks = `${what}; once restored, the source stores 10 messages of the site a second time; allow that with DOUBLE=oslo`;
    assert.equal(words(), asks);
    process.env.DOUBLE = "1,bergen";
    assert.equal(words(), asks);
    process.env.DOUBLE = "bergen, oslo";
    assert.equal(
      words(),
      `${what}; up restores it, and stores 10 messages of the site a second time, as DOUBLE allows`,
    );
    assert.equal(doublingWords({ count: 1, bound: "at least" }), "at least 1 message");
  });
});
