import { Reached, linkAccess, proofSeeds, provenSite, siteAccess } from "../../fleet/sourcing/access";
import { present } from "../../configs/values";
import { declareHub, declareHubLink, declareLeaf } from "../../configs/plan/declare";
import { linkUrl } from "../../configs/link-tls";
import { HUB_ROLES, type KeyRole, SITE_ROLES } from "../../configs/keys";
import { Settings, SiteSettings } from "../../configs/settings";
import { WATCHER, WATCH_ROLE, isWatched } from "../../configs/watch/watch";
import { declareSites } from "../../fleet/sourcing/declared-sites";
import { digest } from "../../machine/digest";
import * as hubLink from "../hub-link";
import * as hubServer from "../hub-server";
import * as identity from "../identity";
import * as leafServer from "../leaf-server";
import { LinkCertificates } from "../../servers/files/link-tls";
import type { ProcessPlace } from "../../servers/server-host";
import { declareLink, declaredLinks, dropLink } from "../../servers/server-config";
import { LocalFiles } from "../../servers/files/server-files";
import { Resource, SiteResources, siteResources } from "./scratch-resource";
import * as smokeTest from "../smoke-test";
import * as streams from "../streams";
import { ThrowawayCertificates, throwawayLinkKeys } from "../../servers/throwaway";

/**
 * A hub and its sites as processes on loopback, without Pulumi: the providers' own functions, called in the order in
 * which Pulumi calls them. Its settings must say nothing of other machines. For the rehearsal, and for tests.
 */

/** A server of the fleet, and how it is reached. */
export interface ScratchServer {
  name: string;
  folder: string;
  /** Client URL. */
  url: string;
  keys: Record<KeyRole, string>;
  seeds: Record<KeyRole, string>;
  ports: Record<"client" | "leafnodes" | "monitor", number>;
}

export class ScratchFleet {
  protected readonly hubIdentity: Resource<identity.IdentityInputs, identity.IdentityOutputs>;
  protected readonly watcherIdentity: Resource<identity.IdentityInputs, identity.IdentityOutputs>;
  protected readonly hubServer: Resource<hubServer.HubServerInputs, hubServer.HubServerOutputs>;
  protected readonly sites = new Map<string, SiteResources>();
  private readonly generated = new ThrowawayCertificates();
  /** For the hub and every site that the current settings deploy; empty without TLS. */
  private certificates = new Map<string, LinkCertificates>();

  /**
   * @param root the fleet's own folder.
   * @param isDeployed whether a site gets its own server and streams; of the others the hub has the accounts.
   */
  constructor(
    public settings: Settings,
    readonly root: string,
    readonly stack: string,
    private readonly isDeployed: (site: string) => boolean = () => true,
  ) {
    this.hubIdentity = new Resource(settings.hub.name, identity);
    this.watcherIdentity = new Resource(WATCHER, identity);
    this.hubServer = new Resource(settings.hub.name, hubServer);
  }

  // --- what the commands do

  /** `pulumi up` without its smoke test: brings all to these settings; with `always` also what does not differ. */
  async bring(settings: Settings, always = false): Promise<void> {
    this.settings = settings;
    const { deployed } = this;
    declareSites(this.root, [...this.sites.keys(), ...settings.sites.map(({ name }) => name)]);
    await this.identify();
    await this.hubServer.apply(this.hubInputs(), always);
    // All come to their end, also where one fails: what still starts a server cannot be taken down.
    const brought = await Promise.allSettled(deployed.map((site) => this.bringSite(site, always)));
    for (const one of brought) if (one.status === "rejected") throw one.reason;
    const removed = [...this.sites.keys()].filter((name) => !deployed.some((site) => site.name === name));
    await Promise.all(removed.map((name) => this.removeSite(name)));
  }

