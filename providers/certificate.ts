import { X509Certificate, createPrivateKey, KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { describeProblem } from "../configs/problem";
import { messageOf } from "../machine/refusal";
import { report } from "../machine/report";
import { changed, same, settled } from "../configs/values";
import {
  CertificateRole,
  KeyPair,
  Role,
  USAGE,
  certificatesIn,
  dayOf,
  factsOf,
  isDue,
  makeServerCertificate,
  newKey,
  readCertificate,
  signs,
} from "../servers/x509";

/**
 * The certificate of one server for its leaf links or its routes: made once, kept until it must be another. Another certificate has
 * another key. A CA that was renewed with its key (see `authority`) is no reason for one.
 */

export interface CertificateInputs {
  /** The server's name: the common name of the subject. */
  owner: string;
  role: CertificateRole;
  /**
   * DNS names in ASCII and IP addresses without a zone, for subjectAltName. The hub's are those that sites dial: a hub
   * without any is refused by all of them. A site needs none.
   */
  names: string[];
  /** The CA that signs it. Secret. */
  ca: KeyPair;
  /** How long a new certificate is valid, in ms. */
  validity: number;
  /** It is renewed when less than this is left, in ms; less than `validity`, or every update renews it. */
  renewBefore: number;
}

export interface CertificateOutputs extends CertificateInputs {
  /** PEM; without the CA's, which has a file of its own. */
  certificate: string;
  /** PKCS #8 in PEM. Secret. */
  key: string;
  /** When the certificate ends, ISO 8601. */
  notAfter: string;
}

const INPUTS = ["owner", "role", "names", "ca", "validity", "renewBefore"] as const;
/** Inputs that are part of the certificate. */
const CONTENTS = ["owner", "role", "names", "validity"] as const;

async function make(inputs: CertificateInputs, now: number): Promise<CertificateOutputs> {
  const key = newKey();
  const certificate = await makeServerCertificate({ ...inputs, key, now });
  return { ...inputs, certificate, key, notAfter: readCertificate(certificate).notAfter.toISOString() };
}

const isSignedBy = (certificate: string, ca: string): boolean =>
  signs(new X509Certificate(ca), new X509Certificate(certificate));

/** Why time or the CA asks for another certificate; undefined when they do not. */
function reasonToRenew(olds: CertificateOutputs, wanted: CertificateInputs, now: number): string | undefined {
  if (isDue(olds.notAfter, wanted.renewBefore, now)) return `ends on ${dayOf(olds.notAfter)}; up renews it`;
  if (!isSignedBy(olds.certificate, wanted.ca.certificate)) return "is not signed by the CA; up makes another";
  return undefined;
}

/** @param now ms since the epoch, in this and the others. */
export async function create(inputs: CertificateInputs, now = Date.now()) {
  return { id: inputs.owner, outs: await make(inputs, now) };
}

export async function diff(_id: string, olds: CertificateOutputs, news: CertificateInputs, now = Date.now()) {
  // A CA that is not known yet is one that is being renewed: with the same key, so it signs what it has signed.
  const wanted = settled(news, olds);
  const reason = reasonToRenew(olds, wanted, now);
  if (reason !== undefined) report(`certificate of ${wanted.owner} ${reason}`, { kind: "due", server: wanted.owner });
  return { changes: reason !== undefined || INPUTS.some((key) => changed(news[key], olds[key])) };
}

export async function update(_id: string, olds: CertificateOutputs, news: CertificateInputs, now = Date.now()) {
  const isOther = CONTENTS.some((key) => !same(news[key], olds[key])) || reasonToRenew(olds, news, now) !== undefined;
  if (isOther) return { outs: await make(news, now) };
  const { certificate, key, notAfter } = olds;
  return { outs: { ...news, certificate, key, notAfter } };
}

/** Nothing outside the state was made. */
export async function remove(): Promise<void> {}

export { remove as delete };

/** A server's given TLS files; all in PEM. */
export interface GivenCertificate extends KeyPair {
  /** One or more CAs' certificates. */
  ca: string;
  role: Role;
  /** What the sites dial: DNS names and IP addresses. Looked at for the hub only. */
  names: readonly string[];
  /** ms since the epoch. */
  now: number;
}

/** A mistake in one of the three files, without the name of what they are for. */
class CertificateFault extends Error {
  constructor(where: "ca" | "certificate" | "key", problem: string, cure: string) {
    super(describeProblem({ where, problem, cure }));
  }
}

function readAll(where: "ca" | "certificate", pem: string): [X509Certificate, ...X509Certificate[]] {
  const cure = "give a file in PEM that begins with BEGIN CERTIFICATE";
  try {
    const [first, ...others] = certificatesIn(pem);
    if (first !== undefined) return [first, ...others];
  } catch (error) {
    throw new CertificateFault(where, messageOf(error), cure);
  }
  throw new CertificateFault(where, "holds no certificate", cure);
}

function readKey(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) {
    throw new CertificateFault(
      "key",
      "is encrypted, but a server has no one to ask for the passphrase",
      "give it decrypted; it is kept as a secret",
    );
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new CertificateFault("key", "holds no private key", "give the certificate's private key in PEM");
  }
}

