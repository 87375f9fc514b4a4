import assert from "node:assert/strict";
import { StreamConfig } from "../../../../configs/streams";
import { JetStream, StoredMessage, StreamInfo } from "../../../../servers/nats/jetstream";
import { Clocks, firstNew, overrunOf } from "../../../../fleet/sourcing/lost-tail";
import { settingsOf } from "../../../support/rules/settings";

/** A message at the site, or the hub's copy of the site's sequence `origin`. */
const message = (seq: number, text: string, storedAt: number, origin?: number): StoredMessage => ({
  seq,
  subject: "events.a",
  headers: origin === undefined ? {} : { "Nats-Stream-Source": `EVENTS:xyz ${origin} > > events.a` },
  headerLines: [],
  payload: Buffer.from(text),
  storedAt,
});

/** A stream that holds these messages, counting the requests. */
function streamOf(messages: readonly StoredMessage[]): { js: JetStream; info: StreamInfo; asked: () => number } {
  let count = 0;
  const nextMessage = async (_name: string, _subject: string, seq: number) => {
    count++;
    return messages.find((one) => one.seq >= seq);
  };
  const state = {
    messages: messages.length,
    bytes: 0,
    first_seq: messages[0]?.seq ?? 1,
    last_seq: messages.at(-1)?.seq ?? 0,
  };
  const info: StreamInfo = { config: { name: "EVENTS" } as StreamConfig, created: "", state };
  return { js: { nextMessage } as unknown as JetStream, info, asked: () => count };
}

describe("what a site stored since it lost its tail", () => {
  const [stream] = settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"] }] }).streams;
  const EXACT = { ms: 0, within: 0 };

  const since = (site: StoredMessage[], hub: StoredMessage[], skew = EXACT) => {
    const [atSite, onHub] = [streamOf(site), streamOf(hub)];
    const pair = { name: "EVENTS", site: atSite.js, atSite: atSite.info, hub: onHub.js, onHub: onHub.info };
    return firstNew(pair, stream!, "oslo", skew, hub.at(-1)).then((found) => ({
      found,
      asked: atSite.asked() + onHub.asked(),
    }));
  };
  /** The hub took 1 to 100, each 5 ms after the site stored it at 10 ms intervals. */
  const copies = Array.from({ length: 100 }, (_, i) => message(i + 1, `m${i + 1}`, (i + 1) * 10 + 5, i + 1));
  const old = Array.from({ length: 50 }, (_, i) => message(i + 1, `m${i + 1}`, (i + 1) * 10));

  it("is nothing when it stored nothing", async () => {
    assert.equal((await since(old, copies)).found, undefined);
  });

  it("is found by content, whatever the site's clock says after a power cut", async () => {
    const found = [51, 52, 53].map((seq) => message(seq, `new${seq}`, -1_000_000 + seq));
    assert.deepEqual((await since([...old, ...found], copies)).found, { first: 51, count: 3 });
  });

  it("is found by the times of messages when the content is the same", async () => {
    const found = [51, 52].map((seq) => message(seq, `m${seq}`, 5_000 + seq));
    assert.deepEqual((await since([...old, ...found], copies)).found, { first: 51, count: 2 });
  });

  it("is not mistaken when the site's clock is ahead of the hub's", async () => {
    const ahead = old.map((one) => ({ ...one, storedAt: one.storedAt + 60_000 }));
    assert.equal((await since(ahead, copies, { ms: 60_000, within: 20 })).found, undefined);
  });

  it("is found by the times of messages when the hub no longer holds the copies", async () => {
    const found = [51, 52].map((seq) => message(seq, `new${seq}`, 5_000 + seq));
    assert.deepEqual((await since([...old, ...found], copies.slice(90))).found, { first: 51, count: 2 });
  });

  it("is everything when the hub holds nothing to compare", async () => {
    assert.deepEqual((await since(old, [])).found, { first: 1, count: 50 });
  });

  it("is found among sequences with gaps", async () => {
    const gaps = old.filter(({ seq }) => seq % 3 !== 0);
    const found = [57, 61].map((seq) => message(seq, `new${seq}`, 5_000 + seq));
    assert.deepEqual((await since([...gaps, ...found], copies)).found, { first: 57, count: 2 });
  });

  it("is found with few requests among many messages", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => message(i + 1, `m${i + 1}`, i));
    const hub = Array.from({ length: 5_000 }, (_, i) => message(i + 1, `m${i + 1}`, i + 1, i + 1));
    const { found, asked } = await since([...many(2_000), message(2_001, "new", 9_000)], hub);
    assert.deepEqual(found, { first: 2_001, count: 1 });
    assert.ok(asked < 250, `${asked} requests`);
  });
});

