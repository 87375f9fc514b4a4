import * as pulumi from "../sdk/pulumi";
import { placementOf } from "../../configs/placement";
import { watcherRuntime } from "../../configs/watch/watch";
import { HubSettings, Settings } from "../../configs/settings";
import type { Place } from "../../servers/server-host";
import { Declared } from "../sdk/declared";
import { DockerRuntime } from "./docker";
import { ProcessRuntime } from "./process";
import { Runtime, StackFolders } from "./runtime";

/** Each server on the runtime that the settings name for it. */
export class MixedRuntime implements Runtime {
  private readonly runtimes: Record<"process" | "docker", Runtime>;

  constructor(
    private readonly settings: Settings,
    stack: string,
    folders: StackFolders,
    parent: pulumi.Resource,
    check: () => pulumi.Resource,
  ) {
    this.runtimes = {
      process: new ProcessRuntime(settings, folders),
      docker: new DockerRuntime(settings, stack, folders, parent, check),
    };
  }

  placeHub = (...args: Parameters<Runtime["placeHub"]>): void => this.of(this.settings.hub.name).placeHub(...args);

  hubServer = (...args: Parameters<Runtime["hubServer"]>): pulumi.Resource =>
    this.of(this.settings.hub.name).hubServer(...args);

  leafServer = (...args: Parameters<Runtime["leafServer"]>): pulumi.Resource =>
    this.of(args[1].name).leafServer(...args);

  placeWatcher(...args: Parameters<Runtime["placeWatcher"]>): ReturnType<Runtime["placeWatcher"]> {
    return this.runtimes[watcherRuntime(this.settings)].placeWatcher(...args);
  }

  placeByName = (server: HubSettings): Declared<Place> => this.of(server.name).placeByName(server);

  placeOf = (server: string): Declared<Place> => this.of(server).placeOf(server);

  private of(name: string): Runtime {
    const { hub, sites } = this.settings;
    const server = sites.find((site) => site.name === name) ?? hub;
    return this.runtimes[placementOf(this.settings, server).kind];
  }
}
