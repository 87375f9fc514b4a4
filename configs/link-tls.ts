import { z } from "zod";
import { hostPort } from "./text/address";
import { about, duration } from "./text/setting";

/** TLS of leaf links, and of routes that leave their machine: both ends verify each other by certificates of one CA. */

/** The files of a server's certificates, beside its configuration, where the server runs. */
export const CA_FILE = "ca.pem";
/** Certificate and key in one file, so that both change in one step. */
export const LINK_FILE = "link.pem";
/** The same for the routes of a server of a hub of several, which are always of the stack's own CA. */
export const ROUTES_CA_FILE = "routes-ca.pem";
export const ROUTES_FILE = "routes.pem";

/** The `tls` block of a leafnode listener or remote, or of a cluster, in the server's own words. */
export interface TlsConfig {
  ca_file: string;
  cert_file: string;
  key_file: string;
  /** Of a listener: who dials must have a certificate too. */
  verify?: true;
}

/**
 * What a site dials. With TLS another scheme too: the server cannot change the TLS of a remote that keeps its URL
 * (nats-server reload.go).
 */
export const linkUrl = ({ tls }: { tls: "off" | "generated" | "given" }, host: string, port: number | string): string =>
  `${tls === "off" ? "nats-leaf" : "tls"}://${hostPort(host, port)}`;

export const linkTls = (): TlsConfig => ({ ca_file: CA_FILE, cert_file: LINK_FILE, key_file: LINK_FILE });

export const routesTls = (): TlsConfig => ({
  ca_file: ROUTES_CA_FILE,
  cert_file: ROUTES_FILE,
  key_file: ROUTES_FILE,
  verify: true,
});

/** The setting `links`. */
export const linkSettings = z
  .strictObject({
    tls: about(
      "`generated`: all links use TLS, and both ends verify each other by certificates of the stack's own CA, whose keys are secrets in the state. `given`: by the files in `links.certificates`. A change is refused in an update that removes a site",
      z.enum(["off", "generated", "given"]).default("off"),
      { change: "on or off: restart of the hub and of sites with `reach: hub`; sites lose their links for a moment" },
    ),
    certificates: about(
      "folder with `ca.pem`, and `<server>.pem` and `<server>-key.pem` for the hub and every site. The hub's must name every address that sites dial. The keys never enter the state",
      z.string().min(1).optional(),
    ),
    validity: about(
      "how long a generated certificate is valid, 1 day to 10 years. The CA is valid ten times as long",
      duration().prefault("365d"),
    ),
    renewBefore: about(
      "a generated certificate is renewed by the next `up` when less than this is left. The CA keeps its key, so sites with older certificates stay connected",
      duration().prefault("90d"),
      { change: "reload" },
    ),
    plaintext: about(
      "`accepted`: leaf links may leave this machine in plain text, over a network that is private or encrypted (a VPN). Without it, and without TLS, such a link is refused",
      z.literal("accepted").optional(),
      { unset: "refused" },
    ),
  })
  .prefault({});
