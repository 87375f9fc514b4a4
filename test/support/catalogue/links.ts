import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Row } from "./catalogue";
import {
  linkUser,
  linked,
  listenerOf,
  misconfigure,
  misconfigureHub,
  misconfigureOslo,
  oslo,
  remoteOf,
  takeLinkUser,
  throughProxy,
} from "./mistakes";
import { TestFleet } from "../fleets/fleet";
import { Proxy } from "../fleets/proxy";
import { killServer, restartWith, stopServer, whileStopped } from "../fleets/servers";
import { newSeed } from "../rules/settings";
import { askOverLink } from "../../../fleet/observation/observe-link";
import { siteApi } from "../../../configs/streams";
import { until } from "../until";

/** Mistakes on the way from the site to the hub: servers, keys, addresses, accounts, the network. */

/** Has a proxy swallow what comes from there, once all runs. */
async function blackHole(fleet: TestFleet, ...from: ("site" | "hub")[]): Promise<void> {
  const proxy = await throughProxy(fleet);
  proxies.set(fleet, proxy);
  await until("the site answers over the link", async () => {
    const { connection } = await fleet.atHub("oslo");
    return (await askOverLink(connection, siteApi("oslo"), "EVENTS")) === "answered";
  });
  for (const end of from) proxy.swallow(end);
}

/** What oslo dials the hub through. */
const proxies = new WeakMap<TestFleet, Proxy>();

/** The network carries everything again, and the link that it spoiled ends with its server. */
async function endTheSpoiltLink(fleet: TestFleet): Promise<void> {
  proxies.get(fleet)?.restore();
  await killServer(oslo(fleet).folder);
}

/** Whether the hub's source last heard from oslo that long ago. */
async function isQuietFor(fleet: TestFleet, ms: number): Promise<boolean> {
  const active = (await fleet.collected("oslo")).sources?.[0]?.active ?? 0;
  return active / 1e6 > ms;
}

