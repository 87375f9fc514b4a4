import { Reached, linkAccess, proofSeeds, provenSite, siteAccess } from "../../fleet/sourcing/access";
import { declareHubLink, declareLeaf } from "../../configs/plan/declare";
import { linkUrl } from "../../configs/link-tls";
import { joinUrls } from "../../configs/text/address";
import { SITE_ROLES } from "../../configs/keys";
import { Settings, SiteSettings } from "../../configs/settings";
import { WATCHER, WATCH_ROLE, isWatched } from "../../configs/watch/watch";
import { declareSites } from "../../fleet/sourcing/declared-sites";
import { digest } from "../../machine/digest";
import * as hubLink from "../hub-link";
import * as identity from "../identity";
import * as leafServer from "../leaf-server";
import { LinkCertificates } from "../../servers/files/link-tls";
import type { ProcessPlace } from "../../servers/server-host";
import { declareLink, declaredLinks, dropLink } from "../../servers/server-config";
import { LocalFiles } from "../../servers/files/server-files";
import { ScratchHub, ScratchServer, scratchPlace, scratchServer } from "./scratch-hub";
import { Resource, SiteResources, siteResources } from "./scratch-resource";
import * as smokeTest from "../smoke-test";
import * as streams from "../streams";
import { ThrowawayCertificates, throwawayLinkKeys } from "../../servers/throwaway";

/**
 * A hub and its sites as processes on loopback, without Pulumi: the providers' own functions, called in the order in
 * which Pulumi calls them. Its settings must say nothing of other machines. For the rehearsal, and for tests.
 */

export class ScratchFleet {
  protected readonly hubResources: ScratchHub;
  protected readonly watcherIdentity: Resource<identity.IdentityInputs, identity.IdentityOutputs>;
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
    this.hubResources = new ScratchHub(settings.hub, root);
    this.watcherIdentity = new Resource(WATCHER, identity);
  }

  // --- what the commands do

  /** `pulumi up` without its smoke test: brings all to these settings; with `always` also what does not differ. */
  async bring(settings: Settings, always = false): Promise<void> {
    this.settings = settings;
    const { deployed } = this;
    declareSites(this.root, [...this.sites.keys(), ...settings.sites.map(({ name }) => name)]);
    await this.identify();
    await together(this.hubInputs(), ([server, inputs]) => server.apply(inputs, always));
    await together(deployed, (site) => this.bringSite(site, always));
    const removed = [...this.sites.keys()].filter((name) => !deployed.some((site) => site.name === name));
    await Promise.all(removed.map((name) => this.removeSite(name)));
  }

  /** Keys, ports and certificates of all servers, and the accounts of the sites that are not deployed. */
  async identify(): Promise<void> {
    await Promise.all([
      this.hubResources.identify(this.settings),
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
    const others = this.settings.sites.filter(({ name }) => !this.isDeployed(name));
    const links = others.map((site) => declareHubLink(this.settings, site, throwawayLinkKeys()));
    for (const { folder } of this.members) {
      const files = new LocalFiles(folder);
      for (const link of declaredLinks(files)) if (!this.isDeployed(link.site)) dropLink(files, link, false);
      for (const link of links) declareLink(files, link);
    }
  }

  /** The smoke test. Errors: a Refusal with all findings. */
  runSmokeTest = (last?: smokeTest.SmokeTestOutputs): Promise<smokeTest.SmokeTestOutputs> =>
    smokeTest.prove(this.proofInputs(), last);

  // --- what can be seen of it

  /** The hub; of several servers the first one's ports, and the client URLs of all. */
  get hub(): ScratchServer {
    return this.hubResources.server;
  }

  /** The hub's server, or each of its servers. */
  get members(): ScratchServer[] {
    return this.hubResources.all;
  }

  site = (name: string): ScratchServer => scratchServer(this.of(name).identity.outs);

  /** Client URLs of all its servers. */
  get urls(): string[] {
    return [this.hub, ...this.members, ...[...this.sites.keys()].map(this.site)].map(({ url }) => url);
  }

  /** What the sites dial. */
  get leafUrl(): string {
    return joinUrls(
      this.members.map((member) => linkUrl(this.settings.links, this.settings.hub.host, member.ports.leafnodes)),
    );
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

  private placeAt = (folder: string): ProcessPlace => scratchPlace(this.settings, folder);

  private certificatesOf(server: string): { certificates?: LinkCertificates } {
    const certificates = this.certificates.get(server);
    return certificates === undefined ? {} : { certificates };
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

  protected hubInputs() {
    const watchKey = isWatched(this.settings) ? this.watcherIdentity.outs.keys[WATCH_ROLE] : undefined;
    return this.hubResources.inputs(this.settings, this.certificatesOf(this.settings.hub.name), watchKey);
  }

  protected linkInputs(site: SiteSettings): hubLink.HubLinkInputs {
    const declaration = declareHubLink(this.settings, site, this.site(site.name).keys);
    const { place, points } = this.hubResources;
    return {
      place: place(this.settings),
      root: this.root,
      declaration,
      hub: this.systemAt(this.hub),
      ...points(this.settings),
    };
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
      hub: {
        name: hub.name,
        url: hub.url,
        leafUrl: this.leafUrl,
        place: this.hubResources.place(settings),
        ...this.hubResources.points(settings),
      },
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

/** Does the work for all, which come to their end also where one fails: what still starts a server cannot be taken down. */
async function together<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (const one of await Promise.allSettled(items.map(work))) if (one.status === "rejected") throw one.reason;
}
