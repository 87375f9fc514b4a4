import * as pulumi from "./sdk/pulumi";
import { linkUrl } from "../configs/link-tls";
import { dialedHub, firstOfHub, hubServers, isCluster, reachedAt, routesLeave, routesOf } from "../configs/placement";
import { HubSettings, Settings, SiteSettings } from "../configs/settings";
import { hostPort, joinUrls } from "../configs/text/address";
import type { HubServerPoint } from "../fleet/proof/job";
import type { HubMember } from "../servers/hub-members";
import type { Place } from "../servers/server-host";
import { Declared } from "./sdk/declared";

/** What is known of a server of the fleet by its name. */
interface Known {
  port(server: string, listener: string): pulumi.Input<number>;
  clientUrl(server: HubSettings): pulumi.Output<string>;
  /** Where it runs, known before it is there. */
  placeOf(server: HubSettings): Declared<Place>;
}

/** The servers of the hub: itself, or several. What is asked of several at once is one text, joined by commas. */
export class HubServers {
  /** The hub's server, or each of its servers. */
  readonly all: readonly HubSettings[];
  readonly isCluster: boolean;
  private leafUrls: pulumi.Output<string> | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly known: Known,
  ) {
    this.all = hubServers(settings.hub);
    this.isCluster = isCluster(settings.hub);
  }

  /** The hub's server, or the first of its servers. */
  get first(): HubSettings {
    return firstOfHub(this.settings);
  }

  /** What each of them has, as one text. */
  ofEach(textOf: (server: HubSettings) => pulumi.Output<string>): pulumi.Output<string> {
    return this.isCluster ? pulumi.output(this.all.map(textOf)).apply(joinUrls) : textOf(this.first);
  }

  /** Where the leafnode listener is reached. */
  get leafUrl(): pulumi.Output<string> {
    return (this.leafUrls ??= this.ofEach(this.leafUrlOf));
  }

  private leafUrlOf = (server: HubSettings): pulumi.Output<string> =>
    pulumi
      .output(this.known.port(server.name, "leafnodes"))
      .apply((port) => linkUrl({ tls: "off" }, reachedAt(server), port));

  /** The URL that the site dials. */
  dialedUrl = (site: SiteSettings): pulumi.Output<string> =>
    this.ofEach((server) => {
      const { host, port = this.known.port(server.name, "leafnodes") } = dialedHub(this.settings, site, server);
      return pulumi.output(port).apply((number) => linkUrl(this.settings.links, host, number));
    });

  /** The ports of one of them. */
  ports(server: HubSettings) {
    const port = (listener: string) => this.known.port(server.name, listener);
    const routes = this.isCluster ? { cluster: this.routesPort(server) } : {};
    return { client: port("client"), leafnodes: port("leafnodes"), monitor: port("monitor"), ...routes };
  }

  /** Where a server of several finds the others, and over a network not itself; undefined for a hub of one. */
  routes(from: HubSettings): pulumi.Output<string>[] | undefined {
    if (!this.isCluster) return undefined;
    const others = routesLeave(this.settings) ? this.all.filter(({ name }) => name !== from.name) : this.all;
    return others.map((server) => {
      const { host } = routesOf(this.settings, server);
      return pulumi.output(this.routesPort(server)).apply((port) => hostPort(host, port));
    });
  }

  private routesPort = (server: HubSettings): pulumi.Input<number> =>
    routesOf(this.settings, server).port ?? this.known.port(server.name, "cluster");

  /** Where each of several runs, and its own client URL. */
  members = (): { servers?: Declared<HubMember>[] } => this.ofMembers((server) => this.memberOf(server));

  /** The same for the proof, which names each, and attacks its leafnode listener. */
  points = (): { servers?: Declared<HubServerPoint>[] } =>
    this.ofMembers((server) => ({ ...this.memberOf(server), name: server.name, leafUrl: this.leafUrlOf(server) }));

  private ofMembers = <T>(memberOf: (server: HubSettings) => T): { servers?: T[] } =>
    this.isCluster ? { servers: this.all.map(memberOf) } : {};

  private memberOf = (server: HubSettings) => ({
    place: this.known.placeOf(server),
    url: this.known.clientUrl(server),
  });
}
