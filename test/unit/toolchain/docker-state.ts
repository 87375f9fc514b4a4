import type { StateResource } from "../../../commands/stack/pending";

/** Resources as a state has them of a stack with Docker: below their components, and with the id of their provider. */

const TYPES = {
  fleet: "nats-hub-leaf:index:Fleet",
  hub: "nats-hub-leaf:index:Hub",
  leaf: "nats-hub-leaf:index:Leaf",
  provider: "nats-hub-leaf:index:Fleet$pulumi:providers:docker",
  network: "nats-hub-leaf:index:Fleet$docker:index/network:Network",
  image: "nats-hub-leaf:index:Fleet$docker:index/remoteImage:RemoteImage",
  container: "nats-hub-leaf:index:Leaf$docker:index/container:Container",
  volume: "nats-hub-leaf:index:Leaf$docker:index/volume:Volume",
  check: "nats-hub-leaf:index:Fleet$pulumi-nodejs:dynamic/nats:FleetCheck",
  identity: "nats-hub-leaf:index:Fleet$pulumi-nodejs:dynamic/nats:Identity",
  link: "nats-hub-leaf:index:Leaf$pulumi-nodejs:dynamic/nats:HubLink",
  server: "nats-hub-leaf:index:Leaf$pulumi-nodejs:dynamic/nats:LeafServer",
  watcher: "nats-hub-leaf:index:Fleet$nats-hub-leaf:index:Proof$pulumi-nodejs:dynamic/nats:Watcher",
  streams: "nats-hub-leaf:index:Leaf$pulumi-nodejs:dynamic/nats:Streams",
} as const;

export type Kind = keyof typeof TYPES;

export const urnOf = (kind: Kind, name: string): string => `urn:pulumi:dev::nats-hub-leaf::${TYPES[kind]}::${name}`;

const OF_THIS_PROGRAM = "urn:pulumi:dev::nats-hub-leaf::pulumi:providers:pulumi-nodejs::default::1";

export const resource = (kind: Kind, name: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: urnOf(kind, name),
  id: `${name}-id`,
  ...(TYPES[kind].includes("pulumi-nodejs:") ? { provider: OF_THIS_PROGRAM } : {}),
  ...more,
});

/** The Pulumi provider of an engine; without an address that of this machine. */
export const provider = (name: string, host?: string): StateResource =>
  resource("provider", name, { inputs: host === undefined ? {} : { host } });

/** How a resource names the provider that made it. */
export const by = (name: string): { provider: string } => ({ provider: `${urnOf("provider", name)}::${name}-id` });

const LIMITS = { memory: 512, memorySwap: 512, cpus: "0.5", restart: "always" };

export const container = (server: string, engine: string): StateResource =>
  resource("container", `${server}-container`, { ...by(engine), inputs: { name: `nats-dev-${server}`, ...LIMITS } });
