import { parse } from "../../../configs/format/parse";
import { render } from "../../../configs/format/render";
import { AccountConfig, LeafListener, LeafRemotes, ServerConfig, UserConfig } from "../../../configs/server-config";
import { TestFleet, TestServer } from "../fleets/fleet";
import { Proxy, proxyTo } from "../fleets/proxy";
import { restartWith } from "../fleets/servers";
import { until } from "../until";

/** What people do to a server's configuration file, read as what it says. */

export const oslo = (fleet: TestFleet): TestServer => fleet.site("oslo");

/** A configuration with words that this program never writes. */
export type AnyConfig = ServerConfig & Record<string, unknown>;

/** Changes the configuration file, and restarts the server with it. */
export const misconfigure = (server: TestServer, change: (config: AnyConfig) => void): Promise<void> =>
  restartWith(server.folder, (text) => {
    const config = parse(text) as unknown as AnyConfig;
    change(config);
    return render(config);
  });

export const remoteOf = ({ leafnodes }: ServerConfig) =>
  (leafnodes as LeafRemotes).remotes[0]! as LeafRemotes["remotes"][number] & Record<string, unknown>;

export const listenerOf = ({ leafnodes }: ServerConfig) => leafnodes as LeafListener & Record<string, unknown>;

export const linkUser = ({ users }: AccountConfig): UserConfig =>
  users.find((user) => user.allowed_connection_types?.includes("LEAFNODE"))!;

/** Takes the link's user out of its account on the hub. */
export function takeLinkUser(config: ServerConfig, account: string): UserConfig {
  const { users } = config.accounts[account]!;
  const [user] = users.splice(users.indexOf(linkUser(config.accounts[account]!)), 1);
  return user!;
}

export const linked = (fleet: TestFleet, ...sites: string[]) =>
  until(`${sites.join(", ")} linked`, async () => {
    const links = await Promise.all(sites.map((site) => fleet.links(site)));
    return links.every((ofSite) => ofSite.length > 0);
  });

/** Changes the hub's configuration, and waits until both sites are linked again. */
export async function misconfigureHub(fleet: TestFleet, change: (config: AnyConfig) => void): Promise<void> {
  await misconfigure(fleet.hub, change);
  await linked(fleet, "oslo", "bergen");
}

/** Changes oslo's configuration, and waits until it is linked again. */
export async function misconfigureOslo(fleet: TestFleet, change: (config: AnyConfig) => void): Promise<void> {
  await misconfigure(oslo(fleet), change);
  await linked(fleet, "oslo");
}

/** Takes these subjects away from what oslo's link key may do. */
export const forbid =
  (what: "publish" | "subscribe", ...subjects: string[]) =>
  (config: ServerConfig): void => {
    const rule = linkUser(config.accounts.OSLO!).permissions![what]!;
    const kept = rule.allow!.filter((subject) => !subjects.includes(subject));
    if (kept.length === rule.allow!.length) throw new Error(`${subjects.join(", ")} was not allowed before`);
    rule.allow = kept;
  };

/** Takes exports of oslo's account off the hub, and the imports of them. */
export const unexport =
  (prefix: string) =>
  ({ accounts }: ServerConfig): void => {
    const { exports = [] } = accounts.OSLO!;
    const { imports = [] } = accounts.HUB!;
    const ofOslo = (subject: string) => subject.startsWith(prefix);
    accounts.OSLO!.exports = exports.filter((one) => !ofOslo("service" in one ? one.service : one.stream));
    accounts.HUB!.imports = imports.filter((one) => {
      const { account, subject } = "service" in one ? one.service : one.stream;
      return account !== "OSLO" || !ofOslo(subject);
    });
  };

/** Takes imports of oslo's exports out of the hub's own account. */
export const unimport =
  (prefix: string) =>
  ({ accounts }: ServerConfig): void => {
    accounts.HUB!.imports = accounts.HUB!.imports!.filter((one) => {
      const { account, subject } = "service" in one ? one.service : one.stream;
      return account !== "OSLO" || !subject.startsWith(prefix);
    });
  };

/** Writes the hub's stream of oslo back with something changed by hand. */
export async function editHubStream(
  fleet: TestFleet,
  change: (config: Record<string, unknown> & { sources?: Record<string, unknown>[] }) => void,
): Promise<void> {
  const { config } = await fleet.collected("oslo");
  const edited = structuredClone(config) as unknown as Parameters<typeof change>[0];
  change(edited);
  await (await fleet.atHub("oslo")).updateStream(edited as unknown as typeof config);
}

/** Writes oslo's own stream back with something changed by hand. */
export async function editSiteStream(fleet: TestFleet, change: (config: Record<string, unknown>) => void) {
  const js = await fleet.atSite("oslo");
  const { config } = (await js.stream("EVENTS"))!;
  const edited = structuredClone(config) as unknown as Record<string, unknown>;
  change(edited);
  await js.updateStream(edited as unknown as typeof config);
}

/** Has oslo dial the hub through a proxy. */
export async function throughProxy(fleet: TestFleet): Promise<Proxy> {
  const [proxy] = await throughProxies(fleet, [fleet.hub]);
  return proxy!;
}

/** Has oslo dial these servers of the hub, each through a proxy. */
export async function throughProxies(fleet: TestFleet, servers: readonly TestServer[]): Promise<Proxy[]> {
  const proxies = await Promise.all(servers.map(({ ports }) => proxyTo(ports.leafnodes)));
  fleet.whenStopped(() => Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]())));
  const urls = proxies.map(({ port }) => `nats-leaf://127.0.0.1:${port}`);
  await misconfigureOslo(fleet, (config) => (remoteOf(config).urls = urls));
  return proxies;
}
