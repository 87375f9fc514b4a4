import * as pulumi from "../pulumi";
import { HubLink, HubServer, LeafServer } from "../resources";
import { Runtime, RuntimeSettings } from "./runtime";

/** Each server is a detached nats-server process on this machine. */
export class ProcessRuntime implements Runtime {
  readonly root: string;
  readonly hubFolder: string;
  readonly sitesFolder: string;
  private readonly binary: { natsServer?: string };

  constructor(settings: RuntimeSettings, stack: string) {
    this.root = `${settings.dataFolder}/${stack}`;
    this.hubFolder = `${this.root}/hub`;
    this.sitesFolder = `${this.root}/sites`;
    this.binary = settings.natsServer === undefined ? {} : { natsServer: settings.natsServer };
  }

  hubServer(...[name, declaration, secrets, opts]: Parameters<Runtime["hubServer"]>): pulumi.Resource {
    return new HubServer(name, { ...this.binary, folder: this.hubFolder, root: this.root, declaration, secrets }, opts);
  }

  hubLink(...[name, declaration, hub, opts]: Parameters<Runtime["hubLink"]>): pulumi.Resource {
    const place = { folder: this.hubFolder, root: this.root };
    return new HubLink(name, { ...this.binary, ...place, declaration, hub }, opts);
  }

  leafServer(...[name, site, declaration, access, opts]: Parameters<Runtime["leafServer"]>): pulumi.Resource {
    const place = { folder: `${this.sitesFolder}/${site.name}`, root: this.root };
    return new LeafServer(name, { ...this.binary, ...place, expect: site.expect, declaration, access }, opts);
  }
}
