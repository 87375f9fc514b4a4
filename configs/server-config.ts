import { TlsConfig } from "./link-tls";

/**
 * The part of the nats-server configuration that this program writes, in the server's own words.
 * A leaf remote has no `credentials`, `user` or `password`: the mistake of nats-server issue 6723, a seed in the
 * field of a credentials file, cannot be expressed.
 */
export interface ServerConfig {
  server_name: string;
  listen: string;
  http: string;
  max_payload: number;
  log_file?: string;
  logfile_size_limit?: number;
  logfile_max_num?: number;
  reconnect_error_reports?: number;
  jetstream: {
    store_dir: string;
    domain: string;
    max_memory_store: number;
    max_file_store: number;
    sync_interval: string;
  };
  leafnodes: LeafListener | LeafRemotes;
  cluster?: ClusterConfig;
  feature_flags?: { js_snapshot_sources: true };
  accounts: Record<string, AccountConfig>;
  system_account: string;
}

/** A server of a hub of several. It advertises no address: routes go to those that are declared. */
export interface ClusterConfig {
  name: string;
  listen: string;
  no_advertise: true;
  authorization: { user: string; password: string };
  /** Of routes that leave their machine. */
  tls?: TlsConfig;
  advertise?: string;
  routes: string[];
}

/** The hub's side of leaf links. Without `authorization`: it would shadow the accounts' users and cannot be reloaded. */
export interface LeafListener {
  listen: string;
  no_advertise: true;
  tls?: TlsConfig;
}

/** The site's side of leaf links. */
export interface LeafRemotes {
  reconnect: string;
  remotes: { urls: string[]; account: string; nkey: string; tls?: TlsConfig }[];
}

export interface AccountConfig {
  jetstream?: { max_mem: number; max_file: number };
  users: UserConfig[];
  exports?: (ServiceExport | StreamExport)[];
  imports?: AccountImport[];
}

export interface UserConfig {
  nkey: string;
  allowed_connection_types?: ("LEAFNODE" | "STANDARD")[];
  permissions?: { publish?: SubjectRule; subscribe?: SubjectRule };
}

export interface SubjectRule {
  allow?: string[];
  deny?: string[];
}

/** An export always names its importers: without `accounts` every account of the server may import it. */
export interface ServiceExport {
  service: string;
  response_type?: "stream";
  accounts: string[];
}

export interface StreamExport {
  stream: string;
  accounts: string[];
}

export type AccountImport =
  { service: { account: string; subject: string }; to?: string } | { stream: { account: string; subject: string } };
