import { present } from "../configs/values";
import * as pulumi from "./sdk/pulumi";
import { linkAccess } from "../fleet/sourcing/access";
import { resourceName } from "../configs/resources";
import { declareHubLink, declareLeaf } from "../configs/plan/declare";
import { accountOf } from "../configs/names";
import { SiteSettings } from "../configs/settings";
import { Fleet } from "./fleet";
import { Hub } from "./hub";
import { HubLink, Streams } from "./sdk/resources";

export interface LeafArgs {
  fleet: Fleet;
  hub: Hub;
  site: SiteSettings;
  /** What must be proven before this site is touched. */
  after?: pulumi.Resource[];
}

/** A site: its account and link key on the hub, its server, its streams and the hub's that source them. */
export class Leaf extends pulumi.ComponentResource {
  readonly site: SiteSettings;
  /** Client URL, `nats://host:port`. */
  readonly url: pulumi.Output<string>;
  /** Where people reach it. `monitor` is on loopback, without authentication; absent in a container. */
  readonly endpoints: { client: pulumi.Output<string>; monitor?: pulumi.Output<string>; account: string };
  /** The last resource of the site: what depends on it comes after all of the site. */
  readonly streams: pulumi.Resource;
  /** The account of the site, of the same name on the hub. */
  readonly account: string;

  constructor(name: string, { fleet, hub, site, after = [] }: LeafArgs, opts?: pulumi.ComponentResourceOptions) {
    super("nats-hub-leaf:index:Leaf", name, {}, opts);
    const { settings, runtime, folders } = fleet;
    this.site = site;
    this.account = accountOf(site.name);
    this.url = fleet.clientUrl(site);
    const monitor = fleet.monitorUrl(site);
    this.endpoints = { client: this.url, ...present({ monitor }), account: this.account };

    const key = (role: string) => fleet.key(site.name, role);
    const hubKeys = { link: key("link"), operator: key("operator"), reader: key("reader") };
    const link = new HubLink(
      resourceName(name, "link"),
      {
        place: runtime.placeOf(fleet.hub.first.name),
        root: folders.root,
        declaration: declareHubLink(settings, site, hubKeys),
        hub: { url: hub.url, seed: hub.system },
        ...fleet.hub.members(),
      },
      // After a change the check no longer depends on the identity of a site that leaves; this sets the order of removal.
      { parent: this, dependsOn: [hub, fleet.identity(site.name), ...after] },
    );

    const system = fleet.key(settings.hub.name, "system");
    const keys = { system, operator: key("operator"), application: key("application") };
    const ports = { client: fleet.port(site.name, "client"), monitor: fleet.port(site.name, "monitor") };
    const server = runtime.leafServer(
      resourceName(name, "server"),
      site,
      declareLeaf(settings, site, keys, ports, fleet.hub.dialedUrl(site)),
      pulumi.secret(linkAccess(settings, site, fleet.reached)),
      fleet.certificatesOf(site.name),
      { parent: this, dependsOn: link, ...fleet.kept },
    );

    this.streams = new Streams(
      resourceName(name, "streams"),
      {
        site: site.name,
        expect: site.expect,
        stack: fleet.stack,
        root: folders.root,
        streams: settings.streams,
        access: fleet.accessOf(site),
      },
      { parent: this, dependsOn: server, ...fleet.kept },
    );
  }

  /** Registers none, as there are none: the CLI would write the whole state once more for each site. */
  protected override registerOutputs(): void {}
}
