import { fromPublic } from "@nats-io/nkeys";
import assert from "node:assert/strict";
import { throwawayPublicKey } from "../../../servers/throwaway";

describe("a throwaway public key", () => {
  it("is a user's, with a right checksum", () => {
    const key = throwawayPublicKey();
    assert.match(key, /^U[A-Z2-7]{55}$/);
    assert.equal(fromPublic(key).getPublicKey(), key);
  });

  it("is another one each time", () => assert.notEqual(throwawayPublicKey(), throwawayPublicKey()));
});
