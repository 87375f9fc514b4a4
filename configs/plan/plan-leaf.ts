import { splitUrls } from "../text/address";
import { linkTls } from "../link-tls";
import { SYSTEM_ACCOUNT, accountOf, adminPrefix } from "../names";
import { applicationPermissions } from "../permissions";
import { ReloadSettings, RestartSettings, ServerPaths, jetStreamLimits, planServer } from "./plan-server";
import { AccountImport, ServerConfig } from "../server-config";
import { serverDuration } from "../text/units";

/** A site's server. What the server takes only at start is under `restart`. */
export interface LeafDeclaration {
  restart: RestartSettings & {
    /** Milliseconds between attempts to reach the hub. */
    reconnect: number;
  };
  reload: ReloadSettings & {
    /** The hub's leafnode listener, `nats-leaf://host:port`, or `tls://host:port`; those of several servers are joined. */
    hubUrl: string;
    /** Whether the link uses TLS; absent for no. Without this block even a `tls://` URL would link in plain text. */
    tls?: true;
    /** Whether the server is asked and reloaded through the hub; absent for no. */
    throughHub?: true;
    /** The site's streams, which applications may not change. */
    ownedStreams: string[];
    /** Public keys. */
    keys: { system: string; operator: string; application: string };
  };
}

const SYSTEM_REQUESTS = "$SYS.REQ.SERVER";

/** What is asked of a site's server through the hub. The first request returns the server's id, which the others use. */
const ADMIN_REQUESTS = ["PING.VARZ", "*.VARZ", "*.LEAFZ", "*.JSZ", "*.HEALTHZ", "*.RELOAD"].map(
  (request) => `${SYSTEM_REQUESTS}.${request}`,
);

/** The system's requests as services of the site's own account, which the leaf link carries. */
const adminImports = (site: string): AccountImport[] =>
  ADMIN_REQUESTS.map((subject) => ({
    service: { account: SYSTEM_ACCOUNT, subject },
    to: subject.replace(SYSTEM_REQUESTS, adminPrefix(site)),
  }));

/**
 * The site's configuration; `linkSeed` is the seed of its link key. The remote names both the account that it binds
 * at the site and the key that the hub binds to the account of the same name.
 */
export function planLeaf(leaf: LeafDeclaration, linkSeed: string, paths: ServerPaths): ServerConfig {
  const { restart, reload } = leaf;
  const account = accountOf(restart.name);
  return {
    ...planServer(restart, reload, paths),
    // Otherwise a site that cannot reach its hub logs each attempt: 13 lines a second at 50 ms.
    reconnect_error_reports: 3600,
    leafnodes: {
      reconnect: serverDuration(restart.reconnect),
      remotes: [
        { urls: splitUrls(reload.hubUrl), account, nkey: linkSeed, ...(reload.tls === true ? { tls: linkTls() } : {}) },
      ],
    },
    accounts: {
      [SYSTEM_ACCOUNT]: {
        users: [{ nkey: reload.keys.system }],
        ...(reload.throughHub === true
          ? { exports: ADMIN_REQUESTS.map((service) => ({ service, accounts: [account] })) }
          : {}),
      },
      [account]: {
        ...(reload.throughHub === true ? { imports: adminImports(restart.name) } : {}),
        jetstream: jetStreamLimits(reload.limits),
        users: [
          {
            nkey: reload.keys.application,
            permissions: applicationPermissions(restart.name, reload.ownedStreams),
          },
          { nkey: reload.keys.operator },
        ],
      },
    },
  };
}