/** Lets a leaf in that shows no valid key, in an account that collects nothing. */
const letAnyoneIn = (fleet: TestFleet): Promise<void> =>
  restartWith(fleet.hub.folder, (text) =>
    `no_auth_user: anon\n${text}`.replace(
      /^accounts: \{$/m,
      "accounts: {\n  ANON: { users: [{user: anon, password: anon}] }",
    ),
  );

/** Has the remote authenticate with a file instead of its nkey. */
const withCredentials = (fleet: TestFleet, content: (seed: string) => string): Promise<void> => {
  const file = join(oslo(fleet).folder, "oslo.creds");
  writeFileSync(file, content(oslo(fleet).seeds.link), { mode: 0o600 });
  return restartWith(oslo(fleet).folder, (text) => text.replace(/nkey: "SU\w+"/, `credentials: "${file}"`));
};

const DECORATED_SEED = (seed: string) => `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
const DUMMY_JWT = (seed: string) =>
  `-----BEGIN NATS USER JWT-----\neyJ0eXAiOiJKV1QifQ.e30.x\n------END NATS USER JWT------\n\n${DECORATED_SEED(seed)}`;

export const LINK_ROWS: Row[] = [
  {
    name: "a site whose server is down",
    modes: ["perSite", "merged"],
    make: (fleet) => stopServer(oslo(fleet).folder),
    finds: ["oslo: site-down"],
    evidence: { "site-down": /^nats:\/\/127\.0\.0\.1:\d+: .*REFUSED/ },
  },
  {
    name: "a hub that is down",
    make: (fleet) => stopServer(fleet.hub.folder),
    finds: ["bergen: hub-down", "oslo: hub-down"],
    evidence: { "hub-down": /^nats:\/\/127\.0\.0\.1:\d+: .*REFUSED/ },
  },
  {
    name: "a site that dials a port without a listener",
    make: (fleet) => misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = ["nats-leaf://127.0.0.1:1"])),
    finds: ["oslo: link-down"],
    evidence: { "link-down": /hub \/leafz has no oslo; the site dials nats-leaf:\/\/127\.0\.0\.1:1; .*refused/ },
  },
  {
    name: "a site that dials the hub's client port",
    make: (fleet) =>
      misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = [fleet.hub.url.replace("nats:", "nats-leaf:")])),
    finds: ["oslo: link-down"],
    evidence: { "link-down": /hub \/leafz has no oslo; .*wrong port/ },
  },
  {
    name: "a hub whose leafnode port cannot be reached",
    make: (fleet) => misconfigure(fleet.hub, (config) => (listenerOf(config).listen = "127.0.0.1:-1")),
    finds: ["bergen: link-down", "oslo: link-down"],
    evidence: { "link-down": /hub \/leafz has no oslo; the site dials nats-leaf:\/\/127\.0\.0\.1:\d+/ },
  },
  {
    name: "a site that wants TLS, and a hub that has none",
    make: (fleet) => misconfigure(oslo(fleet), (config) => (remoteOf(config).tls = { insecure: true } as never)),
    finds: ["oslo: link-down"],
    evidence: { "link-down": /hub \/leafz has no oslo; the site dials nats-leaf:/ },
  },
  {
    name: "a site with a key that the hub does not know",
    modes: ["perSite", "merged"],
    make: (fleet) => misconfigure(oslo(fleet), (config) => (remoteOf(config).nkey = newSeed())),
    finds: ["oslo: wrong-key"],
    evidence: { "wrong-key": /its remote has key U\w{55}, declared U\w{55}; links on the hub: none/ },
  },
  {
    name: "a hub that lost the site's link user",
    make: (fleet) => misconfigure(fleet.hub, (config) => takeLinkUser(config, "OSLO")),
    finds: ["oslo: key-refused"],
    evidence: { "key-refused": /its remote has key (U\w{55}), declared \1; links on the hub: none.*Authorization/ },
  },
  {
    name: "a link user that may open client connections only",
    make: (fleet) =>
      misconfigure(fleet.hub, ({ accounts }) => (linkUser(accounts.OSLO!).allowed_connection_types = ["STANDARD"])),
    finds: ["oslo: isolation-broken", "oslo: key-refused"],
    evidence: {
      "key-refused": /its remote has key (U\w{55}), declared \1; links on the hub: none/,
      "isolation-broken": /let it in/,
    },
  },
  {
    name: "a leafnodes.authorization block on the hub, which shadows its accounts",
    make: (fleet) =>
      misconfigure(
        fleet.hub,
        (config) => (listenerOf(config).authorization = { user: "leaf", password: "leaf", account: "OSLO" }),
      ),
    finds: ["bergen: key-refused", "oslo: key-refused"],
    evidence: { "key-refused": /links on the hub: none.*Authorization/ },
  },
  {
    name: "an account of the hub that accepts no leaf connections",
    make: (fleet) =>
      misconfigure(
        fleet.hub,
        ({ accounts }) => ((accounts.OSLO as unknown as Record<string, unknown>).limits = { max_leafnodes: 0 }),
      ),
    finds: ["oslo: link-limit"],
    evidence: { "link-limit": /maximum/ },
  },
  {
    name: "a key that is in another account of the hub",
    modes: ["perSite", "merged"],
    make: (fleet) =>
      misconfigureHub(fleet, (config) => {
        config.accounts.HUB!.users.push(takeLinkUser(config, "OSLO"));
        config.accounts.HUB!.jetstream ??= { max_mem: 0, max_file: 1e6 };
      }),
    finds: ["oslo: wrong-account-on-hub"],
    evidence: { "wrong-account-on-hub": /^hub \/leafz: oslo -> HUB$/ },
    cause: { "wrong-account-on-hub": /the hub put the link in account HUB, not OSLO/ },
  },
  {
    name: "a site without a key, let in by the hub's no_auth_user",
    make: async (fleet) => {
      await letAnyoneIn(fleet);
      await misconfigureOslo(fleet, (config) => delete (remoteOf(config) as { nkey?: string }).nkey);
      await linked(fleet, "bergen");
    },
    finds: ["oslo: isolation-broken", "oslo: wrong-account-on-hub"],
    evidence: {
      "wrong-account-on-hub": /^hub \/leafz: oslo -> ANON$/,
      "isolation-broken": /^nats-leaf:\S+ kept the link$/,
    },
  },
  {
    name: "a site without a key",
    make: (fleet) => misconfigure(oslo(fleet), (config) => delete (remoteOf(config) as { nkey?: string }).nkey),
    finds: ["oslo: wrong-key"],
    evidence: { "wrong-key": /its remote has no nkey, declared U\w{55}; links on the hub: none/ },
  },
  {
    name: "a leaf remote without an account",
    modes: ["perSite", "merged"],
    make: (fleet) => misconfigureOslo(fleet, (config) => delete (remoteOf(config) as { account?: string }).account),
    finds: ["oslo: wrong-account-at-site"],
    evidence: { "wrong-account-at-site": /^site \/leafz: \$G; account in the remote: none$/ },
  },
  {
    name: "a seed in the field 'credentials' (nats-server issue 6723)",
    modes: ["perSite", "merged"],
    make: (fleet) => restartWith(oslo(fleet).folder, (text) => text.replace('nkey: "SU', 'credentials: "SU')),
    finds: ["oslo: seed-in-credentials"],
    evidence: { "seed-in-credentials": /credentials holds a seed; links on the hub: none/ },
  },
  {
    name: "a bare seed in a credentials file",
    make: (fleet) => withCredentials(fleet, (seed) => `${seed}\n`),
    finds: ["oslo: seed-in-credentials"],
    evidence: { "seed-in-credentials": /credentials holds a file that holds a bare seed; links on the hub: none/ },
  },
  {
    name: "a credentials file with nothing but a decorated seed",
    make: (fleet) => withCredentials(fleet, DECORATED_SEED),
    finds: ["oslo: seed-in-credentials"],
    evidence: { "seed-in-credentials": /credentials holds a file that holds a bare seed; links on the hub: none/ },
  },
  {
    name: "a credentials file with a made-up JWT before the seed",
    make: (fleet) => withCredentials(fleet, DUMMY_JWT),
    finds: ["oslo: credentials-not-nkey"],
    evidence: { "credentials-not-nkey": /credentials holds another file; links on the hub: none/ },
  },
  {
    name: "a credentials file that is not there",
    make: (fleet) =>
      restartWith(oslo(fleet).folder, (text) =>
        text.replace(/nkey: "SU\w+"/, 'credentials: "/nonexistent/oslo.creds"'),
      ),
    finds: ["oslo: credentials-not-nkey"],
    evidence: { "credentials-not-nkey": /credentials holds a missing file; links on the hub: none/ },
  },
  {
    name: "a network that swallows everything between site and hub",
    modes: ["perSite", "merged"],
    make: (fleet) => blackHole(fleet, "site", "hub"),
    finds: ["oslo: link-stale"],
    evidence: { "link-stale": /the hub sent [1-9]\d* messages and the site received 0/ },
    cure: endTheSpoiltLink,
    says: "kill the site's server",
    cause: { "link-stale": /what the hub sends does not reach the site/ },
  },
  {
    name: "a network that swallows what the hub sends",
    make: (fleet) => blackHole(fleet, "hub"),
    finds: ["oslo: link-stale"],
    evidence: { "link-stale": /the hub sent [1-9]\d* messages and the site received 0/ },
    cure: endTheSpoiltLink,
    says: "kill the site's server",
  },
  {
    name: "a network that swallows what the site sends",
    make: (fleet) => blackHole(fleet, "site"),
    finds: ["oslo: link-stale"],
    evidence: { "link-stale": /the site sent [1-9]\d* and the hub received 0/ },
    cure: endTheSpoiltLink,
    says: "kill the site's server",
    cause: { "link-stale": /what the site sends does not reach the hub/ },
  },
  {
    name: "a device on the path that drops the source's requests, for longer than the server waits between two",
    make: async (fleet) => {
      const proxy = await throughProxy(fleet);
      proxy.swallow("hub", /\.CONSUMER\.CREATE\./);
      // Its consumer at the site goes with the server.
      await whileStopped(fleet.site("oslo").folder, () => undefined);
      await until("nothing was heard of it for 2.5 minutes", () => isQuietFor(fleet, 151_000), 200_000);
    },
    finds: ["oslo: source-silent"],
    evidence: { "source-silent": /source EVENTS: active (never|1[5-9]\d{4} ms ago).*it has no consumer at the site/ },
  },
  {
    name: "two sites in one account of the hub",
    make: (fleet) =>
      misconfigureHub(fleet, (config) => {
        config.accounts.OSLO!.users.push(takeLinkUser(config, "BERGEN"));
        for (const user of config.accounts.OSLO!.users) delete user.permissions;
      }),
    finds: [
      "bergen: isolation-broken",
      "bergen: isolation-broken",
      "bergen: wrong-account-on-hub",
      "oslo: isolation-broken",
      "oslo: isolation-broken",
      "oslo: isolation-broken",
      "oslo: link-doubled",
    ],
    evidence: { "isolation-broken": /answered|heard/, "link-doubled": /oslo -> OSLO; bergen -> OSLO/ },
  },
];
