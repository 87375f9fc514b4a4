import { KeyPair, fromSeed } from "@nats-io/nkeys";
import { Authenticator } from "nats";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { userKeyText } from "./user-key";

/**
 * Signs the server's nonce with Node's own Ed25519: the libraries' JavaScript takes milliseconds for each signature and
 * each public key, and a preview of a large fleet opens hundreds of connections.
 */

/** DER of a PKCS #8 Ed25519 private key, up to its 32 bytes (RFC 8410). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

interface Signer {
  nkey: string;
  sign: (data: Uint8Array) => Buffer;
}

const signers = new Map<string, Signer>();

/** The public key of a seed, and what signs with it. Errors: the library's, when the text is no seed. */
export function signerOf(seed: string): Signer {
  const known = signers.get(seed);
  if (known !== undefined) return known;
  // The library's type leaves this method out; its class has it.
  const pair = fromSeed(new TextEncoder().encode(seed)) as KeyPair & { getRawSeed(): Uint8Array };
  const der = Buffer.concat([PKCS8_ED25519, pair.getRawSeed()]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  // The last 32 bytes of its DER are the key (RFC 8410).
  const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const nkey = seed.startsWith("SU") ? userKeyText(raw) : pair.getPublicKey();
  const signer = { nkey, sign: (data: Uint8Array) => sign(null, data, key) };
  signers.set(seed, signer);
  return signer;
}

/** The public key of a seed. Errors: likewise. */
export const publicKeyOf = (seed: string): string => signerOf(seed).nkey;

/** Logs in with the nkey of the seed. */
export function nkeyLogin(seed: string): Authenticator {
  const signer = signerOf(seed);
  return (nonce = "") => ({ nkey: signer.nkey, sig: signer.sign(Buffer.from(nonce)).toString("base64url") });
}
