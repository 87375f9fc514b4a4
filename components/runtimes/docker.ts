import type * as Docker from "@pulumi/docker";
import * as pulumi from "../sdk/pulumi";
import {
  CONFIG_FOLDER,
  CONTAINER_PORTS,
  DATA_FOLDER,
  ROUTES_PORT,
  SSH_OPTIONS,
  WATCHER_FOLDERS,
  WATCHER_PORT,
  cpuText,
  engineNameOf,
} from "../../configs/container";
import { Placement, engineOf, firstOfHub, placementOf, reachedAt, routesLeave } from "../../configs/placement";
import { HubSettings, Settings, SiteSettings } from "../../configs/settings";
import { present } from "../../configs/values";
import { WATCHER } from "../../configs/watch/watch";
import type { Place } from "../../servers/server-host";
import type { WatcherPlace } from "../../servers/watch/host";
import { NODE_FLAGS, PROGRAM_START } from "../../servers/watch/program-files";
import { Declared, DeclaredArgs } from "../sdk/declared";
import { HubServer, LeafServer } from "../sdk/resources";
import { CONFINED, WATCHER_MEBIBYTES, WATCHER_STOP_SECONDS, healthCheck } from "./confined";
import { PlaceOptions, Runtime, StackFolders, withTls } from "./runtime";
import { engineResource, resourceName } from "../../configs/resources";

type InDocker = Extract<Placement, { kind: "docker" }>;

/** One engine, with what all of a stack's containers there share. */
interface Engine {
  /** Of its provider, in the state. */
  name: string;
  provider: Docker.Provider;
  network: Docker.Network;
  image: Docker.RemoteImage;
}

/** Where a server listens in a container with a network of its own. */
const INSIDE = { host: "0.0.0.0", ports: CONTAINER_PORTS };
const INSIDE_OF_SEVERAL = { ...INSIDE, ports: { ...CONTAINER_PORTS, cluster: ROUTES_PORT } };

/** What is published of a server: the port on the outside, by the port in the container. */
type Published = { internal: number; external: pulumi.Input<number> }[];

/**
 * Each server is a container of a Docker engine. Pulumi makes it without starting it: what the server must have first,
 * its configuration, is written into its volume by the server's own resource, which then starts it, and reloads it when
 * it changes. So a change of the configuration never replaces a container, and nothing secret shows in `docker inspect`.
 */
export class DockerRuntime implements Runtime {
  private readonly engines = new Map<string, Engine>();
  private readonly places = new Map<string, Declared<Place>>();

  constructor(
    private readonly settings: Settings,
    private readonly stack: string,
    private readonly folders: StackFolders,
    private readonly parent: pulumi.Resource,
    /** Nothing is made on an engine before it has passed. */
    private readonly check: () => pulumi.Resource,
  ) {}

  placeHub(...[server, { client, leafnodes, cluster }, opts]: Parameters<Runtime["placeHub"]>): void {
    const published = [
      { internal: CONTAINER_PORTS.client, external: client },
      { internal: CONTAINER_PORTS.leafnodes, external: leafnodes },
      ...(cluster !== undefined && routesLeave(this.settings) ? [{ internal: ROUTES_PORT, external: cluster }] : []),
    ];
    void this.container(server, this.folderOf(server), published, opts);
  }

  hubServer(
    ...[name, server, { restart, reload }, secrets, certificates, ofSeveral, opts]: Parameters<Runtime["hubServer"]>
  ): pulumi.Resource {
    const place = this.placeOf(server.name);
    const reached = { host: reachedAt(server), ports: restart.ports };
    const inside = restart.cluster === undefined ? INSIDE : INSIDE_OF_SEVERAL;
    const declaration = { restart: { ...restart, ...inside }, reload };
    const { root } = this.folders;
    const given = { place, root, reached, declaration, secrets, ...withTls(certificates), ...ofSeveral };
    return new HubServer(name, given, opts);
  }

