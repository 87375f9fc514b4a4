import { report } from "../machine/report";
import { changed, settled } from "../configs/values";
import { dayOf, fingerprintOf, isDue, makeAuthority, newKey, readCertificate } from "../servers/x509";

/**
 * The CA of a stack's leaf links: made once, its key then kept.
 *
 * When its validity runs out, or another validity is wanted, it gets a new certificate for the same key and the same
 * subject. Every server's certificate that it has signed is valid under the old one and under the new one, so servers
 * that have the new certificate and servers that do not have it yet link with each other, in any order. A renamed stack
 * keeps the subject for the same reason. A new key is a new CA: replace the resource, and every server's certificate is
 * recreated.
 */

export interface AuthorityInputs {
  /** The stack: the common name of the subject, as it was when the CA was made. */
  name: string;
  /** How long a new certificate is valid, in ms. */
  validity: number;
  /** It is renewed when less than this is left, in ms; less than `validity`, or every update renews it. */
  renewBefore: number;
}

export interface AuthorityOutputs extends AuthorityInputs {
  /** PEM. */
  certificate: string;
  /** PKCS #8 in PEM. Secret. */
  key: string;
  /** SHA-256 of the certificate, as `AB:CD:…`. */
  fingerprint: string;
  /** When the certificate ends, ISO 8601. */
  notAfter: string;
}

const mustRenew = (olds: AuthorityOutputs, { validity, renewBefore }: AuthorityInputs, now: number): boolean =>
  validity !== olds.validity || isDue(olds.notAfter, renewBefore, now);

async function make(inputs: AuthorityInputs, now: number, old?: AuthorityOutputs): Promise<AuthorityOutputs> {
  const key = old?.key ?? newKey();
  const before = old === undefined ? {} : { before: old.certificate };
  const certificate = await makeAuthority({ name: inputs.name, validity: inputs.validity, key, now, ...before });
  const notAfter = readCertificate(certificate).notAfter.toISOString();
  return { ...inputs, certificate, key, fingerprint: fingerprintOf(certificate), notAfter };
}

/** @param now ms since the epoch, in this and the others. */
export async function create(inputs: AuthorityInputs, now = Date.now()) {
  return { id: inputs.name, outs: await make(inputs, now) };
}

export async function diff(_id: string, olds: AuthorityOutputs, news: AuthorityInputs, now = Date.now()) {
  const { renewBefore } = settled(news, olds);
  const due = isDue(olds.notAfter, renewBefore, now);
  if (due)
    report(`CA of the leaf links ends on ${dayOf(olds.notAfter)}; up renews it with the same key`, { kind: "due" });
  return {
    changes: due || (["name", "validity", "renewBefore"] as const).some((key) => changed(news[key], olds[key])),
  };
}

export async function update(_id: string, olds: AuthorityOutputs, news: AuthorityInputs, now = Date.now()) {
  const { certificate, key, fingerprint, notAfter } = olds;
  if (mustRenew(olds, news, now)) return { outs: await make(news, now, olds) };
  return { outs: { ...news, certificate, key, fingerprint, notAfter } };
}

/** Nothing outside the state was made. */
export async function remove(): Promise<void> {}

export { remove as delete };
