import { KeyObject, X509Certificate, createHash, createPublicKey } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { present } from "../../configs/values";
import { writePrivate } from "../../machine/folders";
import { KeyPair, certificatesIn, makeAuthority, newKey, reissue, signs } from "../../servers/x509";

/**
 * Certificates for a rehearsal in the place of those that the files name: of the same names, dates and uses, signed by
 * a CA that stands for the real one, so that trust between them stays the same. A certificate that is not on this
 * machine is taken for a good one.
 */

/** A `tls` block: the files that it names, and the hosts by which its server is dialled. */
export interface TlsFiles {
  certificate?: string;
  key?: string;
  ca?: string;
  hosts: readonly string[];
}

/** What the rehearsal puts in the place of each file, by the path as it is written. */
export interface StandIns {
  files: ReadonlyMap<string, string>;
  /** Of each certificate its fingerprint as pinned_certs has it (SHA-256 of the key in hex), and its stand-in's. */
  pins: ReadonlyMap<string, string>;
  /** CAs that no file of the fleet names: what a machine trusts by itself, as far as anybody can tell. */
  trusted: string;
}

const VALIDITY_MS = 3_600_000;

/** Stands for the CAs of certificates that are not on this machine. */
const MISSING = "missing";
/** Stands for the CAs that signed a certificate here, and that no file here names. */
const FOREIGN = "foreign";

export async function standInsFor(
  blocks: readonly TlsFiles[],
  read: (named: string) => string | undefined,
  folder: string,
): Promise<StandIns> {
  const makers = new Map<string, Promise<KeyPair>>();
  const maker = (name: string): Promise<KeyPair> => {
    const made = makers.get(name) ?? authority();
    makers.set(name, made);
    return made;
  };
  const certificates = (named: string | undefined): X509Certificate[] | undefined => {
    const text = named === undefined ? undefined : read(named);
    try {
      return text === undefined ? undefined : certificatesIn(text);
    } catch {
      return undefined;
    }
  };
  const cas = [...new Set(blocks.flatMap(({ ca }) => ca ?? []))];
  const known = cas.flatMap((named) => certificates(named) ?? []);
  const issuerOf = (certificate: X509Certificate): string =>
    known.find((ca) => signs(ca, certificate))?.fingerprint256 ?? FOREIGN;

  const files = new Map<string, string>();
  const pins = new Map<string, string>();
  const put = (named: string, text: string): void => {
    if (files.has(named)) return;
    const file = join(folder, `stand-in-${files.size}.pem`);
    writePrivate(file, text);
    files.set(named, file);
  };
  for (const { certificate, key, hosts } of blocks) {
    if (certificate === undefined || key === undefined || files.has(certificate)) continue;
    const own = newKey();
    const [real] = certificates(certificate) ?? [];
    const names =
      real === undefined || hosts.length === 0 || hosts.some((host) => covers(real, host)) ? ["127.0.0.1"] : [];
    const ca = await maker(real === undefined ? MISSING : issuerOf(real));
    put(certificate, await reissue({ ...present({ real }), names, key: own, ca }));
    if (real !== undefined) pins.set(fingerprint(real.publicKey), fingerprint(createPublicKey(own)));
    put(key, own);
  }
  const [missing, foreign] = [(await maker(MISSING)).certificate, (await maker(FOREIGN)).certificate];
  for (const named of cas) {
    const real = certificates(named);
    // It is unknown which CAs a missing file trusts.
    const names =
      real?.map(({ fingerprint256 }) => fingerprint256) ?? known.map(({ fingerprint256 }) => fingerprint256);
    const stand = await Promise.all([...new Set(names)].map(async (name) => (await maker(name)).certificate));
    put(named, [...stand, missing, ...(real === undefined ? [foreign] : [])].join(""));
  }
  return { files, pins, trusted: missing + foreign };
}

/** nats-server opts.go, PinnedCertSet: SHA-256 of the key's SPKI. */
const fingerprint = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");

const covers = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;

async function authority(): Promise<KeyPair> {
  const key = newKey();
  return { certificate: await makeAuthority({ name: "rehearsal", key, validity: VALIDITY_MS, now: Date.now() }), key };
}
