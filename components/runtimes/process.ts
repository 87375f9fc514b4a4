import * as pulumi from "../pulumi";
import { Settings } from "../../configs/settings";
import type { ProcessPlace } from "../../providers/process-host";
import { HubServer, LeafServer } from "../resources";
import { Runtime, StackFolders } from "./runtime";

/** Each server is a detached nats-server process on this machine. */
export class ProcessRuntime implements Runtime {
  constructor(
    private readonly settings: Pick<Settings, "hub" | "natsServer">,
    private readonly folders: StackFolders,
  ) {}

  hubServer(...[name, declaration, secrets, opts]: Parameters<Runtime["hubServer"]>): pulumi.Resource {
    const { root } = this.folders;
    return new HubServer(name, { place: this.placeOf(this.settings.hub.name), root, declaration, secrets }, opts);
  }

  leafServer(...[name, site, declaration, access, opts]: Parameters<Runtime["leafServer"]>): pulumi.Resource {
    const { root } = this.folders;
    const place = this.placeOf(site.name);
    return new LeafServer(name, { place, root, expect: site.expect, declaration, access }, opts);
  }

  placeOf(server: string): ProcessPlace {
    const { hub, natsServer } = this.settings;
    const folder = server === hub.name ? this.folders.hub : this.folders.site(server);
    return { kind: "process", folder, ...(natsServer === undefined ? {} : { natsServer }) };
  }
}
