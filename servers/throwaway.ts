import { randomBytes } from "node:crypto";
import { LinkCertificates } from "./files/link-tls";
import { userKeyText } from "./nats/user-key";
import { makeAuthority, makeServerCertificate, newKey } from "./x509";

/** Throwaway keys and certificates: what a server needs to read a configuration, or to be rehearsed. */

/** A public key that has no seed: a hundred times faster than a pair, for accounts without logins. */
export const throwawayPublicKey = (): string => userKeyText(randomBytes(32));

/** The keys of a site on the hub. */
export const throwawayLinkKeys = () => ({
  link: throwawayPublicKey(),
  operator: throwawayPublicKey(),
  reader: throwawayPublicKey(),
});

const VALIDITY_MS = 3_600_000;

/** Certificates for the links of servers on loopback, each made when it is first asked for; one CA signs them all. */
export class ThrowawayCertificates {
  private authority: Promise<{ certificate: string; key: string }> | undefined;
  private readonly made = new Map<string, Promise<LinkCertificates>>();

  of(owner: string, role: "hub" | "site"): Promise<LinkCertificates> {
    const made = this.made.get(owner) ?? this.make(owner, role);
    this.made.set(owner, made);
    return made;
  }

  private async make(owner: string, role: "hub" | "site"): Promise<LinkCertificates> {
    const ca = await (this.authority ??= makeThrowawayAuthority());
    const [key, names] = [newKey(), role === "hub" ? ["127.0.0.1"] : []];
    const certificate = await makeServerCertificate({ owner, role, names, ca, key, ...valid() });
    return { kind: "generated", ca: ca.certificate, certificate, key };
  }
}

async function makeThrowawayAuthority(): Promise<{ certificate: string; key: string }> {
  const key = newKey();
  return { certificate: await makeAuthority({ name: "throwaway", key, ...valid() }), key };
}

const valid = () => ({ validity: VALIDITY_MS, now: Date.now() });
