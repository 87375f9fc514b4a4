import { overlaps } from "../../../configs/subjects";
import { draft } from "../finding";
import { Hub, Link, accountOf } from "../links";
import { Rule, hasHub, place } from "../rule";
import {
  ConfigServer,
  GLOBAL_ACCOUNT,
  areNeighbours,
  areOne,
  hasJetStream,
  isCoreOnly,
  isSystemAccount,
  ownAccounts,
} from "../server";

/** Rules over JetStream: domains, accounts, and what becomes of stored messages. */

export const domains: Rule<ConfigServer> = function* (server, { fleet }) {
  const { jetstream, remotes } = server;
  if (jetstream === undefined) return;
  const { domain, at } = jetstream;
  if (domain === undefined && remotes.length > 0) {
    yield draft("leaf-without-domain", server, at, {
      evidence: "jetstream without domain, on a server with leafnodes.remotes",
    });
  }
  if (domain === undefined) return;
  if (domain.value.includes(".")) {
    yield draft("domain-with-dot", server, domain.at, { evidence: `domain: ${domain.value}` });
  }
  const hubs = new Set(fleet.links.filter(({ leaf }) => leaf === server).map(({ hub }) => hub));
  for (const hub of hubs) {
    if (hub?.jetstream?.domain?.value !== domain.value) continue;
    yield draft("equal-domains", server, domain.at, {
      evidence: `domain: ${domain.value} here and at ${place(hub.jetstream.domain.at)}`,
    });
  }
};

/** The finding names the later one of two leaf servers. */
export const doubledDomains: Rule<Link> = function* (link, { fleet }) {
  const domain = link.leaf.jetstream?.domain;
  const account = accountOf(link);
  if (domain === undefined || account === undefined) return;
  const earlier = fleet.links.slice(0, fleet.links.indexOf(link)).find(
    (other) =>
      other.leaf !== link.leaf &&
      // The JetStream of a cluster has one domain.
      !areOne(other.leaf, link.leaf) &&
      other.hub === link.hub &&
      accountOf(other) === account &&
      other.leaf.jetstream?.domain?.value === domain.value,
  );
  const other = earlier?.leaf.jetstream?.domain;
  if (other === undefined) return;
  yield draft("domain-doubled", link.leaf, domain.at, {
    evidence: `domain: ${domain.value} here and at ${place(other.at)}; both link to account ${account} of ${link.hub?.file ?? "the hub"}`,
  });
};

/** Whether an account with JetStream takes its share of what `account` gets from its leaf servers. */
const isImported = (hub: Hub, account: string): boolean =>
  ownAccounts(hub).some(
    ({ name, imports }) =>
      name !== account &&
      hasJetStream(hub, name) &&
      imports.some(
        ({ kind, subject, accounts = [] }) =>
          kind === "service" && accounts.includes(account) && overlaps(subject, "$JS.*.API.CONSUMER.>"),
      ),
  );

export const accountsWithStreams: Rule<Link> = function* (link, { fleet }) {
  const { leaf, local, remote } = link;
  if (link.hub !== undefined && isCoreOnly(link.hub)) return;
  // A link of the system account carries no streams, and another account may carry core messages beside one that does.
  if (isSystemAccount(leaf, local)) return;
  const hasOther = fleet.links.some(
    (other) => other.leaf === leaf && other !== link && hasJetStream(leaf, other.local),
  );
  if (hasOther && !hasJetStream(leaf, local)) return;
  if (leaf.jetstream === undefined) {
    const account = accountOf(link);
    if (link.hub !== undefined && account !== undefined && !hasJetStream(link.hub, account)) return;
    yield draft("leaf-without-jetstream", leaf, leaf.at, { evidence: "the file has no jetstream that is on" });
    return;
  }
  const isKnown = local === GLOBAL_ACCOUNT || leaf.accounts.some(({ name }) => name === local);
  const bindsOwn = remote.account !== undefined || ownAccounts(leaf).length === 0;
  if (leaf.accountsElsewhere === undefined && isKnown && bindsOwn && !hasJetStream(leaf, local)) {
    yield draft("leaf-account-without-jetstream", leaf, remote.account?.at ?? remote.at, {
      evidence: `account ${local} has no jetstream`,
    });
  }
  const account = accountOf(link);
  // Where the link comes out by mistake says nothing.
  const isMeant = link.landing.is === "user" || link.landing.is === "leaf-login";
  if (!hasHub(link) || account === undefined || !isMeant) return;
  if (hasJetStream(link.hub, account) || isImported(link.hub, account)) return;
  const at = account === GLOBAL_ACCOUNT ? link.hub.at : link.hub.accounts.find(({ name }) => name === account)?.at;
  if (at === undefined) return;
  const why = link.hub.jetstream === undefined ? "the server has none" : `account ${account} has none`;
  yield draft("hub-account-without-jetstream", link.hub, at, {
    evidence: `${leaf.label} links to account ${account}; jetstream: ${why}`,
  });
};

const TEMPORARY = /^\/(tmp|var\/tmp|dev\/shm|run)(\/|$)/;
const DEFAULT_STORE = "/tmp/nats/jetstream";

export const storage: Rule<ConfigServer> = function* (server) {
  const { jetstream, remotes } = server;
  if (jetstream === undefined) return;
  const { storeDir, syncInterval, at } = jetstream;
  if (remotes.length > 0 && syncInterval === undefined) {
    yield draft("sync-interval", server, at, { evidence: "jetstream without sync_interval" });
  }
  if (storeDir === undefined) {
    yield draft("store-in-tmp", server, at, {
      evidence: `jetstream without store_dir: the default is ${DEFAULT_STORE}`,
    });
  } else if (TEMPORARY.test(storeDir.value)) {
    yield draft("store-in-tmp", server, storeDir.at, { evidence: `store_dir: ${storeDir.value}` });
  }
};

/** Only for servers that are certainly on one machine: the same folder on two machines is normal. */
export const sharedStores: Rule<ConfigServer> = function* (server, { fleet }) {
  const store = storeOf(server);
  if (store === undefined) return;
  const earlier = fleet.servers
    .slice(0, fleet.servers.indexOf(server))
    .find((other) => storeOf(other) === store && areNeighbours(server, other, fleet.links));
  if (earlier === undefined) return;
  const at = server.jetstream?.storeDir?.at ?? server.at;
  yield draft("store-shared", server, at, { evidence: `store_dir: ${store} here and in ${earlier.file}` });
};

const storeOf = ({ jetstream }: ConfigServer): string | undefined =>
  jetstream === undefined ? undefined : (jetstream.storeDir?.value ?? DEFAULT_STORE).replace(/\/+$/, "");

export const payloads: Rule<Link> = function* ({ leaf, hub }) {
  if (hub === undefined || leaf.maxPayload.value <= hub.maxPayload.value) return;
  yield draft("max-payload", hub, hub.maxPayload.at, {
    evidence: `max_payload ${hub.maxPayload.value} on the hub, ${leaf.maxPayload.value} at ${leaf.label} (${place(leaf.maxPayload.at)})`,
  });
};