  /** Keys, ports and certificates of all servers, and the accounts of the sites that are not deployed. */
  async identify(): Promise<void> {
    await Promise.all([
      this.identifyHub(),
      ...(isWatched(this.settings) ? [this.identifyWatcher()] : []),
      ...this.deployed.map((site) => this.identifySite(site)),
    ]);
    this.certificates = await this.allCertificates();
    this.declareAccounts();
  }

  private async allCertificates(): Promise<Map<string, LinkCertificates>> {
    const { hub, links } = this.settings;
    if (links.tls === "off") return new Map();
    const { tls, certificates: folder = "" } = links;
    const servers = [hub.name, ...this.deployed.map(({ name }) => name)];
    const all = servers.map(async (server): Promise<[string, LinkCertificates]> => {
      if (tls === "given") return [server, { kind: "given", folder, server }];
      return [server, await this.generated.of(server, server === hub.name ? "hub" : "site")];
    });
    return new Map(await Promise.all(all));
  }

  /** The accounts of the sites that are not deployed. */
  private declareAccounts(): void {
    const files = new LocalFiles(this.hub.folder);
    for (const link of declaredLinks(files)) if (!this.isDeployed(link.site)) dropLink(files, link, false);
    for (const site of this.settings.sites.filter(({ name }) => !this.isDeployed(name))) {
      declareLink(files, declareHubLink(this.settings, site, throwawayLinkKeys()));
    }
  }

  /** The smoke test. Errors: a Refusal with all findings. */
  runSmokeTest = (last?: smokeTest.SmokeTestOutputs): Promise<smokeTest.SmokeTestOutputs> =>
    smokeTest.prove(this.proofInputs(), last);

  // --- what can be seen of it

  get hub(): ScratchServer {
    return serverOf(this.hubIdentity.outs);
  }

  site = (name: string): ScratchServer => serverOf(this.of(name).identity.outs);

  /** Client URLs of all its servers. */
  get urls(): string[] {
    return [this.hub, ...[...this.sites.keys()].map(this.site)].map(({ url }) => url);
  }

  /** What the sites dial. */
  get leafUrl(): string {
    return linkUrl(this.settings.links, this.settings.hub.host, this.hub.ports.leafnodes);
  }

  private get deployed(): SiteSettings[] {
    return this.settings.sites.filter(({ name }) => this.isDeployed(name));
  }

  // --- one site

  private async bringSite(site: SiteSettings, always: boolean): Promise<void> {
    const resources = this.of(site.name);
    const before = resources.link;
    // A new key is a replacement: declared first, and the old one dropped last.
    const rotated = before.exists && before.outs.declaration.keys.link !== this.site(site.name).keys.link;
    if (rotated) resources.link = new Resource(site.name, hubLink);
    await resources.link.apply(this.linkInputs(site), always);
    await resources.server.apply(this.leafInputs(site), always);
    await resources.streams.apply(this.streamsInputs(site), always);
    if (rotated) await before.delete();
  }

  protected async removeSite(name: string): Promise<void> {
    const { identity: keys, link, server, streams: ofSite } = this.of(name);
    for (const resource of [ofSite, server, link, keys]) await resource.delete();
    this.sites.delete(name);
  }

  protected of(site: string): SiteResources {
    const resources = this.sites.get(site);
    if (resources === undefined) throw new Error(`${site} is not a site of this fleet`);
    return resources;
  }

  protected folderOf = (site: string): string => `${this.root}/sites/${site}`;

  protected systemAt = ({ url }: Pick<ScratchServer, "url">) => ({ url, seed: this.hub.seeds.system });

  private server = (name: string): ScratchServer => (name === this.settings.hub.name ? this.hub : this.site(name));

  protected readonly reached: Reached<string> = {
    url: ({ name }) => this.server(name).url,
    seed: (owner, role) => this.server(owner).seeds[role],
  };

  // --- the resources' inputs, as the components make them

  private placeAt(folder: string): ProcessPlace {
    const { natsServer } = this.settings;
    return { kind: "process", folder, ...present({ natsServer }) };
  }

