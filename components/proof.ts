import { createHash } from "node:crypto";
import * as pulumi from "./sdk/pulumi";
import { proofSeeds, provenSite } from "../fleet/sourcing/access";
import { isBoundToMachine, usesUnnamedEngine } from "../configs/placement";
import { SiteSettings } from "../configs/settings";
import { WATCHER, WATCH_ROLE, isWatched, runsHere, watchOf } from "../configs/watch/watch";
import type { ProofRow } from "../providers/smoke-test";
import { Fleet } from "./fleet";
import { Hub } from "./hub";
import { Leaf } from "./leaf";
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
    const { settings, runtime, folders, stack } = fleet;
    const { streams, probes, smokeTest: run } = settings;
    const servers = [hub, ...sites.map((site) => site.streams)];
    const watcher = isWatched(settings) ? this.watcher(fleet, hub, servers) : undefined;
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

    const test = new SmokeTest(
      name,
      {
        run,
        stack,
        root: folders.root,
        hub: {
          name: settings.hub.name,
          url: hub.url,
          leafUrl: hub.leafUrl,
          place: runtime.placeOf(fleet.hub.first.name),
          ...fleet.hub.points(),
        },
        sites: sites.map(({ site }) => ({
          ...provenSite(site, fleet.reached),
          place: runtime.placeOf(site.name),
          maxPayload: site.maxPayload,
          declared: digestOf(site, settings.streams),
        })),
        streams,
        probes,
        secrets: pulumi.secret({
          ...proofSeeds(settings, settings.sites, fleet.reached),
          ...(watcher === undefined ? {} : { watch: fleet.seed(WATCHER, WATCH_ROLE) }),
        }),
        ...(watcher === undefined ? {} : { watcher: this.watcherPlace(fleet) }),
      },
      { parent: this, dependsOn: guard },
    );
    this.rows = test.proof;
    this.registerOutputs({});
  }

  private watcherPlace = (fleet: Fleet) => ({
    folder: fleet.folders.watcher,
    port: fleet.port(WATCHER, WATCH_ROLE),
  });

  private watcher(fleet: Fleet, hub: Hub, dependsOn: pulumi.Resource[]): pulumi.Resource {
    return new Watcher(
      WATCHER,
      {
        root: fleet.folders.root,
        ...this.watcherPlace(fleet),
        watch: watchOf(fleet.settings, fleet.stack),
        hub: pulumi.secret({ url: hub.url, seed: fleet.seed(WATCHER, WATCH_ROLE) }),
      },
      { parent: this, dependsOn },
    );
  }
}

/** Changes exactly when the site's own declaration does. */
const digestOf = (site: SiteSettings, streams: unknown): string =>
  createHash("sha256").update(JSON.stringify({ site, streams })).digest("hex").slice(0, 16);
