import { randomBytes } from "node:crypto";
import { LinkCertificates } from "./link-tls";
import { makeAuthority, makeServerCertificate, newKey } from "./x509";

/** Keys and certificates for nobody: what a server must be given to read a configuration, or to be rehearsed. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** The first byte of a user's public key: it makes the text begin with "U". */
const USER_PREFIX = 20 << 3;

/** CRC-16/XMODEM, which ends every nkey. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[parseInt(five.padEnd(5, "0"), 2)]).join("");
}

/** A public key that has no seed: a hundred times as quick as a pair, for accounts that nobody logs in to. */
export function throwawayPublicKey(): string {
  const body = Buffer.concat([Buffer.from([USER_PREFIX]), randomBytes(32)]);
  const crc = crc16(body);
  return base32(Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])]));
}

const VALIDITY_MS = 3_600_000;

/** Certificates for the links of servers on loopback, by server; the first one is the hub. */
export async function throwawayCertificates(servers: readonly string[]): Promise<[string, LinkCertificates][]> {
  const [key, now] = [newKey(), Date.now()];
  const certificate = await makeAuthority({ name: "throwaway", key, validity: VALIDITY_MS, now });
  const ca = { certificate, key };
  return Promise.all(
    servers.map(async (owner, i): Promise<[string, LinkCertificates]> => {
      const ends = i === 0 ? { role: "hub" as const, names: ["127.0.0.1"] } : { role: "site" as const, names: [] };
      const own = newKey();
      const made = await makeServerCertificate({ owner, ...ends, ca, key: own, validity: VALIDITY_MS, now });
      return [owner, { kind: "generated", ca: certificate, certificate: made, key: own }];
    }),
  );
}