  private certificatesOf(server: string): { certificates?: LinkCertificates } {
    const certificates = this.certificates.get(server);
    return certificates === undefined ? {} : { certificates };
  }

  private identifyHub() {
    const { name, ports } = this.settings.hub;
    return this.hubIdentity.apply({
      ...this.identityInputs(name, `${this.root}/hub`, HUB_ROLES),
      ports: { client: ports.client ?? 0, leafnodes: ports.leafnodes ?? 0, monitor: ports.monitor ?? 0 },
      rotation: 0,
    });
  }

  private identifyWatcher() {
    return this.watcherIdentity.apply({
      ...this.identityInputs(WATCHER, this.watcherFolder, [WATCH_ROLE]),
      ports: { [WATCH_ROLE]: this.settings.watch?.port ?? 0 },
      rotation: 0,
    });
  }

  protected get watcherFolder(): string {
    return `${this.root}/${WATCHER}`;
  }

  private identifySite({ name, ports, rotation }: SiteSettings) {
    if (!this.sites.has(name)) this.sites.set(name, siteResources(name));
    return this.of(name).identity.apply({
      ...this.identityInputs(name, this.folderOf(name), SITE_ROLES),
      ports: { client: ports.client ?? 0, monitor: ports.monitor ?? 0 },
      rotation,
    });
  }

  private identityInputs(owner: string, folder: string, roles: readonly string[]) {
    const given = (this.settings.keys[owner] ?? {}) as Record<string, string>;
    return { owner, folder, root: this.root, roles: [...roles], given };
  }

  protected hubInputs(): hubServer.HubServerInputs {
    const { name, folder, keys, ports, seeds } = this.hub;
    const watchKey = isWatched(this.settings) ? this.watcherIdentity.outs.keys[WATCH_ROLE] : undefined;
    const declaration = declareHub(this.settings, keys, ports, watchKey);
    const place = this.placeAt(folder);
    return { place, root: this.root, declaration, ...this.certificatesOf(name), secrets: seeds };
  }

  protected linkInputs(site: SiteSettings): hubLink.HubLinkInputs {
    const declaration = declareHubLink(this.settings, site, this.site(site.name).keys);
    const place = this.placeAt(this.hub.folder);
    return { place, root: this.root, declaration, hub: this.systemAt(this.hub) };
  }

  protected leafInputs(site: SiteSettings): leafServer.LeafServerInputs {
    const { name, folder, keys, ports } = this.site(site.name);
    const { system } = this.hub.keys;
    return {
      place: this.placeAt(folder),
      root: this.root,
      expect: site.expect,
      declaration: declareLeaf(this.settings, site, { ...keys, system }, ports, this.leafUrl),
      ...this.certificatesOf(name),
      access: linkAccess(this.settings, site, this.reached),
    };
  }

  protected streamsInputs(site: SiteSettings): streams.StreamsInputs {
    const { settings, stack, root } = this;
    const access = siteAccess(settings, site, this.reached);
    return { site: site.name, expect: site.expect, stack, root, streams: settings.streams, access };
  }

  protected proofInputs(): smokeTest.SmokeTestInputs {
    const { hub, settings, deployed } = this;
    const { smokeTest: run, streams: declared, probes } = settings;
    return {
      run,
      stack: this.stack,
      root: this.root,
      hub: { name: hub.name, url: hub.url, leafUrl: this.leafUrl, place: this.placeAt(hub.folder) },
      sites: deployed.map((site) => ({
        ...provenSite(site, this.reached),
        place: this.placeAt(this.folderOf(site.name)),
        maxPayload: site.maxPayload,
        declared: digest({ site, declared }),
      })),
      streams: declared,
      probes,
      secrets: proofSeeds(settings, deployed, this.reached),
    };
  }
}

const serverOf = ({ owner, folder, keys, seeds, allocated }: identity.IdentityOutputs): ScratchServer => ({
  name: owner,
  folder,
  url: `nats://127.0.0.1:${allocated.client}`,
  keys,
  seeds,
  ports: allocated,
});
