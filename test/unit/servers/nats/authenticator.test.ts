import { createAccount, fromPublic, fromSeed } from "@nats-io/nkeys";
import fc from "fast-check";
import assert from "node:assert/strict";
import { nkeyLogin, signerOf } from "../../../../servers/nats/authenticator";
import { newSeed } from "../../../support/rules/settings";

describe("the login with an nkey", () => {
  it("has the public key of the seed, of whatever kind", () => {
    const seeds = [...Array.from({ length: 20 }, newSeed), new TextDecoder().decode(createAccount().getSeed())];
    for (const seed of seeds)
      assert.equal(signerOf(seed).nkey, fromSeed(new TextEncoder().encode(seed)).getPublicKey());
  });

  it("signs as the nkeys library does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (nonce) => {
        const seed = newSeed();
        const expected = fromSeed(new TextEncoder().encode(seed)).sign(nonce);
        return Buffer.from(expected).equals(signerOf(seed).sign(nonce));
      }),
      { numRuns: 10 },
    );
  });

  it("answers the server's nonce with a signature that the public key verifies", () => {
    const seed = newSeed();
    const { nkey, sig } = nkeyLogin(seed)("nonce-of-the-server") as { nkey: string; sig: string };
    const signature = new Uint8Array(Buffer.from(sig, "base64url"));
    assert.equal(fromPublic(nkey).verify(new TextEncoder().encode("nonce-of-the-server"), signature), true);
  });

  it("is refused for what is no seed, and the error does not repeat it", () => {
    const damaged = `${newSeed().slice(0, -1)}1`;
    assert.throws(
      () => nkeyLogin(damaged),
      (error: Error) => !error.message.includes(damaged.slice(2, 30)),
    );
  });
});
