import type { ConfigMap, Position } from "../../configs/format/parse";
import type { FlowControlForm } from "../../configs/subjects";
import type { Located } from "./section";

/** A nats-server as its configuration file describes it: what matters to leaf links and sourcing. */
export interface ConfigServer {
  file: string;
  /** The beginning of the file: where something is missing. */
  at: Position;
  /** All that it says. */
  map: ConfigMap;
  /** The server's name, else the file's. */
  label: string;
  name?: Located<string>;
  client: Address;
  /** Monitoring without TLS. */
  monitor?: Located<Address>;
  maxPayload: Located<number>;
  /** Absent when JetStream is off. */
  jetstream?: JetStreamConfig;
  /** The form of flow control that its feature flag asks for; absent where the server's version decides. */
  flowControl?: FlowControlForm;
  systemAccount?: Located<string>;
  noAuthUser?: Located<string>;
  /** Where accounts and users are, when they are in JWTs or behind a callout and cannot be judged here. */
  accountsElsewhere?: "JWTs" | "an authorization callout";
  /** The single user or token of `authorization`, without a list of users. */
  singleUser?: Located<string> & { secret?: string };
  accounts: AccountRead[];
  /** Of all accounts. */
  users: UserRead[];
  /** Where leaf servers link in; absent when it takes none. */
  listener?: Listener;
  /** Where they link in by a websocket. */
  websocket?: Address & { hasTls: boolean; compresses: boolean };
  /** The servers that it is one with. */
  cluster?: ConfigCluster;
  remotes: Remote[];
}

export interface Address {
  /** Empty for all addresses. */
  host: string;
  port: number;
}

export interface ConfigCluster {
  at: Position;
  name?: Located<string>;
  /** Absent when it takes no routes. */
  listen?: Address;
  routes: Located<RemoteUrl>[];
}

export interface JetStreamConfig {
  at: Position;
  domain?: Located<string>;
  /** Bytes for all its streams on disk, where the file says. */
  maxFile?: Located<number>;
  storeDir?: Located<string>;
  /** As written: a text or a number. */
  syncInterval?: Located<string>;
}

export interface AccountRead {
  name: string;
  at: Position;
  jetstream: boolean;
  /** Bytes that its streams may take, on disk and in memory together; absent where one of both is not limited. */
  storage?: Located<number>;
  /** `limits.max_leafnodes` and `limits.max_payload`, where they are there. */
  limits?: { leafnodes?: Located<number>; payload?: Located<number> };
  exports: Exchange[];
  imports: Exchange[];
}

/** One export, or one import. */
export interface Exchange {
  kind: "stream" | "service";
  subject: string;
  /** For an import: the importer's own subject for it, if that differs. */
  to?: string;
  at: Position;
  /** For an export: who may import it; absent for everyone. For an import: the exporting account. */
  accounts?: string[];
}

export interface UserRead {
  at: Position;
  account: string;
  /** As it is written: a name or a public key. */
  id: string;
  isKey: boolean;
  /** Secret: the password, or its bcrypt hash. */
  secret?: string;
  /** Whether it must come through a trusted proxy. */
  needsProxy?: true;
  /** Connection types in capitals; absent for all. */
  types?: string[];
  publish: SubjectRights;
  subscribe: SubjectRights;
}

export interface SubjectRights {
  at?: Position;
  /** Absent for everything. */
  allow?: string[];
  deny: string[];
}

export interface Listener extends Address {
  at: Position;
  tls?: Tls;
  /** `leafnodes.authorization`, when it names a user. */
  authorization?: { at: Position; logins: LeafLogin[] };
}

export interface LeafLogin {
  at: Position;
  id: string;
  isKey: boolean;
  /** Secret: the password, or its bcrypt hash. */
  secret?: string;
  /** Absent for `$G`. */
  account?: Located<string>;
}

export interface Tls {
  at: Position;
  verify: boolean;
  /** Whether the certificate says who the user is. */
  mapsUsers: boolean;
  /** The path of its certificate, as it is written. */
  certificate?: string;
  hasCertificate: boolean;
  hasCa: boolean;
  /** "fallback": both ways are taken. */
  handshakeFirst: boolean | "fallback";
}

export interface Remote {
  at: Position;
  urls: Located<RemoteUrl>[];
  account?: Located<string>;
  credentials?: Located<string>;
  nkey?: Located<string>;
  tls?: Tls;
  /** The names of all its settings. */
  others: string[];
  /** Whether it compresses what it sends over a websocket. */
  compressesWebsocket: boolean;
  denyImports: Located<string>[];
  denyExports: Located<string>[];
}

export interface RemoteUrl extends Address {
  scheme: string;
  /** A user, or without a password a token as well; as the server takes it, without percent encoding. */
  user?: string;
  /** Secret. */
  password?: string;
  /** Whether the port is written. */
  hasPort?: true;
  /** What follows the port. */
  path?: string;
}

export const GLOBAL_ACCOUNT = "$G";

export const isSystemAccount = ({ systemAccount }: ConfigServer, account: string): boolean =>
  account === (systemAccount?.value ?? "$SYS");

/** Accounts of the server that are not the system's. */
export const ownAccounts = (server: ConfigServer): AccountRead[] =>
  server.accounts.filter(({ name }) => !isSystemAccount(server, name));

/** Whether streams can be kept in the account. `$G` has JetStream where there is no other account. */
export function hasJetStream(server: ConfigServer, account: string): boolean {
  if (server.jetstream === undefined) return false;
  if (account === GLOBAL_ACCOUNT) return ownAccounts(server).length === 0;
  return server.accounts.some(({ name, jetstream }) => name === account && jetstream);
}

/** Whether links to the hub can carry core messages only: it keeps no streams. */
export const isCoreOnly = ({ jetstream, accountsElsewhere, accounts }: ConfigServer): boolean =>
  jetstream === undefined && accountsElsewhere === undefined && !accounts.some((account) => account.jetstream);

/** The servers of one cluster with this one, itself first. */
export const clusterOf = (server: ConfigServer, servers: readonly ConfigServer[]): ConfigServer[] => [
  server,
  ...servers.filter((other) => other !== server && areOne(server, other)),
];

/** Whether two servers are of one cluster, as far as their files say. */
export const areOne = (one: ConfigServer, other: ConfigServer): boolean =>
  one.cluster?.listen !== undefined &&
  other.cluster?.listen !== undefined &&
  one.cluster.name?.value === other.cluster.name?.value &&
  (reaches(one.cluster, other) || reaches(other.cluster, one));

/** Whether a route may be meant for the server: the files do not show the names of a network. */
const reaches = ({ routes }: ConfigCluster, { cluster }: ConfigServer): boolean =>
  routes.some(({ value }) => value.port === cluster?.listen?.port);

/** Whether two servers are on one machine for sure: one dials the other there, or both dial a third one. */
export function areNeighbours(
  one: ConfigServer,
  other: ConfigServer,
  links: readonly { leaf: ConfigServer; hub?: ConfigServer; url?: Located<RemoteUrl> }[],
): boolean {
  /** A server, and the hubs that it dials on its own machine. */
  const around = (server: ConfigServer): Set<ConfigServer> =>
    new Set([
      server,
      ...links
        .filter(({ leaf, url }) => leaf === server && url !== undefined && isLoopback(url.value.host))
        .flatMap(({ hub }) => hub ?? []),
    ]);
  return [...around(one)].some((server) => around(other).has(server));
}

/** An address as it may be shown: without a login. */
export const shownUrl = ({ scheme, host, port }: RemoteUrl): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
