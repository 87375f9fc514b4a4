import * as pulumi from "./sdk/pulumi";
import { Reached, fleetAccess, siteAccess } from "../fleet/sourcing/access";
import { hostPort } from "../configs/text/address";
import { publicKeyOf, HUB_ROLES, SITE_ROLES, ROUTES_KEY } from "../configs/keys";
import { CONTAINER_PORTS } from "../configs/container";
import { hubListeners, isElsewhere, placementOf, reachedAt, routesLeave } from "../configs/placement";
import { resourceName } from "../configs/resources";
import { HubSettings, Settings, SiteSettings } from "../configs/settings";
import { WATCHER, WATCH_ROLE, isWatched, isWatcherInDocker, watcherPort } from "../configs/watch/watch";
import { Topology, topologyOf } from "../views/topology/topology";
import type { LinkCertificates } from "../servers/files/link-tls";
import { Declared } from "./sdk/declared";
import { HubServers } from "./hub-servers";
import { LinkAuthority } from "./link-authority";
import { FleetCheck, Identity } from "./sdk/resources";
import { MixedRuntime } from "./runtimes/mixed";
import { Runtime, StackFolders, foldersOf } from "./runtimes/runtime";
import { judged } from "./stack-settings";
import { unbound } from "./sdk/unbound";

export interface FleetArgs {
  /** The stack's settings, as `stackSettings` or `readSettings` give them; judged by every rule here too. */
  settings: Settings;
  /** The stack's name; its files, streams and processes carry it. */
  stack: string;
}

export const SITE_LISTENERS = ["client", "monitor"] as const;

/**
 * The fleet as a whole: the identity of every server, and the check of all of them together. Everything else depends
 * on it, so that a mistake anywhere stops the update before any server is touched.
 */
export class Fleet extends pulumi.ComponentResource {
  readonly settings: Settings;
  readonly stack: string;
  readonly runtime: Runtime;
  readonly folders: StackFolders;
  readonly hub: HubServers;
  /** Passes once all rules do; what touches a server depends on it. */
  readonly check: FleetCheck;
  private readonly identities = new Map<string, Identity>();
  private readonly outputs = new Map<string, pulumi.Output<unknown>>();
  private readonly authority: LinkAuthority;

  constructor(name: string, args: FleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("nats-hub-leaf:index:Fleet", name, {}, opts);
    judged(args.settings);
    this.settings = args.settings;
    this.stack = args.stack;
    this.folders = foldersOf(args.settings, args.stack);
    this.runtime = new MixedRuntime(args.settings, args.stack, this.folders, this, () => this.check);
    this.authority = new LinkAuthority(args, this);
    this.hub = new HubServers(args.settings, {
      port: (server, listener) => this.port(server, listener),
      clientUrl: (server) => this.clientUrl(server),
      placeOf: (server) => this.runtime.placeByName(server),
    });
    const { hub, sites } = args.settings;
    const listeners = hubListeners(args.settings);
    if (this.hub.isCluster) {
      // The keys are the hub's, the ports are each server's.
      this.identify(hub, this.folders.hub, [...HUB_ROLES, ROUTES_KEY], [], 0);
      for (const server of this.hub.all) this.identify(server, this.folders.ofHub(server.name) ?? "", [], listeners, 0);
    } else this.identify(hub, this.folders.hub, HUB_ROLES, listeners, 0);
    for (const site of sites) {
      this.identify(site, this.folders.site(site.name), SITE_ROLES, SITE_LISTENERS, site.rotation);
    }
    if (isWatched(args.settings)) {
      const ports = { watch: watcherPort(args.settings) };
      this.identify({ name: WATCHER, ports }, this.folders.watcher, [WATCH_ROLE], [WATCH_ROLE], 0);
    }
    const { keys: _seeds, ...settings } = args.settings;
    const givenLinks = Object.fromEntries(
      sites.flatMap(({ name: site }) => {
        const { link } = this.given(site);
        return link === undefined ? [] : [[site, publicKeyOf(link)]];
      }),
    );
    this.check = new FleetCheck(
      `${name}-check`,
      { root: this.folders.root, settings, givenLinks, access: this.access() },
      { parent: this, dependsOn: [...this.identities.values()] },
    );
    this.registerOutputs({});
  }

