import { LinkSecurity, Placement } from "../placement";
import { LogRotation, StoreLimits, SyncInterval } from "./plan-server";
import { Settings, SiteSettings, StreamSettings } from "../settings";
import { StreamConfig, StreamSource } from "../streams";

/**
 * What a stack's settings intend, as `make plan` shows it: known from the settings alone, before any server, key or
 * port exists. It says where a key comes from and never holds one.
 */

/** Stands for a port that the first `up` chooses. */
export const ALLOCATED = "<allocated>";
/** Stands for a site's name where something is planned once for all sites. */
export const ANY_SITE = "<site>";

/** "hidden": all `keys` are encrypted as one, and which of them are given is not known. */
export type KeySource = "generated" | "given" | "hidden";

/** What is known of the passphrase that encrypts the stack's secrets; "keyService": there is none. */
export type Passphrase = "empty" | "set" | "unknown" | "keyService";

/** What the stack file says besides the settings. */
export interface PlanContext {
  stack: string;
  passphrase: Passphrase;
  keysAreHidden: boolean;
  /** What a person should know about the stack file; no mistake. */
  notes: string[];
}

/** A server; what the hub and a site have in common. */
export interface ServerPlan {
  name: string;
  /** JetStream domain. */
  domain: string;
  runs: Placement;
  /** Where this program reaches it. */
  reachedAt: string;
  /** `host:port` on its machine. A container of a network of its own keeps its monitoring to itself. */
  listens: { clients: string; leafLinks?: string; monitoring?: string };
  stores: StoreLimits;
  maxPayload: number;
  syncInterval: SyncInterval;
  logs: LogRotation;
  keys: Record<string, KeySource>;
}

/** One server of a hub whose servers are on machines of their own, and where it is reached. */
export interface MachinePlan {
  name: string;
  runs: Placement;
  clients: string;
  leafLinks: string;
  routes: string;
}

export interface HubPlan extends ServerPlan {
  /** The names of the servers of a hub of several. `listens` are the addresses of the first one. */
  servers?: string[];
  /** Absent where all of them share a machine. */
  machines?: MachinePlan[];
  accounts: { name: string; stores?: StoreLimits }[];
}

/** One stream of one site, at both ends. */
export interface StreamPlan {
  mode: StreamSettings["collect"]["mode"];
  /** As declared; each end also stores probes. */
  subjects: string[];
  adopt: boolean;
  site: StreamConfig;
  hub: { account: string; subjects: string[]; stream: StreamConfig; source: StreamSource };
}

/** What every site has in the same way, but for its name. */
export interface SiteShare {
  /** With the same name at both ends. */
  account: string;
  /** What the account may store on the hub. */
  storesOnHub: StoreLimits;
  /** What the hub lets the link key do. */
  linkKeyMay: { publish: string[]; subscribe: string[] };
  streams: StreamPlan[];
}

export interface SitePlan extends ServerPlan {
  expect: SiteSettings["expect"];
  link: { dials: string; security: LinkSecurity; key: KeySource; rotation: number; reconnect: number };
  share: SiteShare;
}

export interface FleetPlan extends Omit<PlanContext, "keysAreHidden"> {
  dataFolder: string;
  /** Of all containers; absent when no server is one. */
  docker?: Settings["docker"];
  /** Path of the server that all processes run; absent when it is looked for. */
  natsServer?: string;
  hub: HubPlan;
  /** With the names that the hub's certificate must have; empty without TLS. */
  links: Settings["links"] & { hubNames: string[] };
  sites: SitePlan[];
  /** The share of any site, with ANY_SITE in place of its name; absent when there is no site. */
  eachSite?: SiteShare;
  /** What a first `up` sends through each stream; `bytesPerLink` is the burst over each link, all streams together. */
  probes: Settings["probes"] & { burstMessages: number; bytesPerLink: number; when: Settings["smokeTest"] };
  /** Sites whose own side waits until they are expected online. */
  pending: string[];
}
