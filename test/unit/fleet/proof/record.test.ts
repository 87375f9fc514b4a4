import assert from "node:assert/strict";
import type { SmokeTestOutputs } from "../../../../fleet/proof/job";
import { recordKey, recordOf } from "../../../../fleet/proof/record";
import { settingsOf } from "../../../support/rules/settings";

// What the last proof saw of a stream is compared only with the stream that it saw.

const streamIn = (mode: "perSite" | "merged") =>
  settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"], collect: { mode } }] }).streams[0]!;
const [perSite, merged] = [streamIn("perSite"), streamIn("merged")];

const RECORD = { hubCreated: "then", hubLastSeq: 3, hubMessages: 2 };

const proof = (key: string, collected: string) =>
  ({ proven: { servers: {}, streams: { [key]: RECORD } }, proof: [{ site: "oslo", collected }] }) as unknown as Pick<
    SmokeTestOutputs,
    "proven" | "proof"
  >;

describe("the record of the last proof", () => {
  it("is found by site, account and stream", () => {
    const last = proof(recordKey("oslo", merged), "HUB/EVENTS");
    assert.deepEqual(recordOf(last, "oslo", merged), RECORD);
    assert.equal(recordOf(last, "bergen", merged), undefined);
  });

  it("is none of the stream in another mode", () => {
    assert.equal(recordOf(proof(recordKey("oslo", merged), "HUB/EVENTS"), "oslo", perSite), undefined);
    assert.equal(recordOf(proof(recordKey("oslo", perSite), "OSLO/EVENTS"), "oslo", merged), undefined);
  });

  it("of a state that does not name the account is that of the row which was proven", () => {
    const last = proof("oslo/EVENTS", "HUB/EVENTS");
    assert.deepEqual(recordOf(last, "oslo", merged), RECORD);
    assert.equal(recordOf(last, "oslo", perSite), undefined);
  });

  it("is none before the first proof", () => {
    assert.equal(recordOf(undefined, "oslo", perSite), undefined);
    assert.equal(recordOf({}, "oslo", perSite), undefined);
  });
});
