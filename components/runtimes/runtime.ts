import * as pulumi from "../sdk/pulumi";
import { HubDeclaration } from "../../configs/plan/plan-hub";
import { LeafDeclaration } from "../../configs/plan/plan-leaf";
import { SiteSettings } from "../../configs/settings";
import { WATCHER } from "../../configs/watch/watch";
import type { LeafServerInputs } from "../../providers/leaf-server";
import type { LinkCertificates } from "../../servers/files/link-tls";
import type { Place } from "../../servers/server-host";
import { Declared } from "../sdk/declared";

/** A server's declaration, of which keys and ports may not be known yet. */
export interface DeclaredServer<D extends { restart: { ports: object }; reload: unknown }> {
  restart: Omit<D["restart"], "ports"> & { ports: Record<keyof D["restart"]["ports"], pulumi.Input<number>> };
  reload: Declared<D["reload"]>;
}

/**
 * Where servers run. Hub and leaf components describe servers and never ask which runtime runs them; a runtime makes
 * the resources that run them.
 */
export interface Runtime {
  hubServer(
    name: string,
    declaration: DeclaredServer<HubDeclaration>,
    secrets: Declared<{ system: string }>,
    certificates: Declared<LinkCertificates> | undefined,
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
  site: (name: string) => string;
  watcher: string;
}

export function foldersOf({ dataFolder }: { dataFolder: string }, stack: string): StackFolders {
  const root = `${dataFolder}/${stack}`;
  return { root, hub: `${root}/hub`, site: (name) => `${root}/sites/${name}`, watcher: `${root}/${WATCHER}` };
}
