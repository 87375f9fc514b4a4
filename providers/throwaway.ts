import { randomBytes } from "node:crypto";
import { LinkCertificates } from "./link-tls";
import { userKeyText } from "./nats/user-key";
import { makeAuthority, makeServerCertificate, newKey } from "./x509";

/** Keys and certificates for nobody: what a server must be given to read a configuration, or to be rehearsed. */

/** A public key that has no seed: a hundred times as quick as a pair, for accounts that nobody logs in to. */
export const throwawayPublicKey = (): string => userKeyText(randomBytes(32));

/** The keys of a site on the hub. */
export const throwawayLinkKeys = () => ({
  link: throwawayPublicKey(),
  operator: throwawayPublicKey(),
  reader: throwawayPublicKey(),
});

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
