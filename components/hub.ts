import { present } from "../configs/values";
import * as pulumi from "./sdk/pulumi";
import { resourceName } from "../configs/resources";
import { declareHub } from "../configs/plan/declare";
import { Fleet } from "./fleet";

export interface HubArgs {
  fleet: Fleet;
}

/** The hub's server. */
export class Hub extends pulumi.ComponentResource {
  /** Client URL, `nats://host:port`. */
  readonly url: pulumi.Output<string>;
  /** URL of its leafnode listener, `nats-leaf://host:port`. */
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
    this.leafUrl = fleet.hubLeafUrl;
    const monitor = fleet.monitorUrl(settings.hub);
    this.endpoints = { client: this.url, leafnodes: this.leafUrl, ...present({ monitor }) };
    this.system = fleet.seed(owner, "system");

    const key = (role: string) => fleet.key(owner, role);
    const port = (listener: string) => fleet.port(owner, listener);
    const keys = { system: key("system"), operator: key("operator"), reader: key("reader") };
    const ports = { client: port("client"), leafnodes: port("leafnodes"), monitor: port("monitor") };
    runtime.hubServer(
      resourceName(name, "server"),
      declareHub(settings, keys, ports, fleet.watchKey),
      { system: this.system },
      fleet.certificatesOf(owner),
      { parent: this, dependsOn: fleet.check, ...fleet.kept },
    );
    this.registerOutputs({});
  }
}
