import { KeyPair, fromSeed } from "@nats-io/nkeys";
import { Authenticator } from "nats";
import { KeyObject, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { isPlain } from "../../machine/plain";
import { userKeyText } from "./user-key";

/**
 * Signs the server's nonce with Node's own Ed25519: the libraries' JavaScript takes milliseconds for each signature and
 * each public key, and a preview of a large fleet opens hundreds of connections.
 */

/** DER of a PKCS #8 Ed25519 private key, up to its 32 bytes (RFC 8410). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key of these 32 bytes. As a JSON Web Key it takes Node a tenth of the time that its DER does. */
function privateKeyOf(raw: Uint8Array): KeyObject {
  try {
    // Node derives the public half; the one that is given here it does not look at. Should it ever, it refuses.
    const jwk = { kty: "OKP", crv: "Ed25519", d: Buffer.from(raw).toString("base64url"), x: "" };
    return createPrivateKey({ key: jwk, format: "jwk" });
  } catch {
    return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, raw]), format: "der", type: "pkcs8" });
  }
}

interface Signer {
  nkey: string;
  sign: (data: Uint8Array) => Uint8Array;
}

const signers = new Map<string, Signer>();

/** The public key of a seed, and what signs with it. Errors: the library's, when the text is no seed. */
export function signerOf(seed: string): Signer {
  const known = signers.get(seed);
  if (known !== undefined) return known;
  // The library's type leaves this method out; its class has it.
  const pair = fromSeed(new TextEncoder().encode(seed)) as KeyPair & { getRawSeed(): Uint8Array };
  if (isPlain()) return { nkey: pair.getPublicKey(), sign: (data) => pair.sign(data) };
  const key = privateKeyOf(pair.getRawSeed());
  const { x: publicHalf = "" } = createPublicKey(key).export({ format: "jwk" });
  const nkey = seed.startsWith("SU") ? userKeyText(Buffer.from(publicHalf, "base64url")) : pair.getPublicKey();
  const signer = { nkey, sign: (data: Uint8Array) => sign(null, data, key) };
  signers.set(seed, signer);
  return signer;
}

/** The public key of a seed. Errors: a Refusal when it is no seed. */
export const publicKeyOf = (seed: string): string => signerOf(seed).nkey;

/** Logs in with the nkey of the seed. */
export function nkeyLogin(seed: string): Authenticator {
  const signer = signerOf(seed);
  return (nonce = "") => ({
    nkey: signer.nkey,
    sig: Buffer.from(signer.sign(Buffer.from(nonce))).toString("base64url"),
  });
}