  leafServer(
    ...[name, site, { restart, reload }, access, certificates, opts]: Parameters<Runtime["leafServer"]>
  ): pulumi.Resource {
    const onHostsNetwork = this.inDocker(site).network === "host";
    const published = [{ internal: CONTAINER_PORTS.client, external: restart.ports.client }];
    const place = this.container(site, this.folders.site(site.name), onHostsNetwork ? [] : published, opts);
    const reached = { host: reachedAt(site), ports: restart.ports };
    const declaration = { restart: onHostsNetwork ? restart : { ...restart, ...INSIDE }, reload };
    const common = { place, root: this.folders.root, reached, declaration, ...withTls(certificates) };
    return new LeafServer(name, { ...common, expect: site.expect, access }, opts);
  }

  placeWatcher(port: pulumi.Input<number>, { parent, dependsOn }: PlaceOptions): DeclaredArgs<WatcherPlace> {
    const server = firstOfHub(this.settings);
    const engine = this.engineFor(this.inDocker(server).engine, server);
    const owned = { parent: parent ?? this.parent, provider: engine.provider };
    const name = this.nameOf(WATCHER);
    const labels = this.labels(WATCHER);
    const made = { ...owned, dependsOn: this.check() };
    const image = new this.docker.RemoteImage(
      engineResource(engine.name, "watcher-image"),
      { name: this.settings.watch?.image ?? "", keepLocally: true },
      { ...made, parent: this.parent },
    );
    const volume = new this.docker.Volume(resourceName(WATCHER, "data"), { name: `${name}-data`, labels }, made);
    const { mount, program, own } = WATCHER_FOLDERS;
    const container = new this.docker.Container(
      resourceName(WATCHER, "container"),
      {
        ...CONFINED,
        name,
        image: image.imageId,
        command: ["node", ...NODE_FLAGS, `${mount}/${program}/${PROGRAM_START}`, "-c", `${mount}/${own}/watcher.json`],
        stopTimeout: WATCHER_STOP_SECONDS,
        destroyGraceSeconds: WATCHER_STOP_SECONDS,
        memory: WATCHER_MEBIBYTES,
        memorySwap: WATCHER_MEBIBYTES,
        cpus: cpuText(1),
        logOpts: { "max-size": String(2 ** 20), "max-file": "2" },
        labels,
        mounts: [{ type: "volume", source: volume.name, target: mount }],
        // While the hub is away its name is asked for elsewhere, where nobody may answer for long.
        dnsOpts: ["timeout:1", "attempts:1"],
        networksAdvanced: [{ name: engine.network.name, aliases: [WATCHER] }],
        ports: [{ internal: WATCHER_PORT, external: port, ip: "127.0.0.1", protocol: "tcp" }],
      },
      { ...owned, ...present({ dependsOn }), deleteBeforeReplace: true },
    );
    const { watcher: folder } = this.folders;
    return {
      folder,
      port,
      container: { kind: "docker", engine: engineOf(server), container: container.id, name, folder },
    };
  }

  placeOf(server: string): Declared<Place> {
    const place = this.places.get(server);
    if (place === undefined) throw new pulumi.RunError(`${server} has no container in this stack`);
    return place;
  }

  placeByName(server: HubSettings): Declared<Place> {
    const name = this.nameOf(server.name);
    return {
      kind: "docker" as const,
      engine: engineOf(server),
      container: name,
      name,
      folder: this.folderOf(server),
    };
  }

  private folderOf = ({ name }: HubSettings): string => this.folders.ofHub(name) ?? this.folders.hub;

  private inDocker(server: HubSettings | SiteSettings): InDocker {
    const placement = placementOf(this.settings, server);
    if (placement.kind !== "docker") throw new pulumi.RunError(`${server.name} does not run in Docker`);
    return placement;
  }