describe("what the hub skipped of a site that lost its tail and stored as much since", () => {
  const [stream] = settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"] }] }).streams;
  /** The hub took 1 to 100; the site's server, with 1 to 50 in its store, started after that. */
  const CLOCKS: Clocks = { ms: 0, within: 0, startedAt: 5_000 };
  const copies = Array.from({ length: 100 }, (_, i) => message(i + 1, `m${i + 1}`, (i + 1) * 10 + 5, i + 1));
  const old = Array.from({ length: 50 }, (_, i) => message(i + 1, `m${i + 1}`, (i + 1) * 10));
  const since = Array.from({ length: 70 }, (_, i) => message(51 + i, `new${51 + i}`, 6_000 + i));
  const caughtUp = since.slice(50).map((one, i) => message(101 + i, `new${one.seq}`, one.storedAt + 5, one.seq));
  const hub = [...copies, ...caughtUp];

  const found = (site: StoredMessage[], onHub = hub, clocks = CLOCKS, created = "1970-01-01T00:00:00Z") => {
    const [atSite, copied] = [streamOf(site), streamOf(onHub)];
    const info = { ...atSite.info, created };
    const ends = { name: "EVENTS", site: atSite.js, atSite: info, hub: copied.js, onHub: copied.info };
    return overrunOf(ends, stream!, "oslo", clocks);
  };

  it("is what stands on the sequences that the hub took before the site's server started", async () => {
    assert.deepEqual(await found([...old, ...since]), { first: 51, last: 100 });
  });

  it("is found although the message at the hub's old position is gone", async () => {
    assert.deepEqual(await found([...old, ...since.filter(({ seq }) => seq !== 100)]), { first: 51, last: 100 });
  });

  it("is nothing where the site has what the hub has", async () => {
    const kept = copies.map((copy) => message(copy.seq, `m${copy.seq}`, copy.storedAt - 5));
    assert.equal(await found([...kept, ...since.slice(50)]), undefined);
  });

  it("is nothing while the site is behind the hub, which another finding names", async () => {
    assert.equal(await found([...old, ...since.slice(0, 10)], copies), undefined);
  });

  it("is nothing of a stream that was made anew, which the hub starts with again", async () => {
    const anew = Array.from({ length: 120 }, (_, i) => message(i + 1, `anew${i + 1}`, 6_000 + i));
    assert.equal(await found(anew, copies, CLOCKS, "1970-01-01T00:00:05.500Z"), undefined);
  });

  it("is nothing where only the site's clock ran ahead before its server started", async () => {
    const ahead = copies.map((copy) => message(copy.seq, `m${copy.seq}`, copy.storedAt + 60_000));
    assert.equal(await found(ahead, copies), undefined);
  });

  it("is found on a clock that is ahead of the hub's", async () => {
    const ahead = [...old, ...since].map((one) => ({ ...one, storedAt: one.storedAt + 60_000 }));
    const clocks = { ms: 60_000, within: 20, startedAt: 65_000 };
    assert.deepEqual(await found(ahead, hub, clocks), { first: 51, last: 100 });
  });

  it("is nothing when the server started before the hub had anything", async () => {
    assert.equal(await found([...old, ...since], hub, { ...CLOCKS, startedAt: 0 }), undefined);
  });
});
