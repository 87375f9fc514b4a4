import { hubServers, isElsewhere, isLoopback, machineOf, placementOf, reachedAt, routesLeave } from "../placement";
import { Problem } from "../problem";
import { HubSettings, Settings } from "../settings";
import { Rule, repeated } from "./rule";

/** The rules about the servers of a hub of several that are listed one by one. */

const whereOf = (index: number, setting: string): string => `hub.servers[${index}].${setting}`;

const problemsOf = (settings: Settings, find: (server: HubSettings, index: number) => Problem | undefined): Problem[] =>
  hubServers(settings.hub).flatMap((server, i) => find(server, i) ?? []);

/** No other machine reaches it there. */
const isLocalOnly = (host: string): boolean => isLoopback(host) || host === "0.0.0.0" || host === "::";

export const HUB_RULES = {
  hubServersAreAlike: (settings) => {
    const kindOf = (server: HubSettings) => placementOf(settings, server).kind;
    const [first] = hubServers(settings.hub);
    return problemsOf(settings, (server, i) =>
      first === undefined || kindOf(server) === kindOf(first)
        ? undefined
        : {
            where: whereOf(i, "runtime"),
            problem: `${server.name} is a ${kindOf(server) === "docker" ? "container" : "process"} and ${first.name} is not: they would not find each other`,
            cure: "use runtime: docker for all servers of the hub, or process for all",
          },
    );
  },

  // An engine of another machine has a rule of its own.
  hubServersReachEachOther: (settings) => {
    if (!routesLeave(settings)) return [];
    return problemsOf(settings, (server, i) => {
      if (isElsewhere(server)) return undefined;
      const cure = "give an address of this machine that the other machines reach";
      if (isLocalOnly(reachedAt(server)))
        return {
          where: whereOf(i, server.address === undefined ? "host" : "address"),
          problem: `${reachedAt(server)} is this machine only, and the other servers of the hub are on other ones`,
          cure,
        };
      return isLoopback(server.host)
        ? {
            where: whereOf(i, "host"),
            problem: `its ports are published on ${server.host}, which no other machine can reach`,
            cure,
          }
        : undefined;
    });
  },

  hubServersHaveAddresses: (settings) => {
    if (!routesLeave(settings)) return [];
    const all = hubServers(settings.hub).map((server, i) => ({ server, i }));
    return repeated(all, ({ server }) => reachedAt(server)).flatMap(({ first, again }): Problem[] =>
      machineOf(first.server) === machineOf(again.server) || isLocalOnly(reachedAt(again.server))
        ? []
        : [
            {
              where: whereOf(again.i, "address"),
              problem: `${again.server.name} would be reached at ${reachedAt(again.server)}, as ${first.server.name} is, which is on another machine`,
              cure: "give each server of hub.servers the address of its machine",
            },
          ],
    );
  },
} satisfies Record<string, Rule>;
