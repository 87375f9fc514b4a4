import { RawSettings } from "../../../configs/settings";
import { Cases } from "../../support/rules/rule-cases";

type Hub = NonNullable<RawSettings["hub"]>;
type Listed = Exclude<NonNullable<Hub["servers"]>, number>[number];

/** A server of the hub on a machine of its own. */
export const on = (machine: string, more: Listed = {}): Listed => ({
  engine: `ssh://edge@${machine}.example`,
  address: `${machine}.example`,
  host: "192.0.2.10",
  ...more,
});

/** A hub with a server on each of the machines. */
export const spread = (...machines: string[]) => ({
  runtime: "docker" as const,
  servers: machines.map((machine) => on(machine)),
});

const hub = (...servers: Listed[]): RawSettings => ({
  hub: { runtime: "docker", servers },
  links: { tls: "generated" },
});

/** The rules about the servers of a hub that are listed, with what each refuses and lets pass. */
export const HUB_CASES: Cases = {
  hubServersAreAlike: {
    refuses: [
      {
        what: "a process among containers",
        raw: hub(on("a"), { runtime: "process", host: "192.0.2.1" }, on("c")),
        says: ["hub.servers[1].runtime: hub-2 is a process and hub-1 is not: they would not find each other"],
      },
    ],
    passes: [
      { what: "containers of three engines", raw: hub(on("a"), on("b"), on("c")) },
      { what: "processes of this machine", raw: { hub: { servers: [{}, {}, {}] } } },
    ],
  },

  hubServersReachEachOther: {
    refuses: [
      {
        what: "a server here on loopback, which the others cannot reach",
        raw: hub({}, on("b"), on("c")),
        says: [
          "hub.servers[0].host: 127.0.0.1 is this machine only, and the other servers of the hub are on other ones",
        ],
      },
      {
        what: "an address, and ports on loopback all the same",
        raw: hub({ address: "192.0.2.1" }, on("b"), on("c")),
        says: ["hub.servers[0].host: its ports are published on 127.0.0.1, which no other machine can reach"],
      },
    ],
    passes: [{ what: "a server here with an address", raw: hub({ host: "192.0.2.1" }, on("b"), on("c")) }],
  },

  hubServersHaveAddresses: {
    refuses: [
      {
        what: "two machines at one address",
        raw: hub(on("a"), on("b", { address: "a.example" }), on("c")),
        says: ["hub.servers[1].address: hub-2 would be reached at a.example, as hub-1 is, which is on another machine"],
      },
    ],
    passes: [{ what: "two servers on one machine", raw: hub(on("a"), on("a"), on("c")) }],
  },
};
