import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CA_FILE, LINK_FILE } from "../../configs/link-tls";
import { digest } from "../../machine/digest";
import { Refusal, messageOf } from "../../machine/refusal";
import { ServerFiles } from "./server-files";

/** The certificates of a server's leaf links, as they cross Pulumi's boundary. */
export type LinkCertificates =
  /** PEM. The key is secret. */
  | { kind: "generated"; ca: string; certificate: string; key: string }
  /** Files of this machine; their keys never enter the state. */
  | { kind: "given"; folder: string; server: string };

export interface Pems {
  ca: string;
  certificate: string;
  key: string;
}

/** Errors: a Refusal that names the file that cannot be read. */
export function pemsOf(certificates: LinkCertificates): Pems {
  if (certificates.kind === "generated") return certificates;
  const { folder, server } = certificates;
  const read = (name: string): string => {
    const file = join(folder, name);
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new Refusal(`links.certificates: ${file}: ${messageOf(error)}; put it there, or correct the folder`);
    }
  };
  return { ca: read("ca.pem"), certificate: read(`${server}.pem`), key: read(`${server}-key.pem`) };
}

const pemBundle = ({ certificate, key }: Pems): string => `${certificate.trimEnd()}\n${key.trimEnd()}\n`;

/** Writes the certificates beside the configuration; removes those that are no longer given. */
export function writeCertificates(files: ServerFiles, certificates: LinkCertificates | undefined): void {
  if (certificates === undefined) {
    for (const file of [CA_FILE, LINK_FILE]) if (files.read(file) !== undefined) files.remove(file);
    return;
  }
  const pems = pemsOf(certificates);
  files.write(CA_FILE, pems.ca);
  files.write(LINK_FILE, pemBundle(pems));
}

/** A digest of what `writeCertificates` writes; empty for nothing. */
export const certificatesDigest = (certificates: LinkCertificates | undefined): string => {
  if (certificates === undefined) return "";
  const pems = pemsOf(certificates);
  return digest([pems.ca, pemBundle(pems)]);
};

/** The same digest of what lies beside the configuration. */
export const writtenCertificates = (files: ServerFiles): string => {
  const [ca, link] = [files.read(CA_FILE), files.read(LINK_FILE)];
  return ca === undefined && link === undefined ? "" : digest([ca, link]);
};
