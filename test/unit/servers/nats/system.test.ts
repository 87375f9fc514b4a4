import assert from "node:assert/strict";
import { flowControlForm } from "../../../../servers/nats/system";

describe("the form of flow control that a server uses", () => {
  it("is the one that its flag says", () => {
    assert.equal(flowControlForm({ version: "2.16.0", feature_flags: { js_ack_fc_v2: false } }), "v1");
    assert.equal(flowControlForm({ version: "2.15.2", feature_flags: { js_ack_fc_v2: true } }), "v2");
  });

  it("goes with the version of a server that does not have the flag", () => {
    assert.equal(flowControlForm({ version: "2.12.9" }), "v1");
    assert.equal(flowControlForm({ version: "2.16.0", feature_flags: { other: false } }), "v2");
  });
});
