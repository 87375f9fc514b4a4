import { createHash } from "node:crypto";
import * as pulumi from "./sdk/pulumi";
import { proofSeeds, provenSite } from "../fleet/sourcing/access";
import { present } from "../configs/values";
import { isBoundToMachine, usesUnnamedEngine } from "../configs/placement";
import { SiteSettings } from "../configs/settings";
import { WATCHER, WATCH_ROLE, isWatched, runsHere, watchOf } from "../configs/watch/watch";
import type { ProofRow } from "../providers/smoke-test";
import { Fleet } from "./fleet";
import { Hub } from "./hub";
import { Leaf } from "./leaf";
import { DeclaredArgs } from "./sdk/declared";
import type { WatcherPlace } from "../servers/watch/host";
import { Guard, SmokeTest, Watcher } from "./sdk/resources";

export interface ProofArgs {
  fleet: Fleet;
  hub: Hub;
  sites: Leaf[];
}

/** What comes after all servers: the watcher, where there is one, the guard of `destroy`, then the smoke test. */
export class Proof extends pulumi.ComponentResource {
  /** One row for each stream of each site, as the last successful smoke test left it. */
  readonly rows: pulumi.Output<ProofRow[]>;

  constructor(name: string, { fleet, hub, sites }: ProofArgs, opts?: pulumi.ComponentResourceOptions) {
    super("nats-hub-leaf:index:Proof", name, {}, opts);
    const { settings, folders, stack } = fleet;
    const { streams, smokeTest } = settings;
    const servers = [hub, ...sites.map((site) => site.streams)];
    const place = isWatched(settings) ? this.placeWatcher(fleet) : undefined;
    const watcher = place && this.watcher(fleet, place, servers);
    const guard = new Guard(
      "guard",
      {
        sites: settings.sites.map(({ name: site, expect }) => ({ site, expect })),
        streams,
        stack,
        ...(isBoundToMachine(settings) ? {} : { bound: false }),
        ...(runsHere(settings) ? { root: folders.root } : {}),
        ...(usesUnnamedEngine(settings) ? { onUnnamedEngine: true } : {}),
        hub: pulumi.secret({ url: hub.url, seed: hub.system }),
        access: fleet.access(),
      },
      { parent: this, dependsOn: watcher === undefined ? servers : [...servers, watcher] },
    );

    const seeds = isWatched(settings) ? { watch: fleet.seed(WATCHER, WATCH_ROLE) } : {};
    const { secrets, ...tested } = testedBy(
      fleet,
      hub,
      sites.map(({ site }) => site),
    );
    const test = new SmokeTest(
      name,
      {
        run: smokeTest,
        ...tested,
        secrets: pulumi.secret({ ...secrets, ...seeds }),
        ...present({ watcher: place }),
      },
      { parent: this, dependsOn: guard },
    );
    this.rows = test.proof;
    this.registerOutputs({});
  }

  private placeWatcher = (fleet: Fleet): DeclaredArgs<WatcherPlace> =>
    fleet.runtime.placeWatcher(fleet.port(WATCHER, WATCH_ROLE), { parent: this });

  private watcher(fleet: Fleet, place: DeclaredArgs<WatcherPlace>, dependsOn: pulumi.Resource[]): pulumi.Resource {
    return new Watcher(
      WATCHER,
      {
        root: fleet.folders.root,
        ...place,
        watch: watchOf(fleet.settings, fleet.stack),
        hub: pulumi.secret({ url: fleet.urlForWatcher, seed: fleet.seed(WATCHER, WATCH_ROLE) }),
      },
      { parent: this, dependsOn },
    );
  }
}

/** What a proof of these sites is given. `secrets` are still to be marked as such. */
export function testedBy(
  { settings, stack, folders, runtime, reached, hub: servers }: Fleet,
  hub: Hub,
  sites: readonly SiteSettings[],
) {
  const { streams, probes } = settings;
  return {
    stack,
    root: folders.root,
    hub: {
      name: settings.hub.name,
      url: hub.url,
      leafUrl: hub.leafUrl,
      place: runtime.placeOf(servers.first.name),
      ...servers.points(),
    },
    sites: sites.map((site) => ({
      ...provenSite(site, reached),
      place: runtime.placeOf(site.name),
      maxPayload: site.maxPayload,
      declared: digestOf(site, streams),
    })),
    streams,
    probes,
    secrets: proofSeeds(settings, sites, reached),
  };
}

/** Changes exactly when the site's own declaration does; its wave says only when it is updated. */
const digestOf = ({ wave: _, ...site }: SiteSettings, streams: unknown): string =>
  createHash("sha256").update(JSON.stringify({ site, streams })).digest("hex").slice(0, 16);
