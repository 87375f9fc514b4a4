import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CA_FILE, LINK_FILE, ROUTES_CA_FILE, ROUTES_FILE } from "../../configs/link-tls";
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

/** All files of certificates: of leaf links, and of routes that leave their machine. */
export const CERTIFICATE_FILES = [CA_FILE, LINK_FILE, ROUTES_CA_FILE, ROUTES_FILE] as const;

type Given = LinkCertificates | undefined;
type Texts = readonly (string | undefined)[];

/** The text of each file; undefined for one that is not to be there. */
const textsOf = (...given: [Given, Given]): Texts =>
  given.flatMap((one) => {
    const pems = one === undefined ? undefined : pemsOf(one);
    return pems === undefined ? [undefined, undefined] : [pems.ca, pemBundle(pems)];
  });

/** Writes the certificates beside the configuration; removes those that are no longer given. */
export function writeCertificates(files: ServerFiles, links: Given, routes?: Given): void {
  const texts = textsOf(links, routes);
  CERTIFICATE_FILES.forEach((file, i) => {
    const text = texts[i];
    if (text !== undefined) files.write(file, text);
    else if (files.read(file) !== undefined) files.remove(file);
  });
}

/** States hold digests of the files of leaf links alone. */
function digestOf([ca, link, ...ofRoutes]: Texts): string {
  const isThere = (text: string | undefined): boolean => text !== undefined;
  if (ofRoutes.some(isThere)) return digest([ca, link, ...ofRoutes]);
  return [ca, link].some(isThere) ? digest([ca, link]) : "";
}

/** A digest of what `writeCertificates` writes; empty for nothing. */
export const certificatesDigest = (links: Given, routes?: Given): string => digestOf(textsOf(links, routes));

/** The same digest of what lies beside the configuration. */
export const writtenCertificates = (files: ServerFiles): string =>
  digestOf(CERTIFICATE_FILES.map((file) => files.read(file)));
