import { SYSTEM_ACCOUNT, accountOf } from "./names";
import { applicationPermissions } from "./permissions";
import { LogRotation, ServerPaths, StoreLimits, SyncInterval, syncText } from "./plan-hub";
import { ServerConfig } from "./server-config";
import { serverDuration } from "./units";

/** A site's server. What the server takes only at start is under `restart`. */
export interface LeafDeclaration {
  restart: {
    name: string;
    host: string;
    ports: { client: number; monitor: number };
    syncInterval: SyncInterval;
    /** Milliseconds. */
    reconnect: number;
    logs: LogRotation;
  };
  reload: {
    /** The hub's leafnode listener, `nats-leaf://host:port`. */
    hubUrl: string;
    limits: StoreLimits;
    maxPayload: number;
    /** The site's streams, which applications may not change. */
    ownedStreams: string[];
    /** Public keys. */
    keys: { system: string; operator: string; application: string };
  };
}

/**
 * The site's configuration; `linkSeed` is the seed of its link key. The remote names both the account that it binds
 * at the site and the key that the hub binds to the account of the same name.
 */
export function planLeaf(leaf: LeafDeclaration, linkSeed: string, paths: ServerPaths): ServerConfig {
  const { restart, reload } = leaf;
  const account = accountOf(restart.name);
  return {
    server_name: restart.name,
    listen: `${restart.host}:${restart.ports.client}`,
    http: `127.0.0.1:${restart.ports.monitor}`,
    max_payload: reload.maxPayload,
    log_file: paths.log,
    logfile_size_limit: restart.logs.sizeLimit,
    logfile_max_num: restart.logs.keep,
    // A site that cannot reach its hub logs each attempt otherwise: 13 lines a second at 50 ms.
    reconnect_error_reports: 3600,
    jetstream: {
      store_dir: paths.store,
      domain: restart.name,
      max_memory_store: reload.limits.maxMemory,
      max_file_store: reload.limits.maxFile,
      sync_interval: syncText(restart.syncInterval),
    },
    leafnodes: {
      reconnect: serverDuration(restart.reconnect),
      remotes: [{ urls: [reload.hubUrl], account, nkey: linkSeed }],
    },
    accounts: {
      [SYSTEM_ACCOUNT]: { users: [{ nkey: reload.keys.system }] },
      [account]: {
        jetstream: { max_mem: reload.limits.maxMemory, max_file: reload.limits.maxFile },
        users: [
          {
            nkey: reload.keys.application,
            permissions: applicationPermissions(restart.name, reload.ownedStreams),
          },
          { nkey: reload.keys.operator },
        ],
      },
    },
    system_account: SYSTEM_ACCOUNT,
  };
}