  private container(
    server: HubSettings | SiteSettings,
    folder: string,
    published: Published,
    { parent, dependsOn = [] }: pulumi.CustomResourceOptions,
  ): Declared<Place> {
    const { docker } = this.settings;
    const placement = this.inDocker(server);
    const { provider, network, image } = this.engineFor(placement.engine, server);
    const owned = { parent: parent ?? this.parent, provider };
    const name = this.nameOf(server.name);
    const labels = this.labels(server.name);
    const volume = (what: "config" | "data", kept: { protect?: true } = {}): Docker.Volume =>
      new this.docker.Volume(
        resourceName(server.name, what),
        { name: `${name}-${what}`, labels },
        { ...owned, dependsOn: this.check(), ...kept },
      );
    const [config, data] = [volume("config"), volume("data", this.settings.protect ? { protect: true } : {})];
    const mount = ({ name: source }: Docker.Volume, target: string) => ({ type: "volume", source, target });
    const container = new this.docker.Container(
      resourceName(server.name, "container"),
      {
        ...CONFINED,
        name,
        image: image.imageId,
        command: ["-c", `${CONFIG_FOLDER}/nats-server.conf`],
        // The certificates that the configuration names are relative to it.
        workingDir: CONFIG_FOLDER,
        stopTimeout: docker.stopTimeout / 1000,
        destroyGraceSeconds: docker.stopTimeout / 1000,
        memory: Math.ceil(docker.memory / 2 ** 20),
        memorySwap: Math.ceil(docker.memory / 2 ** 20),
        cpus: cpuText(docker.cpus),
        logOpts: { "max-size": String(server.logs.sizeLimit), "max-file": String(server.logs.keep) },
        labels,
        mounts: [mount(config, CONFIG_FOLDER), mount(data, DATA_FOLDER)],
        ...healthCheck(docker.image),
        ...(placement.network === "host"
          ? { networkMode: "host" }
          : {
              networksAdvanced: [{ name: network.name, aliases: [server.name] }],
              ports: published.map((port) => ({ ...port, ip: server.host, protocol: "tcp" })),
            }),
      },
      { ...owned, dependsOn, deleteBeforeReplace: true },
    );
    const place = {
      kind: "docker" as const,
      engine: engineOf(server),
      container: container.id,
      name,
      folder,
    };
    this.places.set(server.name, place);
    return place;
  }

  private engineFor(url: string, server: HubSettings | SiteSettings): Engine {
    const known = this.engines.get(url);
    if (known !== undefined) return known;
    const name = url === "" ? "docker" : `docker-${url.replace(/[^A-Za-z0-9.]+/g, "-")}`;
    const { engineCertificates: certPath } = server;
    // Asks the plugin not to look for the engine when it starts; it still fails what is on an engine that is away.
    const provider = new this.docker.Provider(
      name,
      {
        ...(url === "" ? {} : { host: url }),
        // An empty one keeps the environment's from the plugin, which would not use ssh then.
        ...(certPath !== undefined ? { certPath } : url.startsWith("ssh:") ? { certPath: "" } : {}),
        // DOCKER_CONTEXT would take all engines' place.
        context: "",
        sshOpts: [...SSH_OPTIONS],
        disableDockerDaemonCheck: true,
      },
      { parent: this.parent, dependsOn: this.check() },
    );
    const owned = { parent: this.parent, provider, dependsOn: this.check() };
    const network = new this.docker.Network(
      engineResource(name, "network"),
      { name: this.nameOf(""), driver: "bridge", labels: this.labels() },
      owned,
    );
    const image = new this.docker.RemoteImage(
      engineResource(name, "image"),
      { name: this.settings.docker.image, keepLocally: true },
      owned,
    );
    const engine = { name, provider, network, image };
    this.engines.set(url, engine);
    return engine;
  }

  private nameOf = (server: string): string => engineNameOf(this.stack, server);

  private labels = (server?: string): Docker.types.input.ContainerLabel[] => [
    { label: "nats-hub-leaf.stack", value: this.stack },
    ...(server === undefined ? [] : [{ label: "nats-hub-leaf.server", value: server }]),
  ];

  /** Loaded only where a server runs in Docker. */
  private get docker(): typeof Docker {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require("@pulumi/docker") as typeof Docker;
  }
}
