import { Reference, NO_LINK, NO_START, entry } from "./reference-entry";

/** The way between a leaf server and its hub: addresses, TLS, names, operators. */
export const LINK_FINDINGS = {
  "hub-client-port": entry(
    "error",
    "the leaf remote dials the hub's port for clients",
    `${NO_LINK}; the leaf logs "attempted to connect to wrong port"`,
    "use the port of the hub's leafnodes",
  ),
  "dialled-elsewhere": entry(
    "error",
    "the leaf remote dials another address or port than the one at which its hub listens",
    `${NO_LINK}; the leaf logs "connection refused"`,
    "dial the address and the port of the hub's leafnodes, or let the hub listen where it is dialled",
  ),
  "hub-without-leafnodes": entry(
    "error",
    "the server that the leaf remote dials takes no leaf links",
    `${NO_LINK}; the leaf logs "connection refused" or "attempted to connect to wrong port"`,
    "add leafnodes { listen: … } with a port to the hub",
  ),
  "remotes-disabled": entry(
    "warning",
    "every remote of the leaf server is disabled",
    "it never dials a hub, and says nothing of it",
    "remove disabled from the remote",
  ),
  "port-twice": entry("error", "two listeners have the same port", NO_START, "give each listener a port of its own"),
  "account-not-preloaded": entry(
    "error",
    "the account of the link's credentials is not among those that the hub preloads, and its resolver knows no others",
    `${NO_LINK}; the hub logs "authentication error"`,
    "add the account's JWT to resolver_preload",
  ),
  "account-of-another-operator": entry(
    "error",
    "a preloaded account is signed by another operator than the one that the server trusts",
    `${NO_LINK}; the hub logs "authentication error"`,
    "preload the JWT that this operator signed, or name the other operator",
  ),
  "jwt-expired": entry(
    "error",
    "a JWT has expired",
    `${NO_LINK}; the hub logs "authentication error"`,
    "make it anew with a later end",
  ),
  "plain-text": entry(
    "warning",
    "the link leaves the machine without TLS",
    "messages can be read and changed on their way; the nkey protects the login only",
    "add tls on both ends, or use a network that is encrypted",
  ),
  "tls-one-end": entry(
    "error",
    "one end of the link uses TLS, the other does not",
    NO_LINK,
    "add tls with the same CA on both ends",
  ),
  "tls-authority": entry(
    "warning",
    "the hub uses TLS, and the leaf remote has no tls block with its CA",
    "there is a link only if the leaf server's machine trusts the hub's certificate anyhow",
    "add tls { ca_file: … } to the remote",
  ),
  "tls-client-certificate": entry(
    "error",
    "the hub verifies the certificate of leaf servers, and the leaf remote has none",
    `${NO_LINK}; the hub logs "client didn't provide a certificate"`,
    "add cert_file and key_file to the remote's tls",
  ),
  "handshake-first": entry(
    "error",
    "handshake_first is not the same on both ends",
    `${NO_LINK}; "TLS handshake error: EOF" again and again`,
    "set handshake_first on both ends, or on neither",
  ),
  "equal-cluster-name": entry(
    "error",
    "hub and leaf server have the same cluster name",
    `${NO_LINK}; the hub closes it with "remote leafnode has same cluster name"`,
    "give the cluster of each site a name of its own",
  ),
  "websocket-compression": entry(
    "error",
    "the link goes over a websocket that is compressed at both ends",
    'as soon as more than max_payload waits at the site, the hub closes the link with "maximum payload exceeded", again and again (nats-server 2.15.2)',
    "remove ws_compression from the remote",
  ),
  "server-name-doubled": entry(
    "warning",
    "two servers have the same server_name",
    "reports mix them up; two links of one name into one account of the hub cut each other off",
    "give each server a name of its own",
  ),
  "monitoring-open": entry(
    "warning",
    "monitoring without authentication listens on all addresses",
    "everybody sees accounts, names, addresses and connections",
    'set http: "127.0.0.1:8222"',
  ),
} as const satisfies Record<string, Reference>;
