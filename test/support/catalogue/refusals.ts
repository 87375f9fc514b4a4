import { NatsConnection } from "nats";
import { open } from "../../../servers/nats/connection";
import { Row } from "./catalogue";
import { AnyConfig, misconfigureOslo, oslo } from "./mistakes";
import { TestFleet, TestServer } from "../fleets/fleet";
import { hang } from "../fleets/hung";
import { pidOf } from "../fleets/servers";

/** What keeps applications from publishing at their own site, and servers whose process is there and does not answer. */

const accountOf = ({ accounts }: AnyConfig) => accounts.OSLO as (typeof accounts)[string] & Record<string, unknown>;

/** Applications connect until the site takes no more of them, and stay. */
async function useUp(fleet: TestFleet): Promise<void> {
  const held: NatsConnection[] = [];
  fleet.whenStopped(() => Promise.all(held.map((client) => client.close())));
  const { url, seeds } = oslo(fleet);
  for (;;) {
    const client = await open({ url, seed: seeds.application }, 1_000).catch(() => undefined);
    if (client === undefined) return;
    held.push(client);
    // The server refuses one that is over the limit of its account after it has logged in.
    const isIn = await client.flush().then(
      () => !client.isClosed(),
      () => false,
    );
    if (!isIn) return;
  }
}

const freeze = ({ folder }: TestServer): Promise<void> => {
  process.kill(pidOf(folder), "SIGSTOP");
  return Promise.resolve();
};

export const REFUSAL_ROWS: Row[] = [
  {
    name: "an account at the site whose connections are used up",
    make: async (fleet) => {
      await misconfigureOslo(fleet, (config) => (accountOf(config).limits = { max_connections: 3 }));
      await useUp(fleet);
    },
    finds: ["oslo: connections-used-up"],
    evidence: { "connections-used-up": /maximum account active connections exceeded/ },
    cause: { "connections-used-up": /account OSLO of the site/ },
  },
  {
    name: "a site's server whose connections are used up: not even this program is let in",
    make: async (fleet) => {
      await misconfigureOslo(fleet, (config) => (config.max_connections = 4));
      await useUp(fleet);
    },
    finds: ["oslo: connections-used-up"],
    evidence: { "connections-used-up": /maximum connections exceeded/ },
    cause: { "connections-used-up": /the site's server/ },
  },
  {
    name: "a site that does not know the key of its applications",
    make: (fleet) =>
      misconfigureOslo(fleet, (config) => {
        const { users } = accountOf(config);
        accountOf(config).users = users.filter(({ permissions }) => permissions === undefined);
      }),
    finds: ["oslo: application-refused"],
    evidence: { "application-refused": /Authorization Violation/ },
  },
  {
    name: "a site that forbids its applications to publish",
    make: (fleet) =>
      misconfigureOslo(fleet, (config) => {
        const [application] = accountOf(config).users;
        application!.permissions = { publish: { deny: ["events.>"] } };
      }),
    finds: ["oslo: application-refused"],
    evidence: { "application-refused": /may not publish on events\.>/ },
  },
  {
    name: "an account at the site that takes smaller messages than declared",
    make: (fleet) => misconfigureOslo(fleet, (config) => (accountOf(config).limits = { max_payload: 200_000 })),
    finds: ["oslo: payload-lowered"],
    evidence: { "payload-lowered": /200000 bytes for the key of the applications, declared 1048576/ },
  },
  {
    name: "a site that takes smaller messages than declared",
    make: (fleet) => misconfigureOslo(fleet, (config) => (config.max_payload = 200_000)),
    finds: ["oslo: payload-lowered"],
    evidence: { "payload-lowered": /200000 bytes for the key of the applications, declared 1048576/ },
  },
  {
    name: "a site whose server was frozen (SIGSTOP)",
    make: (fleet) => freeze(oslo(fleet)),
    finds: ["oslo: server-frozen"],
    evidence: { "server-frozen": /the site: the process is in state 'stopped'/ },
  },
  {
    name: "a hub whose server was frozen (SIGSTOP)",
    make: (fleet) => freeze(fleet.hub),
    finds: ["bergen: server-frozen", "oslo: server-frozen"],
    evidence: { "server-frozen": /the hub: the process is in state 'stopped'/ },
  },
  {
    name: "a site whose server is there and hangs",
    make: (fleet) => hang(oslo(fleet)),
    finds: ["oslo: site-down"],
    evidence: { "site-down": /its process exists but hangs/ },
  },
];
