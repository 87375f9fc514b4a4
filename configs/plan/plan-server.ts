import { hostPort } from "../text/address";
import { SYSTEM_ACCOUNT } from "../names";
import { AccountConfig, ServerConfig } from "../server-config";
import { serverDuration } from "../text/units";

/** What the hub's server and a site's have in common. */

export interface LogRotation {
  sizeLimit: number;
  keep: number;
}

/** Where a server keeps its files; known only where it runs. */
export interface ServerPaths {
  store: string;
  /** Absent where the log goes to the server's output. */
  log?: string;
}

/** `"always"`, or milliseconds between flushes. */
export type SyncInterval = "always" | number;

export const syncText = (interval: SyncInterval): string =>
  interval === "always" ? interval : serverDuration(interval);

/** What a server or an account may store, in bytes. */
export interface StoreLimits {
  maxFile: number;
  maxMemory: number;
}

/** What every server takes only at start. */
export interface RestartSettings {
  /** Server name. */
  name: string;
  /** JetStream domain; absent where it is the name. */
  domain?: string;
  host: string;
  ports: { client: number; monitor: number };
  syncInterval: SyncInterval;
  logs: LogRotation;
}

/** What every server takes by reload. */
export interface ReloadSettings {
  limits: StoreLimits;
  maxPayload: number;
}

export const jetStreamLimits = ({ maxMemory, maxFile }: StoreLimits): NonNullable<AccountConfig["jetstream"]> => ({
  max_mem: maxMemory,
  max_file: maxFile,
});

/** The configuration but for leaf links and accounts. Monitoring has no authentication: it stays on loopback. */
export function planServer(
  { name, domain = name, host, ports, syncInterval, logs }: RestartSettings,
  { limits, maxPayload }: ReloadSettings,
  { store, log }: ServerPaths,
): Omit<ServerConfig, "leafnodes" | "accounts"> {
  return {
    server_name: name,
    listen: hostPort(host, ports.client),
    http: `127.0.0.1:${ports.monitor}`,
    max_payload: maxPayload,
    ...(log === undefined ? {} : { log_file: log, logfile_size_limit: logs.sizeLimit, logfile_max_num: logs.keep }),
    jetstream: {
      store_dir: store,
      domain,
      max_memory_store: limits.maxMemory,
      max_file_store: limits.maxFile,
      sync_interval: syncText(syncInterval),
    },
    system_account: SYSTEM_ACCOUNT,
  };
}
