import fc from "fast-check";
import assert from "node:assert/strict";
import { accessOf, sourceInfoOf, waiting } from "../../../../fleet/sourcing/collected";
import { SourceInfo, StreamInfo } from "../../../../servers/nats/jetstream";
import { isActive } from "../../../../fleet/sourcing/source";

const info = (messages: number, first_seq: number, last_seq: number, sources?: SourceInfo[]): StreamInfo =>
  ({
    config: {},
    created: "",
    state: { messages, bytes: 0, first_seq, last_seq },
    ...(sources && { sources }),
  }) as unknown as StreamInfo;
const source = (change: Partial<SourceInfo> = {}): SourceInfo => ({
  name: "EVENTS",
  lag: 0,
  active: 1e6,
  external: { api: "$JS.oslo.API" },
  ...change,
});

describe("messages that wait at a site", () => {
  /** How many wait, when the site's stream holds these sequences and its last one was `last`. */
  const waitingOf = (held: number[], last: number, onHub: SourceInfo | undefined): Promise<number> =>
    waiting(
      {
        nextMessage: async (_name, subject, from) => {
          const seq = held.find((sequence) => sequence >= from);
          return seq === undefined ? undefined : { seq, subject, headers: {} };
        },
      },
      info(held.length, held[0] ?? last + 1, last, []),
      onHub,
    );

  it("are none when the hub has the last one", async () => {
    assert.equal(await waitingOf([1, 2, 3], 3, source({ seq: 3 })), 0);
  });

  it("are those after the hub's position", async () => {
    assert.equal(await waitingOf([1, 2, 3, 4], 4, source({ seq: 1 })), 3);
  });

  it("are all when the hub has no source of the site, or no position in it", async () => {
    assert.equal(await waitingOf([1, 2], 2, undefined), 2);
    assert.equal(await waitingOf([1, 2], 2, source()), 2);
  });

  it("are not those that the site dropped itself", async () => {
    assert.equal(await waitingOf([99, 100], 100, source({ seq: 50 })), 2);
  });

  it("are not the probes that were purged behind the hub's position", async () => {
    assert.equal(await waitingOf([1, 2], 30, source({ seq: 2 })), 0);
  });

  it("are none of an empty stream, whatever it held before", async () => {
    assert.equal(await waitingOf([], 100, source({ seq: 3 })), 0);
  });

  it("are none when the hub is ahead of a site that lost its tail", async () => {
    assert.equal(await waitingOf([1, 2], 2, source({ seq: 9 })), 0);
  });

  it("are never fewer than there are", async () => {
    const held = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map((all) => all.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(held, fc.nat(10), fc.nat(80), async (all, purged, seq) => {
        const missing = all.filter((sequence) => sequence > seq).length;
        return (await waitingOf(all, (all.at(-1) ?? 0) + purged, source({ seq }))) >= missing;
      }),
    );
  });
});

describe("the source of a site in a hub stream", () => {
  it("is the one that asks the site's domain, among those of other sites", () => {
    const oslo = source();
    const all = info(0, 0, 0, [
      source({ external: { api: "$JS.oslo-2.API" } }),
      oslo,
      source({ external: { api: "$JS.bergen.API" } }),
    ]);
    assert.equal(sourceInfoOf(all, "oslo"), oslo);
  });

  it("is none in a stream without sources, of other sites, or without a domain", () => {
    const { external: _external, ...local } = source();
    assert.equal(sourceInfoOf(undefined, "oslo"), undefined);
    assert.equal(sourceInfoOf(info(0, 0, 0), "oslo"), undefined);
    assert.equal(sourceInfoOf(info(0, 0, 0, [source(), local]), "bergen"), undefined);
  });

  it("is active when it was heard of in time without an error", () => {
    assert.equal(isActive(info(0, 0, 0, [source({ active: 999e6 })]), "oslo", 1000), true);
  });

  it("is not active when it was heard of too long ago, never, or with an error", () => {
    for (const change of [{ active: 1000e6 }, { active: -1 }, { error: { err_code: 10228 } }]) {
      assert.equal(isActive(info(0, 0, 0, [source(change)]), "oslo", 1000), false);
    }
    assert.equal(isActive(undefined, "oslo", 1000), false);
  });
});

describe("the access to a site", () => {
  const fleet = { hubUrl: "nats://h:1", hubOperator: "S", sites: { oslo: { url: "nats://s:1", operator: "O" } } };

  it("is the hub's and the site's own", () => {
    assert.deepEqual(accessOf(fleet, "oslo", "offline"), {
      site: "oslo",
      expect: "offline",
      hubUrl: "nats://h:1",
      hubOperator: "S",
      url: "nats://s:1",
      operator: "O",
    });
  });

  it("is none for a site that is not of the fleet", () => {
    assert.equal(accessOf(fleet, "bergen", "online"), undefined);
  });
});
