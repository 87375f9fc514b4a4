import { hubServers, isCluster } from "../placement";
import { Settings } from "../settings";

/** What a person should know of a hub whose servers share a machine, in words; empty for a hub of one. */
export const onOneMachine = ({ hub }: Pick<Settings, "hub">): string[] =>
  isCluster(hub)
    ? [
        `hub: ${hubServers(hub)
          .map(({ name }) => name)
          .join(", ")} are on one machine: the hub survives a server that fails, and not that machine`,
      ]
    : [];
