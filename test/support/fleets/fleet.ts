import { hubFolder, hubServers } from "../../../configs/placement";
import { NatsConnection } from "nats";
import { AsyncLocalStorage } from "node:async_hooks";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fleetAccess } from "../../../fleet/sourcing/access";
import type { Led } from "../../../fleet/streams/hand-over";
import { RawSettings, Settings, SiteSettings, StreamSettings } from "../../../configs/settings";
import { SiteAccess, atHub, atSite } from "../../../fleet/sourcing/collected";
import { accessOf } from "../../../fleet/streams/streams-inputs";
import * as fleetCheck from "../../../providers/fleet";
import { closeShared, open, shared } from "../../../servers/nats/connection";
import { JetStream, StreamInfo } from "../../../servers/nats/jetstream";
import { LeafLink, Varz, leafLinks, varz } from "../../../servers/nats/system";
import { forgetPassed } from "../../../providers/rehearsal/rehearsal-memory";
import { SiteFacts } from "../../../diagnosis/facts/facts";
import { observe } from "../../../fleet/observation/observe";
import { observedOf } from "../../../fleet/proof/run";
import { KeyRole } from "../../../configs/keys";
import { WATCHER, WATCH_ROLE, isWatched, watchOf } from "../../../configs/watch/watch";
import { stopWatcher } from "../../../servers/watch/process";
import { Resource } from "../../../providers/rehearsal/scratch-resource";
import * as watcher from "../../../providers/watcher";
import { ScratchFleet } from "../../../providers/rehearsal/scratch-fleet";
import { ScratchServer } from "../../../providers/rehearsal/scratch-hub";
import { hostOf } from "../../../servers/hosts";
import * as smokeTest from "../../../providers/smoke-test";
import { settingsOf } from "../rules/settings";

/**
 * A real hub and its sites without Pulumi: the providers' own functions, called in the order in which Pulumi calls
 * them. Everything lies in a temporary folder, and nothing is left of it after `stop`.
 *
 *     await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
 *     await fleet.prove();
 */

/** Two sites with one stream each. A source that must be restarted gets the time for it. Not rehearsed. */
const SMALL = {
  rehearsal: "off",
  hub: { maxFile: "1GiB" },
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } }],
  probes: { timeout: "8s" },
} satisfies RawSettings;

const IMPATIENCE_MS = 3_000;

export const STACK = "test";

/** A server of the fleet, and how it is reached. */
export type TestServer = ScratchServer;

export class TestFleet extends ScratchFleet {
  /** The last proof that passed. */
  lastProof: smokeTest.SmokeTestOutputs | undefined;
  /** What the providers told the person who watches. */
  readonly reports: string[] = [];
  private readonly clients: NatsConnection[] = [];
  private readonly afterwards: (() => Promise<unknown>)[] = [];

  private constructor(
    private raw: RawSettings,
    private readonly dataFolder: string,
  ) {
    super(settingsOf(raw), join(dataFolder, STACK), STACK);
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
    const wasWatched = isWatched(this.settings);
    await this.bring(settingsOf(this.raw), always);
    if (isWatched(this.settings)) await this.watcher.apply(this.watcherInputs(), always);
    else if (wasWatched && this.watcher.exists) await this.removeWatcher();
  }

  private watcher = new Resource(WATCHER, watcher);

  private async removeWatcher(): Promise<void> {
    for (const resource of [this.watcher, this.watcherIdentity]) await resource.delete();
  }

  watcherInputs(): watcher.WatcherInputs {
    const { root, settings, watcherIdentity } = this;
    const { seeds } = watcherIdentity.outs;
    const hub = { url: this.hub.url, seed: seeds[WATCH_ROLE]! };
    return { root, ...this.watcherPlace, watch: watchOf(settings, STACK), hub };
  }

  /** Where its watcher runs. */
  get watcherPlace(): { folder: string; port: number } {
    return { folder: this.watcherFolder, port: this.watcherIdentity.outs.allocated[WATCH_ROLE]! };
  }

  protected override proofInputs(): smokeTest.SmokeTestInputs {
    const inputs = super.proofInputs();
    if (!isWatched(this.settings)) return inputs;
    const secrets = { ...inputs.secrets, watch: this.watcherIdentity.outs.seeds[WATCH_ROLE]! };
    return { ...inputs, watcher: this.watcherPlace, secrets };
  }

  /** The smoke test. Errors: a Refusal with all findings. */
  async prove(): Promise<smokeTest.ProofRow[]> {
    this.lastProof = await watching.run(this.reports, () => this.runSmokeTest(this.lastProof));
    return this.lastProof.proof;
  }

  /** The smoke test of a fleet with a mistake: probes that never arrive fail it after 3 s. */
  proveImpatiently(): Promise<smokeTest.ProofRow[]> {
    const probes = { ...this.settings.probes, timeout: IMPATIENCE_MS };
    return this.having({ ...this.settings, probes }, () => this.prove());
  }

  /** The check of the whole fleet, as `pulumi preview` makes it before anything is touched: what it refuses. */
  async check(change: RawSettings = {}): Promise<string[]> {
    const olds = this.checkInputs(this.settings);
    return this.refusals(olds, { ...olds, settings: settingsOf({ ...this.raw, ...change }) });
  }

  /** The same check for a fleet that was never deployed. */
  checkNew = (): Promise<string[]> =>
    this.refusals({}, { root: this.root, settings: this.settings, access: { hubUrl: "", sites: {} } });

