import { HUB_ROLES, type KeyRole, ROUTES_KEY } from "../../configs/keys";
import { linkUrl } from "../../configs/link-tls";
import { hubFolder, hubListeners, hubServers, isCluster } from "../../configs/placement";
import { declareHub } from "../../configs/plan/declare";
import { HubSettings, Settings } from "../../configs/settings";
import { hostPort, joinUrls } from "../../configs/text/address";
import { present } from "../../configs/values";
import type { HubServerPoint } from "../../fleet/proof/job";
import * as hubServer from "../hub-server";
import * as identity from "../identity";
import type { LinkCertificates } from "../../servers/files/link-tls";
import type { ProcessPlace } from "../../servers/server-host";
import { Resource } from "./scratch-resource";

/** The hub of a scratch fleet: its server, or its servers, which have the hub's keys and ports of their own. */

/** A server of the fleet, and how it is reached. */
export interface ScratchServer {
  name: string;
  folder: string;
  /** Client URL. */
  url: string;
  keys: Record<KeyRole, string>;
  seeds: Record<KeyRole, string>;
  ports: Record<"client" | "leafnodes" | "monitor" | "cluster", number>;
}

export const scratchServer = (outs: identity.IdentityOutputs): ScratchServer => ({
  name: outs.owner,
  folder: outs.folder,
  url: `nats://127.0.0.1:${outs.allocated.client}`,
  keys: outs.keys,
  seeds: outs.seeds,
  ports: outs.allocated,
});

/** A process of this machine in the folder. */
export const scratchPlace = ({ natsServer }: Pick<Settings, "natsServer">, folder: string): ProcessPlace => ({
  kind: "process",
  folder,
  ...present({ natsServer }),
});

type Identity = Resource<identity.IdentityInputs, identity.IdentityOutputs>;
type Server = Resource<hubServer.HubServerInputs, hubServer.HubServerOutputs>;

export class ScratchHub {
  readonly identity: Identity;
  /** Of several servers the ports of each, by name. */
  private readonly members = new Map<string, Identity>();
  private readonly servers: ReadonlyMap<string, Server>;
  private readonly isCluster: boolean;

  constructor(
    private readonly hub: HubSettings,
    private readonly root: string,
  ) {
    const names = hubServers(hub).map(({ name }) => name);
    this.isCluster = isCluster(hub);
    this.identity = new Resource(hub.name, identity);
    this.servers = new Map(names.map((name) => [name, new Resource(name, hubServer)]));
    if (this.isCluster) for (const name of names) this.members.set(name, new Resource(name, identity));
  }

  async identify(settings: Settings): Promise<void> {
    const [{ root }, { hub, keys }] = [this, settings];
    const common = { root, rotation: 0 };
    const ports = (server: HubSettings): Record<string, number> =>
      Object.fromEntries(hubListeners(settings).map((listener) => [listener, server.ports[listener] ?? 0]));
    await this.identity.apply({
      ...common,
      owner: hub.name,
      folder: `${root}/hub`,
      roles: this.isCluster ? [...HUB_ROLES, ROUTES_KEY] : [...HUB_ROLES],
      ports: this.isCluster ? {} : ports(hub),
      given: (keys[hub.name] ?? {}) as Record<string, string>,
    });
    for (const server of hubServers(hub)) {
      const folder = hubFolder(root, hub, server.name);
      const inputs = { ...common, owner: server.name, folder, roles: [], ports: ports(server), given: {} };
      await this.members.get(server.name)?.apply(inputs);
    }
  }

  /** The server; of several the hub's name, the first one's ports, and the client URLs of all. */
  get server(): ScratchServer {
    const hub = scratchServer(this.identity.outs);
    const [first] = this.all;
    if (first === undefined || !this.isCluster) return hub;
    return { ...hub, url: joinUrls(this.all.map(({ url }) => url)), ports: first.ports };
  }

  /** The hub's server, or each of its servers. */
  get all(): ScratchServer[] {
    const { outs } = this.identity;
    if (!this.isCluster) return [scratchServer(outs)];
    return [...this.members.values()].map(({ outs: { owner, folder, allocated } }) =>
      scratchServer({ ...outs, owner, folder, allocated }),
    );
  }

  /** Where the server, or the first of several, runs. */
  place = (settings: Settings): ProcessPlace => scratchPlace(settings, (this.all[0] ?? this.server).folder);

  /** Every one of several servers. */
  points = (settings: Settings): { servers?: HubServerPoint[] } =>
    this.isCluster
      ? {
          servers: this.all.map(({ name, folder, url, ports }) => ({
            name,
            place: scratchPlace(settings, folder),
            url,
            leafUrl: linkUrl(settings.links, settings.hub.host, ports.leafnodes),
          })),
        }
      : {};

  /** Each server with its inputs. */
  inputs(
    settings: Settings,
    certificates: { certificates?: LinkCertificates },
    watchKey?: string,
  ): [Server, hubServer.HubServerInputs][] {
    const { root, all } = this;
    const { keys, seeds: secrets } = this.server;
    const routes = all.map(({ ports }) => hostPort("127.0.0.1", ports.cluster));
    return hubServers(settings.hub).flatMap((server) => {
      const [own, resource] = [all.find(({ name }) => name === server.name), this.servers.get(server.name)];
      if (own === undefined || resource === undefined) return [];
      const declaration = declareHub(
        settings,
        keys,
        own.ports,
        present({ member: this.isCluster ? { server, routes } : undefined, watchKey }),
      );
      const place = scratchPlace(settings, own.folder);
      return [[resource, { place, root, declaration, ...certificates, secrets, ...this.points(settings) }] as const];
    });
  }

  async delete(): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.delete()));
    for (const resource of this.identities) await resource.delete();
  }

  /** Keys and ports. */
  get identities(): Identity[] {
    return [...this.members.values(), this.identity];
  }
}
