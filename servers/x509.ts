import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { Refusal } from "../machine/refusal";

/**
 * X.509 for the TLS of leaf links: made with a library that is loaded when the first certificate is made, read with
 * Node's own reader, so that a stack without TLS, and a `diff`, load nothing.
 */

/** Which end of a leaf link a server is: the hub is dialled, a site dials. */
export type Role = "hub" | "site";

/** What a server's certificate is for; "routes": to dial the other servers of the hub and to be dialled by them. */
export type CertificateRole = Role | "routes";

/** A certificate and the private key that belongs to it, both in PEM. */
export interface KeyPair {
  certificate: string;
  /** Secret. */
  key: string;
}

/** A certificate as people read it. */
export interface CertificateFacts {
  /** Such as "O=nats-hub-leaf, CN=dev". */
  subject: string;
  issuer: string;
  notBefore: Date;
  notAfter: Date;
  /** DNS names and IP addresses of subjectAltName; IPv6 in its short form. */
  names: string[];
  isCa: boolean;
}

/** The extended key usage that each end of a leaf link needs. */
export const USAGE: Readonly<Record<Role, string>> = { hub: "1.3.6.1.5.5.7.3.1", site: "1.3.6.1.5.5.7.3.2" };

const usagesOf = (role: CertificateRole): string[] => (role === "routes" ? Object.values(USAGE) : [USAGE[role]]);

/** The organisation in a CA's subject; a server's subject has none, so that the two never meet. */
const ORGANIZATION = "nats-hub-leaf";

/** How far the clock of the machine that verifies may be behind the one that signs: 1 h. */
const CLOCK_DIFFERENCE_MS = 3_600_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

async function loadLibrary() {
  // The library's dependency injection refuses to load without it.
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** A new ECDSA P-256 private key: PKCS #8 in PEM. */
export const newKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

async function importKey(pem: string): Promise<{ privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey }> {
  const [pkcs8, spki] = [
    createPrivateKey(pem).export({ type: "pkcs8", format: "der" }),
    createPublicKey(pem).export({ type: "spki", format: "der" }),
  ];
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]),
    webcrypto.subtle.importKey("spki", spki, ALGORITHM, true, ["verify"]),
  ]);
  return { privateKey, publicKey };
}

/** From an hour ago to `validity` ms from `now`; a certificate holds whole seconds of both. */
const period = (validity: number, now: number) => ({
  notBefore: new Date(now - CLOCK_DIFFERENCE_MS),
  notAfter: new Date(now + validity),
});

/** What a CA's certificate is made from. */
export interface AuthorityParts {
  /** The common name of the subject; unused with `before`. */
  name: string;
  key: string;
  /** The certificate that this one renews: the subject stays, which servers' certificates name as their issuer. */
  before?: string;
  /** ms from `now`; 1000 or more. */
  validity: number;
  /** ms since the epoch. */
  now: number;
}

/**
 * The self-signed certificate of a CA that signs servers' certificates and no other CA's, in PEM. The same key and
 * subject make a certificate that signs for all that the one before it has signed.
 */