  /**
   * Resolves when Pulumi has been asked for the first resources. It starts their provider then, which takes as long as
   * putting the rest of a large fleet together: side by side, if the program waits for this.
   */
  async isUnderWay(): Promise<void> {
    await new Promise((resolve) => this.urn.apply(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Which servers there are, who dials whom and which stream flows where; all known in a preview, and nothing secret. */
  get topology(): Topology {
    return topologyOf(this.settings);
  }

  /** The hub's client URL; of several servers those of all, joined. */
  get hubUrl(): pulumi.Output<string> {
    return this.clientUrl(this.settings.hub);
  }

  /** The hub as the watcher dials it: a container finds the servers of its own engine on the stack's network. */
  get urlForWatcher(): pulumi.Output<string> {
    const beside = (server: HubSettings): boolean =>
      isWatcherInDocker(this.settings) && server.engine === this.hub.first.engine;
    return this.hub.ofEach((server) =>
      beside(server)
        ? pulumi.output(`nats://${hostPort(server.name, CONTAINER_PORTS.client)}`)
        : this.clientUrl(server),
    );
  }

  /** The client URL of the hub, of one of its servers, or of a site. */
  clientUrl = (server: HubSettings | SiteSettings): pulumi.Output<string> =>
    this.once(`URL of ${server.name}`, () =>
      this.ofEach(server, (one) => this.url("nats", reachedAt(one), this.port(one.name, "client"))),
    );

  /** The text of a server; of a hub of several, those of all its servers, joined. */
  private ofEach = (
    server: HubSettings | SiteSettings,
    textOf: (server: HubSettings | SiteSettings) => pulumi.Output<string>,
  ): pulumi.Output<string> =>
    this.hub.isCluster && server.name === this.settings.hub.name ? this.hub.ofEach(textOf) : textOf(server);

  private url = (scheme: string, host: string, port: pulumi.Input<number>): pulumi.Output<string> =>
    pulumi.output(port).apply((number) => `${scheme}://${hostPort(host, number)}`);

  /** Each output is made once: they are most of what the program does for a large fleet. */
  private once<T>(what: string, make: () => pulumi.Output<T>): pulumi.Output<T> {
    const output = this.outputs.get(what) ?? make();
    this.outputs.set(what, output);
    return output as pulumi.Output<T>;
  }

  /** The certificates of a server's leaf links; undefined without TLS. */
  certificatesOf(server: string): Declared<LinkCertificates> | undefined {
    const { tls, certificates: folder = "" } = this.settings.links;
    switch (tls) {
      case "off":
        return undefined;
      case "given":
        return { kind: "given", folder, server };
      case "generated":
        return this.authority.certificatesOf(server);
      default:
        return neverTls(tls);
    }
  }

  /** The certificates of the routes of a server of the hub; undefined where routes do not leave their machine. */
  routesCertificatesOf = (server: HubSettings): Declared<LinkCertificates> | undefined =>
    routesLeave(this.settings) ? this.authority.routesOf(server) : undefined;

  /** The URL of a server's monitoring; undefined in a container, where only the container itself reaches it. */
  monitorUrl = (server: HubSettings | SiteSettings): pulumi.Output<string> | undefined =>
    placementOf(this.settings, server).kind === "docker"
      ? undefined
      : this.ofEach(server, (one) => this.url("http", "127.0.0.1", this.port(one.name, "monitor")));

  /** A public key. Known in a preview when its seed is given. */
  key(owner: string, role: string): pulumi.Input<string> {
    const given = this.given(owner)[role];
    return given === undefined ? this.made(this.identity(owner).keys, `key of ${owner}`, role) : publicKeyOf(given);
  }

  /** The public key of the watcher; undefined without one. */
  get watchKey(): pulumi.Input<string> | undefined {
    return isWatched(this.settings) ? this.key(WATCHER, WATCH_ROLE) : undefined;
  }

  /** A seed. Secret. */
  seed = (owner: string, role: string): pulumi.Output<string> =>
    this.made(this.identity(owner).seeds, `seed of ${owner}`, role);

  /** Where its servers are, and their seeds. */
  readonly reached: Reached<pulumi.Output<string>> = { url: this.clientUrl, seed: this.seed };

  /** A port. Known in a preview when it is given. */
  port(owner: string, listener: string): pulumi.Input<number> {
    const owners = [...this.hub.all, ...this.settings.sites];
    const ports: Record<string, number | undefined> | undefined = portsOf(owners.find(({ name }) => name === owner));
    return ports?.[listener] ?? this.made(this.identity(owner).allocated, `port of ${owner}`, listener);
  }

  /**
   * The option of what holds data or keys. Not of a link, a container or a certificate, which ordinary changes replace,
   * and never of a component, whose children would inherit it.
   */
  get kept(): { protect?: true } {
    return this.settings.protect ? { protect: true } : {};
  }

  /** How a site and the hub's streams of it are reached. The seeds are secret. */
  accessOf = (site: SiteSettings) => siteAccess(this.settings, site, this.reached);

  /** How all sites and the hub's streams of them are reached. Secret. */
  access() {
    return this.once("access", () => pulumi.secret(fleetAccess(this.settings, this.reached)));
  }

  /** The seeds that people and applications use, by owner and role; a link key is for its server alone. Secret. */
  userSeeds(): Record<string, Record<string, pulumi.Output<string>>> {
    const { hub, sites } = this.settings;
    const seeds: Record<string, Record<string, pulumi.Output<string>>> = {};
    for (const owner of [hub.name, ...sites.map(({ name }) => name)]) {
      const roles = owner === hub.name ? HUB_ROLES : SITE_ROLES.filter((role) => role !== "link");
      seeds[owner] = Object.fromEntries(roles.map((role) => [role, this.seed(owner, role)]));
    }
    return seeds;
  }

  /** One of the values that an identity made. */
  private made<T>(values: pulumi.Output<Record<string, T>>, what: string, name: string): pulumi.Output<T> {
    return this.once(`${what} ${name}`, () => unbound(values).apply((all) => part(all, name)));
  }

  /** The identity of the hub or of a site. What uses its values states itself that it comes after `check`. */
  identity(owner: string): Identity {
    const identity = this.identities.get(owner);
    if (identity === undefined) throw new pulumi.RunError(`${owner} is neither the hub nor a site of this fleet`);
    return identity;
  }

  private given = (owner: string): Record<string, string | undefined> => this.settings.keys[owner] ?? {};

  private identify(
    server: HubSettings | SiteSettings | { name: string; ports: { watch: number | undefined } },
    folder: string,
    roles: readonly string[],
    listeners: readonly string[],
    rotation: number,
  ): void {
    const { name: owner } = server;
    const ports: Record<string, number | undefined> | undefined = "host" in server ? portsOf(server) : server.ports;
    const given = this.given(owner) as Record<string, string>;
    const identity = new Identity(
      resourceName(owner, "identity"),
      {
        owner,
        folder,
        root: this.folders.root,
        roles: [...roles],
        ports: Object.fromEntries(listeners.map((listener) => [listener, ports?.[listener] ?? 0])),
        rotation,
        given: Object.keys(given).length === 0 ? {} : pulumi.secret(given),
      },
      // A watcher that goes takes its key along.
      { parent: this, ...(owner === WATCHER ? {} : this.kept) },
    );
    this.identities.set(owner, identity);
  }
}

function neverTls(tls: never): never {
  throw new pulumi.RunError(`there is no TLS '${String(tls)}'`);
}

/** The ports that need no search: the given ones, and the default ports for a server on a machine of its own. */
const portsOf = (server: HubSettings | SiteSettings | undefined) =>
  server === undefined || !isElsewhere(server) ? server?.ports : { ...CONTAINER_PORTS, ...server.ports };

function part<T>(parts: Record<string, T>, name: string): T {
  const found = parts[name];
  if (found === undefined) throw new pulumi.RunError(`an identity has no ${name}`);
  return found;
}
