import { NatsConnection } from "nats";
import { AsyncLocalStorage } from "node:async_hooks";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declareHub, declareHubLink, declareLeaf } from "../../configs/declare";
import { RawSettings, Settings, SiteSettings, StreamSettings } from "../../configs/settings";
import { FleetAccess, SiteAccess, atHub, atSite } from "../../providers/collected";
import { digest } from "../../providers/digest";
import * as fleetCheck from "../../providers/fleet";
import * as hubLink from "../../providers/hub-link";
import * as hubServer from "../../providers/hub-server";
import * as identity from "../../providers/identity";
import * as leafServer from "../../providers/leaf-server";
import { closeShared, open, shared } from "../../providers/nats/connection";
import { JetStream, StreamInfo } from "../../providers/nats/jetstream";
import { LeafLink, Varz, leafLinks, varz } from "../../providers/nats/system";
import { hostOf } from "../../providers/server-host";
import type { ProcessPlace } from "../../providers/process-host";
import * as smokeTest from "../../providers/smoke-test";
import * as streams from "../../providers/streams";
import { settingsOf } from "./settings";

/**
 * A real hub and its sites without Pulumi: the providers' own functions, called in the order in which Pulumi calls
 * them. Everything lies in a temporary folder, and nothing is left of it after `stop`.
 *
 *     await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
 *     await fleet.prove();
 */

/** Two sites with one stream each. Impatient: probes that never arrive fail the proof after 3 s. */
const SMALL = {
  hub: { maxFile: "1GiB" },
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } }],
  probes: { timeout: "3s" },
} satisfies RawSettings;

const STACK = "test";
const HUB_ROLES = ["system", "operator", "reader"];
const SITE_ROLES = ["link", "application", "operator", "reader"];

type Role = "system" | "link" | "application" | "operator" | "reader";

/** A server of the fleet, and how it is reached. */
export interface TestServer {
  name: string;
  folder: string;
  /** Client URL. */
  url: string;
  keys: Record<Role, string>;
  seeds: Record<Role, string>;
  ports: Record<"client" | "leafnodes" | "monitor", number>;
}

export class TestFleet {
  settings: Settings;
  /** The last proof that passed. */
  lastProof: smokeTest.SmokeTestOutputs | undefined;
  /** What the providers told the person who watches. */
  readonly reports: string[] = [];
  /** The stack's folder. */
  readonly root: string;
  private readonly hubIdentity: Resource<identity.IdentityInputs, identity.IdentityOutputs>;
  private readonly hubServer: Resource<hubServer.HubServerInputs, hubServer.HubServerOutputs>;
  private readonly sites = new Map<string, SiteResources>();
  private readonly clients: NatsConnection[] = [];

  private constructor(
    private raw: RawSettings,
    private readonly dataFolder: string,
  ) {
    this.settings = settingsOf(raw);
    this.root = join(dataFolder, STACK);
    this.hubIdentity = new Resource(this.settings.hub.name, identity);
    this.hubServer = new Resource(this.settings.hub.name, hubServer);
  }

