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

export const linkTls = (): TlsConfig => ({ ca_file: CA_FILE, cert_file: LINK_FILE, key_file: LINK_FILE });
