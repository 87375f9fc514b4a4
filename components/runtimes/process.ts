import { present } from "../../configs/values";
import * as pulumi from "../sdk/pulumi";
import { HubSettings, Settings } from "../../configs/settings";
import type { ProcessPlace } from "../../servers/server-host";
import type { WatcherPlace } from "../../servers/watch/host";
import { DeclaredArgs } from "../sdk/declared";
import { HubServer, LeafServer } from "../sdk/resources";
import { Runtime, StackFolders, withTls } from "./runtime";

/** Each server is a detached nats-server process on this machine. */
export class ProcessRuntime implements Runtime {
  constructor(
    private readonly settings: Pick<Settings, "natsServer">,
    private readonly folders: StackFolders,
  ) {}

  placeHub = (): void => undefined;

  hubServer(
    ...[name, server, declaration, secrets, certificates, ofSeveral, opts]: Parameters<Runtime["hubServer"]>
  ): pulumi.Resource {
    const { root } = this.folders;
    const place = this.placeOf(server.name);
    return new HubServer(name, { place, root, declaration, secrets, ...withTls(certificates), ...ofSeveral }, opts);
  }

  leafServer(
    ...[name, { name: site, expect }, declaration, access, certificates, opts]: Parameters<Runtime["leafServer"]>
  ): pulumi.Resource {
    const { root } = this.folders;
    const place = this.placeOf(site);
    return new LeafServer(name, { place, root, expect, declaration, access, ...withTls(certificates) }, opts);
  }

  placeWatcher = (port: pulumi.Input<number>): DeclaredArgs<WatcherPlace> => ({ folder: this.folders.watcher, port });

  placeByName = ({ name }: HubSettings): ProcessPlace => this.placeOf(name);

  placeOf(server: string): ProcessPlace {
    const { natsServer } = this.settings;
    const folder = this.folders.ofHub(server) ?? this.folders.site(server);
    return { kind: "process", folder, ...present({ natsServer }) };
  }
}
