import assert from "node:assert/strict";
import { AccountInfo, StoredMessage, StreamInfo } from "../../../../servers/nats/jetstream";
import { fullForNext, fullness } from "../../../../fleet/observation/fullness";

const stream = (config: object, state: Partial<StreamInfo["state"]>): StreamInfo =>
  ({
    config: { name: "EVENTS", max_bytes: -1, discard: "old", storage: "file", ...config },
    created: "",
    state: { messages: 10, bytes: 1_000, first_seq: 1, last_seq: 10, ...state },
  }) as unknown as StreamInfo;

const account = (storage: number, max_storage: number): AccountInfo => ({
  storage,
  memory: 0,
  limits: { max_storage, max_memory: -1 },
});

const message = (size: number): StoredMessage => ({
  seq: 11,
  subject: "events.a",
  headers: {},
  headerLines: [["Nats-Msg-Id", "1"]],
  payload: new Uint8Array(size),
  storedAt: 0,
});

/** A site whose next message has so many bytes; counts how often that is read. */
const site = (size: number, position = 10) => {
  const waiting = {
    local: stream({}, { last_seq: 20 }),
    position,
    maxPayload: 1_000_000,
    reads: 0,
    js: {
      nextMessage: () => {
        waiting.reads++;
        return Promise.resolve(message(size));
      },
    },
  };
  return waiting;
};

describe("a stream that takes no more messages", () => {
  const FULL_OF_NEW = { discard: "new", max_bytes: 1_050 };

  it("is seen by the size of its usual messages", () => {
    assert.match(fullness(stream(FULL_OF_NEW, {}), undefined) ?? "", /holds 1000 bytes of at most 1050/);
    assert.equal(fullness(stream({ discard: "new", max_bytes: 1_200 }, {}), undefined), undefined);
  });

  it("is seen by its account", () => {
    assert.match(fullness(stream({}, {}), account(5_000, 5_050)) ?? "", /account uses 5000 bytes of at most 5050/);
  });

  it("is seen by the next message that waits, with what is missing", async () => {
    const waiting = site(900_000);
    const said = await fullForNext(stream({ discard: "new", max_bytes: 500_000 }, {}), undefined, waiting);
    assert.match(said ?? "", /^it holds 1000 bytes of at most 500000 .* about 900\d{3} bytes: 401\d{3} bytes of room/);
  });

  it("is seen by the account, where that has less room than the stream", async () => {
    const said = await fullForNext(
      stream({ discard: "new", max_bytes: 800_000 }, {}),
      account(600_000, 700_000),
      site(900_000),
    );
    assert.match(said ?? "", /^its account uses 600000 bytes of at most 700000; .*: 800\d{3} bytes of room/);
  });

  it("is not reported for a message that fits", async () => {
    const fits = stream({ discard: "new", max_bytes: 902_000 }, {});
    assert.equal(await fullForNext(fits, undefined, site(900_000)), undefined);
  });

  for (const [name, onHub] of [
    ["the stream discards old messages", stream({ max_bytes: 2_000 }, {})],
    ["the largest message would fit", stream({ discard: "new", max_bytes: 2_000_000 }, {})],
  ] as const)
    it(`reads no message where ${name}`, async () => {
      const waiting = site(900_000);
      assert.equal(await fullForNext(onHub, account(0, -1), waiting), undefined);
      assert.equal(waiting.reads, 0);
    });

  it("reads no message where none waits", async () => {
    const waiting = site(900_000, 20);
    assert.equal(await fullForNext(stream(FULL_OF_NEW, {}), undefined, waiting), undefined);
    assert.equal(waiting.reads, 0);
  });
});
