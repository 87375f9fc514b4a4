import { hubFolder, hubServers } from "../../configs/placement";
import * as pulumi from "../sdk/pulumi";
import { HubDeclaration } from "../../configs/plan/plan-hub";
import { LeafDeclaration } from "../../configs/plan/plan-leaf";
import { HubSettings, Settings, SiteSettings } from "../../configs/settings";
import { WATCHER } from "../../configs/watch/watch";
import type { HubServerInputs } from "../../providers/hub-server";
import type { HubMember } from "../../servers/hub-members";
import type { LeafServerInputs } from "../../providers/leaf-server";
import type { LinkCertificates } from "../../servers/files/link-tls";
import type { Place } from "../../servers/server-host";
import type { WatcherPlace } from "../../servers/watch/host";
import { Declared, DeclaredArgs } from "../sdk/declared";

/** A server's declaration, of which keys and ports may not be known yet. */
export interface DeclaredServer<D extends { restart: { ports: object; cluster?: unknown }; reload: unknown }> {
  restart: Omit<D["restart"], "ports" | "cluster"> & {
    ports: { [K in keyof D["restart"]["ports"]]: pulumi.Input<number> };
    cluster?: Declared<NonNullable<D["restart"]["cluster"]>>;
  };
  reload: Declared<D["reload"]>;
}

export type PlaceOptions = Pick<pulumi.CustomResourceOptions, "parent" | "dependsOn">;

/**
 * Where servers run. Hub and leaf components describe servers and never ask which runtime runs them; a runtime makes
 * the resources that run them.
 */
export interface Runtime {
  /** Makes the place of the hub's server, or of one of its servers; comes before `hubServer`. */
  placeHub(server: HubSettings, ports: DeclaredServer<HubDeclaration>["restart"]["ports"], opts: PlaceOptions): void;

  /**
   * @param server the hub, or one of its servers.
   * @param ofSeveral every server of a hub of several, and the certificates of routes that leave their machine.
   */
  hubServer(
    name: string,
    server: HubSettings,
    declaration: DeclaredServer<HubDeclaration>,
    secrets: Declared<HubServerInputs["secrets"]>,
    certificates: Declared<LinkCertificates> | undefined,
    ofSeveral: { servers?: Declared<HubMember>[]; routesCertificates?: Declared<LinkCertificates> },
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Resource;

  leafServer(
    name: string,
    site: SiteSettings,
    declaration: DeclaredServer<LeafDeclaration>,
    access: Declared<LeafServerInputs["access"]>,
    certificates: Declared<LinkCertificates> | undefined,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Resource;

  /**
   * Makes the place of a watcher beside the hub.
   *
   * @param port of its health and metrics, on loopback of its machine.
   */
  placeWatcher(port: pulumi.Input<number>, opts: PlaceOptions): DeclaredArgs<WatcherPlace>;

  /** Where a server of the hub runs, by a name that is known before the place is made. */
  placeByName(server: HubSettings): Declared<Place>;

  /** Where the server of that name runs; of a server that was asked for before. */
  placeOf(server: string): Declared<Place>;
}

/** The input for certificates, where there are any. */
export const withTls = (certificates: Declared<LinkCertificates> | undefined) =>
  certificates === undefined ? {} : { certificates };

/** The folders of a stack on this machine. */
export interface StackFolders {
  /** The folder of the stack's files. */
  root: string;
  hub: string;
  /** The hub's, or that of one of its servers; undefined for what is neither. */
  ofHub: (server: string) => string | undefined;
  site: (name: string) => string;
  watcher: string;
}

export function foldersOf({ dataFolder, hub }: Pick<Settings, "dataFolder" | "hub">, stack: string): StackFolders {
  const root = `${dataFolder}/${stack}`;
  const folders = new Map(hubServers(hub).map(({ name }) => [name, hubFolder(root, hub, name)]));
  return {
    root,
    hub: `${root}/hub`,
    ofHub: (server) => folders.get(server),
    site: (name) => `${root}/sites/${name}`,
    watcher: `${root}/${WATCHER}`,
  };
}
