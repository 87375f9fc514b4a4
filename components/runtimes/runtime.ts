import * as pulumi from "../pulumi";
import { HubDeclaration, HubLinkDeclaration } from "../../configs/plan-hub";
import { LeafDeclaration } from "../../configs/plan-leaf";
import { Settings, SiteSettings } from "../../configs/settings";
import type { LeafServerInputs } from "../../providers/leaf-server";
import type { Access } from "../../providers/nats/connection";
import { Declared } from "../declared";

/**
 * Where servers run. Hub and leaf components describe servers and never ask which runtime stands behind them; a
 * runtime makes the resources that run them, and says in which folder their declarations lie.
 */
export interface Runtime {
  /** The folder of the stack's files. */
  readonly root: string;
  readonly hubFolder: string;
  /** The folder of the sites' folders. */
  readonly sitesFolder: string;

  hubServer(
    name: string,
    declaration: Declared<HubDeclaration>,
    secrets: Declared<{ system: string }>,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Resource;

  /** Declares a site's account and link key on the hub. */
  hubLink(
    name: string,
    declaration: Declared<HubLinkDeclaration>,
    hub: Declared<Access>,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Resource;

  leafServer(
    name: string,
    site: SiteSettings,
    declaration: Declared<LeafDeclaration>,
    access: Declared<LeafServerInputs["access"]>,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Resource;
}

export type RuntimeSettings = Pick<Settings, "dataFolder" | "natsServer">;