  private async refusals(olds: Partial<fleetCheck.FleetInputs>, news: fleetCheck.FleetInputs): Promise<string[]> {
    const result = await watching.run(this.reports, () => fleetCheck.check(olds, news));
    return (result.failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);
  }

  /** What `pulumi preview` shows: the lines that it reports, and what it would change: "hub", "oslo server" … */
  async preview(change: RawSettings = {}): Promise<{ changes: string[]; reports: string[] }> {
    const reports: string[] = [];
    const found = await this.having(settingsOf({ ...this.raw, ...change }), () =>
      watching.run(reports, () => this.differences()),
    );
    return { changes: found.filter(([, differs]) => differs).map(([name]) => name), reports };
  }

  /** Has these settings while it works. */
  private async having<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
    const before = this.settings;
    this.settings = settings;
    try {
      return await work();
    } finally {
      this.settings = before;
    }
  }

  private async differences(): Promise<[string, boolean][]> {
    const found: [string, boolean][] = [];
    for (const [server, inputs] of this.hubInputs())
      found.push([inputs.declaration.restart.name, await server.differs(inputs)]);
    if (isWatched(this.settings)) found.push([WATCHER, await this.watcher.differs(this.watcherInputs())]);
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
    if (this.watcher.exists) await this.removeWatcher();
    await Promise.all([...this.sites.keys()].map((name) => this.removeSite(name)));
    await this.hubResources.delete();
    const { outs } = await fleetCheck.create(check);
    await fleetCheck.delete("fleet", outs);
  }

  /** Does something more when the fleet is taken down: ends what stands beside it. */
  whenStopped = (work: () => Promise<unknown>): void => void this.afterwards.push(work);

  /** Takes everything down by process id, whatever state it is in, and leaves nothing. May be called twice. */
  async stop(): Promise<void> {
    standing.delete(this);
    await Promise.all(this.clients.map((client) => client.close()));
    await Promise.all(this.afterwards.map((work) => work()));
    if (this.watcherIdentity.exists) await stopWatcher(this.watcherFolder);
    const ofHub = hubServers(this.settings.hub).map(({ name }) => hubFolder(this.root, this.settings.hub, name));
    const folders = [...ofHub, ...[...this.sites.keys()].map((site) => this.folderOf(site))];
    await Promise.all(folders.map((folder) => hostOf({ kind: "process", folder }).stop()));
    const identities = [
      ...this.hubResources.identities,
      this.watcherIdentity,
      ...[...this.sites.values()].map((site) => site.identity),
    ];
    for (const one of identities) if (one.exists) await one.delete();
    forgetPassed(this.root);
    rmSync(this.dataFolder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.stop();

  // --- what can be seen of it

  /** A client with a key of the server's; closed with the fleet. */
  async connect({ url, seeds }: Pick<TestServer, "url" | "seeds">, role: KeyRole): Promise<NatsConnection> {
    const client = await open({ url, seed: seeds[role] });
    this.clients.push(client);
    return client;
  }

  /** What a look at the site sees. */
  look = (site: string): Promise<SiteFacts> => {
    const inputs = this.proofInputs();
    const one = inputs.sites.find((each) => each.site === site);
    if (one === undefined) throw new Error(`${site} is not a site of this fleet`);
    return observe({ ...observedOf(inputs, one, this.lastProof), comparesConfigs: true });
  };

  /** A server of the hub, by its name. */
  member(name: string): TestServer {
    const member = this.members.find((one) => one.name === name);
    if (member === undefined) throw new Error(`the hub has no server ${name}`);
    return member;
  }

  /** A client at the site that may do what the site's applications may. */
  application = (site: string): Promise<NatsConnection> => this.connect(this.site(site), "application");

  /** A client on the hub, in the site's account. */
  onHub = (site: string, role: "operator" | "reader"): Promise<NatsConnection> =>
    this.connect({ ...this.site(site), url: this.hub.url }, role);

  /** JetStream of the site, as its operator. */
  atSite = (site: string): Promise<JetStream> => atSite(this.accessAt(site));

  /** JetStream on the hub, as the operator of the account that collects the stream from the site. */
  atHub = (site: string, stream = "EVENTS"): Promise<JetStream> => atHub(this.accessAt(site), this.stream(stream));

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

  /** The links that stand in an account of the hub. */
  linksOf = async (account: string): Promise<LeafLink[]> => leafLinks(await shared(this.systemAt(this.hub)), account);

  /** The hub's system account. */
  system = (): Promise<NatsConnection> => shared(this.systemAt(this.hub));

  /** What the server of the hub or of a site says of itself. */
  status = async (server: TestServer): Promise<Varz> => varz(await shared(this.systemAt(server)));

  /** Every seed of the fleet: none may stand in any text. */
  get seeds(): string[] {
    return [this.hub, ...[...this.sites.keys()].map(this.site)].flatMap(({ seeds }) => Object.values(seeds));
  }

  private declared = (name: string): SiteSettings => named(this.settings.sites, name);
  stream = (name: string): StreamSettings => named(this.settings.streams, name);
  accessAt = (site: string): SiteAccess => accessOf(this.streamsInputs(this.declared(site)));

  /** Who may lead its streams. */
  get led(): Led {
    return { settings: this.settings, access: fleetAccess(this.settings, this.reached) };
  }

  private checkInputs({ keys: _, ...settings }: Settings): fleetCheck.FleetInputs {
    return { root: this.root, settings, access: fleetAccess(this.settings, this.reached) };
  }
}

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