  /** A fleet with all servers and streams up. What `raw` leaves out is small and quick. */
  static async deploy(raw: RawSettings = {}): Promise<TestFleet> {
    const fleet = TestFleet.declare(raw);
    try {
      await fleet.up();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  /** A fleet that is not deployed yet. */
  static declare(raw: RawSettings = {}): TestFleet {
    const dataFolder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-test-"));
    const fleet = new TestFleet({ ...SMALL, dataFolder, ...raw }, dataFolder);
    standing.add(fleet);
    return fleet;
  }

  // --- what the commands do

  /** `pulumi up` without its smoke test: updates what differs from the settings, of which `change` replaces some. */
  up = (change: RawSettings = {}): Promise<void> => watching.run(this.reports, () => this.bringAll(change, false));

  /** Updates everything, whether or not anything differs. */
  repair = (): Promise<void> => watching.run(this.reports, () => this.bringAll({}, true));

  private async bringAll(change: RawSettings, always: boolean): Promise<void> {
    this.raw = { ...this.raw, ...change };
    this.settings = settingsOf(this.raw);
    const { sites } = this.settings;
    await Promise.all([this.identifyHub(), ...sites.map((site) => this.identifySite(site))]);
    await this.hubServer.apply(this.hubInputs(), always);
    await Promise.all(sites.map((site) => this.bringSite(site, always)));
    const removed = [...this.sites.keys()].filter((name) => !sites.some((site) => site.name === name));
    await Promise.all(removed.map((name) => this.removeSite(name)));
  }

  /** The smoke test. Errors: a Refusal with all findings. */
  async prove(): Promise<smokeTest.ProofRow[]> {
    const run = () => smokeTest.prove(this.proofInputs(), this.lastProof);
    this.lastProof = await watching.run(this.reports, run);
    return this.lastProof.proof;
  }

  /** The check of the whole fleet, as `pulumi preview` makes it before anything is touched: what it refuses. */
  async check(change: RawSettings = {}): Promise<string[]> {
    const olds = this.checkInputs(this.settings);
    const result = await fleetCheck.check(olds, { ...olds, settings: settingsOf({ ...this.raw, ...change }) });
    return (result.failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);
  }

  /** What `pulumi preview` shows: the lines that it reports, and what it would change: "hub", "oslo server" … */
  async preview(change: RawSettings = {}): Promise<{ changes: string[]; reports: string[] }> {
    const settings = this.settings;
    const reports: string[] = [];
    this.settings = settingsOf({ ...this.raw, ...change });
    try {
      const found = await watching.run(reports, () => this.differences());
      return { changes: found.filter(([, differs]) => differs).map(([name]) => name), reports };
    } finally {
      this.settings = settings;
    }
  }

  private async differences(): Promise<[string, boolean][]> {
    const found: [string, boolean][] = [["hub", await this.hubServer.differs(this.hubInputs())]];
    for (const site of this.settings.sites) {
      const { link, server, streams: ofSite } = this.of(site.name);
      found.push([`${site.name} link`, await link.differs(this.linkInputs(site))]);
      found.push([`${site.name} server`, await server.differs(this.leafInputs(site))]);
      found.push([`${site.name} streams`, await ofSite.differs(this.streamsInputs(site))]);
    }
    return found;
  }

  /** What the steps of a site said when they failed. */
  problemsOf(site: string): string[] {
    const { server, streams: ofSite } = this.of(site);
    return [server.outs.problem, ofSite.outs.problem].filter((problem) => problem !== "");
  }

  /** `pulumi destroy`: every resource's own `delete`, in Pulumi's order. */
  async destroy(): Promise<void> {
    const check = this.checkInputs(this.settings);
    await Promise.all([...this.sites.keys()].map((name) => this.removeSite(name)));
    for (const resource of [this.hubServer, this.hubIdentity]) await resource.delete();
    const { outs } = await fleetCheck.create(check);
    await fleetCheck.delete("fleet", outs);
  }

  /** Takes everything down by process id, whatever state it is in, and leaves nothing. May be called twice. */
  async stop(): Promise<void> {
    standing.delete(this);
    await Promise.all(this.clients.map((client) => client.close()));
    const folders = [`${this.root}/hub`, ...[...this.sites.keys()].map((site) => this.folderOf(site))];
    await Promise.all(folders.map((folder) => hostOf({ kind: "process", folder }).stop()));
    const identities = [this.hubIdentity, ...[...this.sites.values()].map((site) => site.identity)];
    for (const one of identities) if (one.exists) await one.delete();
    rmSync(this.dataFolder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.stop();

  // --- what can be seen of it

  get hub(): TestServer {
    return serverOf(this.hubIdentity.outs);
  }

  site = (name: string): TestServer => serverOf(this.of(name).identity.outs);

  /** A client with a key of the server's; closed with the fleet. */
  async connect({ url, seeds }: Pick<TestServer, "url" | "seeds">, role: Role): Promise<NatsConnection> {
    const client = await open({ url, seed: seeds[role] });
    this.clients.push(client);
    return client;
  }

  /** A client at the site that may do what the site's applications may. */
  application = (site: string): Promise<NatsConnection> => this.connect(this.site(site), "application");

  /** A client on the hub, in the site's account. */
  onHub = (site: string, role: "operator" | "reader"): Promise<NatsConnection> =>
    this.connect({ ...this.site(site), url: this.hub.url }, role);

  /** JetStream of the site, as its operator. */
  atSite = (site: string): Promise<JetStream> => atSite(this.accessOf(site));

  /** JetStream on the hub, as the operator of the account that collects the stream from the site. */
  atHub = (site: string, stream = "EVENTS"): Promise<JetStream> => atHub(this.accessOf(site), this.stream(stream));

  /** The hub's stream that sources the site. */
  async collected(site: string, stream = "EVENTS"): Promise<StreamInfo> {
    const info = await (await this.atHub(site, stream)).stream(stream);
    if (info === undefined) throw new Error(`the hub has no stream ${stream} of ${site}`);
    return info;
  }

  /** The links that the hub has of a site. */
  async links(site: string): Promise<LeafLink[]> {
    const all = await leafLinks(await shared(this.systemAt(this.hub)));
    return all.filter((link) => link.name === site);
  }

  /** What the server of the hub or of a site says of itself. */
  status = async (server: TestServer): Promise<Varz> => varz(await shared(this.systemAt(server)));

  /** Every seed of the fleet: none may stand in any text. */
  get seeds(): string[] {
    return [this.hub, ...[...this.sites.keys()].map(this.site)].flatMap(({ seeds }) => Object.values(seeds));
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

  private async removeSite(name: string): Promise<void> {
    const { identity: keys, link, server, streams: ofSite } = this.of(name);
    for (const resource of [ofSite, server, link, keys]) await resource.delete();
    this.sites.delete(name);
  }

  private of(site: string): SiteResources {
    const resources = this.sites.get(site);
    if (resources === undefined) throw new Error(`${site} is no site of this fleet`);
    return resources;
  }

  private declared = (name: string): SiteSettings => named(this.settings.sites, name);
  private stream = (name: string): StreamSettings => named(this.settings.streams, name);
  private folderOf = (site: string): string => `${this.root}/sites/${site}`;
  private systemAt = ({ url }: TestServer) => ({ url, seed: this.hub.seeds.system });

  private accessOf(site: string): SiteAccess {
    const { url, seeds } = this.site(site);
    return { site, expect: this.declared(site).expect, url, operator: seeds.operator, ...this.hubAccess() };
  }

  private hubAccess(): Pick<FleetAccess, "hubUrl" | "hubOperator"> {
    const merged = this.settings.streams.some((stream) => stream.collect.mode === "merged");
    return { hubUrl: this.hub.url, ...(merged ? { hubOperator: this.hub.seeds.operator } : {}) };
  }

  // --- the resources' inputs, as the components make them

  private placeAt(folder: string): ProcessPlace {
    const { natsServer } = this.settings;
    return { kind: "process", folder, ...(natsServer === undefined ? {} : { natsServer }) };
  }

  /** What the sites dial. */
  get leafUrl(): string {
    return `nats-leaf://${this.settings.hub.host}:${this.hub.ports.leafnodes}`;
  }

  private identifyHub() {
    const { name, ports } = this.settings.hub;
    return this.hubIdentity.apply({
      ...this.identityInputs(name, `${this.root}/hub`, HUB_ROLES),
      ports: { client: ports.client ?? 0, leafnodes: ports.leafnodes ?? 0, monitor: ports.monitor ?? 0 },
      rotation: 0,
    });
  }

  private identifySite({ name, ports, rotation }: SiteSettings) {
    if (!this.sites.has(name)) this.sites.set(name, siteResources(name));
    return this.of(name).identity.apply({
      ...this.identityInputs(name, this.folderOf(name), SITE_ROLES),
      ports: { client: ports.client ?? 0, monitor: ports.monitor ?? 0 },
      rotation,
    });
  }

  private identityInputs(owner: string, folder: string, roles: string[]) {
    const given = (this.settings.keys[owner] ?? {}) as Record<string, string>;
    return { owner, folder, root: this.root, roles, given };
  }

  private hubInputs(): hubServer.HubServerInputs {
    const { folder, keys, ports, seeds } = this.hub;
    const declaration = declareHub(this.settings, keys, ports);
    return { place: this.placeAt(folder), root: this.root, declaration, secrets: seeds };
  }

  private linkInputs(site: SiteSettings): hubLink.HubLinkInputs {
    const declaration = declareHubLink(this.settings, site, this.site(site.name).keys);
    const place = this.placeAt(this.hub.folder);
    return { place, root: this.root, declaration, hub: this.systemAt(this.hub) };
  }

  private leafInputs(site: SiteSettings): leafServer.LeafServerInputs {
    const { folder, keys, ports, seeds } = this.site(site.name);
    const { system } = this.hub.keys;
    return {
      place: this.placeAt(folder),
      root: this.root,
      expect: site.expect,
      declaration: declareLeaf(this.settings, site, { ...keys, system }, ports, this.leafUrl),
      access: { hubUrl: this.hub.url, link: seeds.link, system: this.hub.seeds.system },
    };
  }

  private streamsInputs({ name, expect }: SiteSettings): streams.StreamsInputs {
    const { site, expect: _, ...access } = this.accessOf(name);
    return { site, expect, stack: STACK, root: this.root, streams: this.settings.streams, access };
  }

  private checkInputs({ keys: _, ...settings }: Settings): fleetCheck.FleetInputs {
    const sites = Object.fromEntries(
      settings.sites.map(({ name }) => {
        const { url, seeds } = this.site(name);
        return [name, { url, operator: seeds.operator }];
      }),
    );
    return { root: this.root, settings, access: { ...this.hubAccess(), sites } };
  }

  private proofInputs(): smokeTest.SmokeTestInputs {
    const { hub, settings } = this;
    const { smokeTest: run, sites, streams: declared, probes } = settings;
    return {
      run,
      stack: STACK,
      root: this.root,
      hub: { name: hub.name, url: hub.url, leafUrl: this.leafUrl },
      sites: sites.map((site) => ({
        site: site.name,
        expect: site.expect,
        url: this.site(site.name).url,
        place: this.placeAt(this.folderOf(site.name)),
        declared: digest({ site, declared }),
      })),
      streams: declared,
      probes,
      secrets: {
        system: hub.seeds.system,
        hubOperator: hub.seeds.operator,
        sites: Object.fromEntries(sites.map(({ name }) => [name, this.site(name).seeds])),
      },
    };
  }
}

// --- the parts

interface Provider<I, O> {
  create(inputs: I): Promise<{ outs: O }>;
  diff(id: string, olds: O, news: I): Promise<{ changes: boolean }>;
  update(id: string, olds: O, news: I): Promise<{ outs: O }>;
  delete(id: string, outs: O): Promise<void>;
}

/** One resource, as Pulumi keeps it: created the first time, updated after that when something differs. */
class Resource<I, O> {
  private state: O | undefined;

  constructor(
    private readonly id: string,
    private readonly provider: Provider<I, O>,
  ) {}

  get exists(): boolean {
    return this.state !== undefined;
  }

  get outs(): O {
    if (this.state === undefined) throw new Error(`${this.id}: a resource that was not created yet`);
    return this.state;
  }

  /** What a preview says: whether an update would change it. */
  differs = async (inputs: I): Promise<boolean> => (await this.provider.diff(this.id, this.outs, inputs)).changes;

  async apply(inputs: I, always = false): Promise<void> {
    const { create, update } = this.provider;
    if (this.state === undefined) this.state = (await create(inputs)).outs;
    else if (always || (await this.differs(inputs))) this.state = (await update(this.id, this.state, inputs)).outs;
  }

  delete = (): Promise<void> => this.provider.delete(this.id, this.outs);
}

interface SiteResources {
  identity: Resource<identity.IdentityInputs, identity.IdentityOutputs>;
  link: Resource<hubLink.HubLinkInputs, hubLink.HubLinkInputs>;
  server: Resource<leafServer.LeafServerInputs, leafServer.LeafServerOutputs>;
  streams: Resource<streams.StreamsInputs, streams.StreamsOutputs>;
}

const siteResources = (name: string): SiteResources => ({
  identity: new Resource(name, identity),
  link: new Resource(name, hubLink),
  server: new Resource(name, leafServer),
  streams: new Resource(name, streams),
});

const serverOf = ({ owner, folder, keys, seeds, allocated }: identity.IdentityOutputs): TestServer => ({
  name: owner,
  folder,
  url: `nats://127.0.0.1:${allocated.client}`,
  keys,
  seeds,
  ports: allocated,
});

function named<T extends { name: string }>(items: readonly T[], name: string): T {
  const item = items.find((one) => one.name === name);
  if (item === undefined) throw new Error(`the test's settings have no ${name}`);
  return item;
}

/** Where the reports of the current fleet go: they would stand in the middle of the tests' own output. */
const watching = new AsyncLocalStorage<string[]>();
const show = console.log;
console.log = (...line: unknown[]) => {
  const reports = watching.getStore();
  if (reports === undefined) show(...line);
  else reports.push(line.map(String).join(" "));
};

/** Fleets that still stand; those that a test forgot, or was too slow to end, are ended after all tests. */
const standing = new Set<TestFleet>();

after(async () => {
  for (const fleet of standing) await fleet.stop();
  await closeShared();
});
