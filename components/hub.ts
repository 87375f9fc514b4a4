import { ROUTES_KEY } from "../configs/keys";
import { present } from "../configs/values";
import * as pulumi from "./sdk/pulumi";
import { resourceName } from "../configs/resources";
import { declareHub } from "../configs/plan/declare";
import { Fleet } from "./fleet";

export interface HubArgs {
  fleet: Fleet;
}

/** The hub's server, or its servers. */
export class Hub extends pulumi.ComponentResource {
  /** Client URL, `nats://host:port`; of several servers those of all, joined by commas. */
  readonly url: pulumi.Output<string>;
  /** URL of its leafnode listener, `nats-leaf://host:port`; of several servers those of all. */
  readonly leafUrl: pulumi.Output<string>;
  /** Where people reach it. `monitor` is on loopback, without authentication; absent in a container. */
  readonly endpoints: {
    client: pulumi.Output<string>;
    leafnodes: pulumi.Output<string>;
    monitor?: pulumi.Output<string>;
  };
  /** Seed of its system account. Secret. */
  readonly system: pulumi.Output<string>;

  constructor(name: string, { fleet }: HubArgs, opts?: pulumi.ComponentResourceOptions) {
    super("nats-hub-leaf:index:Hub", name, {}, opts);
    const { settings, runtime } = fleet;
    const owner = settings.hub.name;
    this.url = fleet.hubUrl;
    this.leafUrl = fleet.hub.leafUrl;
    const monitor = fleet.monitorUrl(settings.hub);
    this.endpoints = { client: this.url, leafnodes: this.leafUrl, ...present({ monitor }) };
    this.system = fleet.seed(owner, "system");

    const key = (role: string) => fleet.key(owner, role);
    const keys = { system: key("system"), operator: key("operator"), reader: key("reader") };
    const ofServer = { parent: this, dependsOn: fleet.check, ...fleet.kept };
    const certificates = fleet.certificatesOf(owner);
    const members = fleet.hub.members();
    let before: pulumi.Resource[] = [];
    for (const server of fleet.hub.all) {
      // Another container takes the place of a server when the server before it is back, and the hub is complete.
      runtime.placeHub(server, fleet.hub.ports(server), { parent: this, dependsOn: [fleet.check, ...before] });
      const part = resourceName(server.name, "server");
      const routes = fleet.hub.routes(server);
      const member = routes === undefined ? undefined : { server, routes };
      const declaration = declareHub(
        settings,
        keys,
        fleet.hub.ports(server),
        present({ member, watchKey: fleet.watchKey }),
      );
      const secrets = {
        system: this.system,
        ...(routes === undefined ? {} : { routes: fleet.seed(owner, ROUTES_KEY) }),
      };
      const ofSeveral = { ...members, ...present({ routesCertificates: fleet.routesCertificatesOf(server) }) };
      before = [runtime.hubServer(part, server, declaration, secrets, certificates, ofSeveral, ofServer)];
    }
    this.registerOutputs({});
  }
}
