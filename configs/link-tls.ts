import { hostPort } from "./text/address";

/** TLS of leaf links: both ends verify each other by certificates of one CA. */

/** The files of a server's certificates, beside its configuration, where the server runs. */
export const CA_FILE = "ca.pem";
/** Certificate and key in one file, so that both change in one step. */
export const LINK_FILE = "link.pem";

/** The `tls` block of a leafnode listener or remote, in the server's own words. */
export interface TlsConfig {
  ca_file: string;
  cert_file: string;
  key_file: string;
  /** On the hub: sites must have a certificate too. */
  verify?: true;
}

/**
 * What a site dials. With TLS another scheme too: the server cannot change the TLS of a remote that keeps its URL
 * (nats-server reload.go).
 */
export const linkUrl = ({ tls }: { tls: "off" | "generated" | "given" }, host: string, port: number | string): string =>
  `${tls === "off" ? "nats-leaf" : "tls"}://${hostPort(host, port)}`;

export const linkTls = (): TlsConfig => ({ ca_file: CA_FILE, cert_file: LINK_FILE, key_file: LINK_FILE });