/** The certificates from this one to a CA's; none when they lead to none of the CAs. */
function chainOf(certificate: X509Certificate, between: X509Certificate[], cas: X509Certificate[]): X509Certificate[] {
  const trusted = cas.find((ca) => ca.fingerprint256 === certificate.fingerprint256);
  if (trusted !== undefined) return [trusted];
  const root = cas.find((ca) => signs(ca, certificate));
  if (root !== undefined) return [certificate, root];
  for (const next of between.filter((other) => signs(other, certificate))) {
    const rest = chainOf(
      next,
      between.filter((other) => other !== next),
      cas,
    );
    if (rest.length > 0) return [certificate, ...rest];
  }
  return [];
}

function refuseOutOfTime(where: "ca" | "certificate", certificate: X509Certificate, now: number): void {
  const { subject, notBefore, notAfter } = factsOf(certificate);
  if (notAfter.getTime() < now)
    throw new CertificateFault(where, `${subject} ended on ${dayOf(notAfter)}`, "give a renewed one");
  if (notBefore.getTime() > now) {
    const cure = "give one that is valid now, or set this machine's clock";
    throw new CertificateFault(where, `${subject} is not valid before ${notBefore.toISOString()}`, cure);
  }
}

function refuseWrongUse(certificate: X509Certificate, role: Role): void {
  // Node calls the extended key usage keyUsage; a certificate without one is good for everything.
  const usages = certificate.keyUsage as string[] | undefined;
  if (usages === undefined || usages.includes(USAGE[role]) || usages.includes("2.5.29.37.0")) return;
  const [usage, end] = role === "hub" ? ["serverAuth", "the hub is dialled"] : ["clientAuth", "a site dials"];
  throw new CertificateFault(
    "certificate",
    `lacks the extended key usage ${usage}: ${end}`,
    `have it issued with ${usage}`,
  );
}

function refuseOtherName(certificate: X509Certificate, name: string): void {
  // The common name does not count: the servers look at subjectAltName only.
  const found = isIP(name) === 0 ? certificate.checkHost(name, { subject: "never" }) : certificate.checkIP(name);
  if (found !== undefined) return;
  const { names } = factsOf(certificate);
  const has = names.length === 0 ? "it has no name" : `it has ${names.join(", ")}`;
  const cure = "have it issued with that name in subjectAltName, or have the sites dial a name that it has";
  throw new CertificateFault("certificate", `is not for ${name}, which the sites dial; ${has}`, cure);
}

/**
 * What is wrong with given TLS files: "where: what; cure", where is "ca", "certificate" or "key". Undefined when a leaf
 * link can be made with them. Never repeats a key.
 */
export function certificateProblem({ ca, certificate, key, role, names, now }: GivenCertificate): string | undefined {
  try {
    // If there are two certificates of one CA, the one that lasts longer counts.
    const cas = readAll("ca", ca).toSorted((a, b) => Date.parse(b.validTo) - Date.parse(a.validTo));
    const [own, ...between] = readAll("certificate", certificate);
    if (!own.checkPrivateKey(readKey(key))) {
      throw new CertificateFault(
        "key",
        "does not belong to the certificate",
        "give the key that the certificate was issued for",
      );
    }
    const chain = chainOf(own, between, cas);
    const root = chain.at(-1);
    if (root === undefined) {
      const problem = `${factsOf(own).subject} is not signed by the given CA, but by ${factsOf(own).issuer}`;
      throw new CertificateFault(
        "certificate",
        problem,
        "give that CA's certificate, and those between the two with the server's",
      );
    }
    for (const link of chain) refuseOutOfTime(link === root ? "ca" : "certificate", link, now);
    // A server's own certificate among the CAs' is trusted as it is.
    if (chain.length > 1 && !root.ca) {
      throw new CertificateFault("ca", `${factsOf(root).subject} is not a CA`, "give a CA's certificate");
    }
    refuseWrongUse(own, role);
    if (role === "hub") for (const name of names) refuseOtherName(own, name);
    return undefined;
  } catch (error) {
    if (error instanceof CertificateFault) return error.message;
    throw error;
  }
}