export async function makeAuthority({ name, key, before, validity, now }: AuthorityParts): Promise<string> {
  const x509 = await loadLibrary();
  const keys = await importKey(key);
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  const subject =
    before === undefined
      ? new x509.Name([{ O: [ORGANIZATION] }, { CN: [name] }])
      : new x509.X509Certificate(before).subjectName;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
    ...period(validity, now),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${made.toString("pem")}\n`;
}

/** What a server's certificate is made from. */
export interface ServerParts {
  /** The common name of the subject. */
  owner: string;
  role: CertificateRole;
  /** DNS names in ASCII and IP addresses without a zone, into subjectAltName. */
  names: readonly string[];
  key: string;
  ca: KeyPair;
  /** ms from `now`; 1000 or more. Not cut at the CA's end: a CA is renewed with its key, and signs on. */
  validity: number;
  /** ms since the epoch. */
  now: number;
}

/** A server's certificate in PEM: the hub's for TLS servers, a site's for TLS clients, that of routes for both. */
export async function makeServerCertificate(parts: ServerParts): Promise<string> {
  const { owner, role, names, key, ca, validity, now } = parts;
  const x509 = await loadLibrary();
  const [keys, issuer] = await Promise.all([importKey(key), importKey(ca.key)]);
  const alternatives = names.map((name) => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name }) as const);
  const made = await x509.X509CertificateGenerator.create({
    subject: new x509.Name([{ CN: [owner] }]),
    issuer: new x509.X509Certificate(ca.certificate).subjectName,
    publicKey: keys.publicKey,
    signingKey: issuer.privateKey,
    signingAlgorithm: ALGORITHM,
    ...period(validity, now),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usagesOf(role)),
      ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return `${made.toString("pem")}\n`;
}

/** What a stand-in certificate is made from. */
export interface ReissueParts {
  /** Absent for one that is not known: good for both ends, from an hour ago for an hour. */
  real?: X509Certificate;
  /** IP addresses besides what it names. */
  names: readonly string[];
  key: string;
  ca: KeyPair;
}

/** A certificate in PEM with the subject, the names, the dates and the uses of another one, under another key and CA. */
export async function reissue({ real, names, key, ca }: ReissueParts): Promise<string> {
  const x509 = await loadLibrary();
  const [keys, issuer] = await Promise.all([importKey(key), importKey(ca.key)]);
  const like = real === undefined ? undefined : new x509.X509Certificate(real.raw);
  const known = like?.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const all = [...known, ...names.map((value) => ({ type: "ip", value }) as const)];
  const soon = period(CLOCK_DIFFERENCE_MS, Date.now());
  const uses = like?.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? Object.values(USAGE);
  const made = await x509.X509CertificateGenerator.create({
    subject: like?.subjectName ?? new x509.Name([{ CN: ["rehearsal"] }]),
    issuer: new x509.X509Certificate(ca.certificate).subjectName,
    publicKey: keys.publicKey,
    signingKey: issuer.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: like?.notBefore ?? soon.notBefore,
    notAfter: like?.notAfter ?? soon.notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension(uses),
      ...(all.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(all)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return `${made.toString("pem")}\n`;
}

/**
 * Every certificate of a PEM text, in its order.
 *
 * @throws Refusal when a block that calls itself a certificate is none.
 */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Refusal("a block between BEGIN CERTIFICATE and END CERTIFICATE cannot be read");
    }
  });
}

const oneLine = (name: string): string => name.split("\n").join(", ");

/** The names of a subjectAltName as Node writes it: `DNS:a, IP Address:127.0.0.1, DNS:"with, comma"`. */
function namesIn(text = ""): string[] {
  return [...text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)].flatMap(([, kind, value = ""]) => {
    if (kind === "DNS") return [value.startsWith('"') ? String(JSON.parse(value)) : value];
    if (kind !== "IP Address") return [];
    return [isIP(value) === 6 ? new URL(`http://[${value}]`).hostname.slice(1, -1) : value];
  });
}

/** The facts of one certificate. */
export const factsOf = (certificate: X509Certificate): CertificateFacts => ({
  subject: oneLine(certificate.subject),
  issuer: oneLine(certificate.issuer),
  notBefore: new Date(certificate.validFrom),
  notAfter: new Date(certificate.validTo),
  names: namesIn(certificate.subjectAltName),
  isCa: certificate.ca,
});

/**
 * The facts of the first certificate of a PEM text.
 *
 * @throws Refusal when there is none, or none that can be read.
 */
export function readCertificate(pem: string): CertificateFacts {
  const [first] = certificatesIn(pem);
  if (first === undefined) throw new Refusal("holds no certificate in PEM (no BEGIN CERTIFICATE)");
  return factsOf(first);
}

/** SHA-256 of a certificate, as `AB:CD:…`. */
export const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256;

/** Whether `issuer` names itself as, and is, who signed the certificate. */
export const signs = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/** Whether less than `renewBefore` ms are left of a certificate that ends at `notAfter` (ISO 8601). */
export const isDue = (notAfter: string, renewBefore: number, now: number): boolean =>
  Date.parse(notAfter) - now < renewBefore;

/** The day of a moment, in UTC: "2027-03-01". */
export const dayOf = (moment: Date | string): string => new Date(moment).toISOString().slice(0, 10);
