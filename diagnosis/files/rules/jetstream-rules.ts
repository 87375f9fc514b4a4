import { overlaps } from "../../../configs/subjects";
import { draft } from "../finding";
import { Link, accountOf } from "../links";
import { Rule, hasHub, place } from "../rule";
import {
  ConfigServer,
  GLOBAL_ACCOUNT,
  areNeighbours,
  clusterOf,
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

/** Of the servers of one cluster the later one is named: with two domains they are no one JetStream. */
export const clusterDomains: Rule<ConfigServer> = function* (server, { fleet }) {
  const { jetstream } = server;
  const earlier = fleet.servers
    .slice(0, fleet.servers.indexOf(server))
    .find((other) => areOne(other, server) && other.jetstream !== undefined);
  const [own, other] = [jetstream?.domain?.value, earlier?.jetstream?.domain?.value];
  if (jetstream === undefined || earlier?.jetstream === undefined || own === other) return;
  yield draft("cluster-domains", server, jetstream.domain?.at ?? jetstream.at, {
    evidence: `domain: ${own ?? "none"} here and ${other ?? "none"} at ${place(earlier.jetstream.domain?.at ?? earlier.jetstream.at)}`,
  });
};

/** The hub's requests for a stream go to the server that leads it, and cross no route of the site. */
export const linksOfSite: Rule<ConfigServer> = function* (server, { fleet }) {
  if (server.jetstream === undefined || server.remotes.length > 0 || server.listener !== undefined) return;
  const linked = clusterOf(server, fleet.servers).find((other) => other.remotes.length > 0);
  if (linked === undefined) return;
  yield draft("site-server-without-link", server, server.cluster?.at ?? server.at, {
    evidence: `${linked.label} of the same cluster has leafnodes.remotes, ${server.label} has none`,
  });
};

/** A cluster counts all its servers for a leader of JetStream, also those that keep no streams. */
export const clusterQuorum: Rule<ConfigServer> = function* (server, { fleet }) {
  const cluster = clusterOf(server, fleet.servers);
  const [first] = fleet.servers.filter((one) => cluster.includes(one));
  const keep = cluster.filter(({ jetstream }) => jetstream !== undefined);
  if (server !== first || cluster.length < 2 || keep.length === 0 || 2 * keep.length > cluster.length) return;
  yield draft("cluster-without-quorum", server, server.cluster?.at ?? server.at, {
    evidence: `of ${cluster.length} servers ${keep.length} ${keep.length === 1 ? "has" : "have"} jetstream: ${keep.map(({ label }) => label).join(", ")}`,
  });
};

/** Of two leaf servers the later one is named. */
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
const isImported = (hub: ConfigServer, account: string): boolean =>
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
  if (link.hub?.accountsElsewhere !== undefined) return;
  const isMeant = link.landing.is === "user" || link.landing.is === "leaf-login";
  if (!hasHub(link) || account === undefined || !isMeant) return;
  // In a cluster any server may keep the streams.
  const hubs = clusterOf(link.hub, fleet.servers);
  // That too few of them do is said of the cluster.
  if (hubs.some(({ jetstream }) => jetstream !== undefined) && link.hub.jetstream === undefined) return;
  if (hubs.some((hub) => hasJetStream(hub, account) || isImported(hub, account))) return;
  const at = account === GLOBAL_ACCOUNT ? link.hub.at : link.hub.accounts.find(({ name }) => name === account)?.at;
  if (at === undefined) return;
  const why = link.hub.jetstream === undefined ? "the server has none" : `account ${account} has none`;
  yield draft("hub-account-without-jetstream", link.hub, at, {
    evidence: `${leaf.label} links to account ${account}; jetstream: ${why}`,
  });
};

/** Less than a message of usual size. */
const TOO_LITTLE = 64 * 1024;

/** Limits that leave no room for a stream. */
export const storageLimits: Rule<ConfigServer> = function* (server) {
  const { jetstream } = server;
  if (jetstream === undefined) return;
  if (jetstream.maxFile !== undefined && jetstream.maxFile.value > 0 && jetstream.maxFile.value < TOO_LITTLE) {
    yield draft("no-room-for-streams", server, jetstream.maxFile.at, {
      evidence: `the server's max_file_store is ${jetstream.maxFile.value} bytes`,
    });
  }
};

/** Limits of the accounts in which a link's streams would be kept; 0 in another one says that it keeps none. */
export const roomForStreams: Rule<Link> = function* (link) {
  const landed = accountOf(link);
  const { hub, leaf, local } = link;
  const keepsItself = hub !== undefined && landed !== undefined && !isImported(hub, landed);
  const ends = [{ server: leaf, name: local }, ...(keepsItself ? [{ server: hub, name: landed }] : [])];
  const accountAt = ({ server, name }: (typeof ends)[number]) => server.accounts.find((one) => one.name === name);
  for (const end of ends) {
    const { server, name } = end;
    const account = accountAt(end);
    const bytes = account?.storage?.value ?? TOO_LITTLE;
    // 0 says that it keeps no streams.
    if (account?.storage === undefined || !account.jetstream || bytes === 0 || bytes >= TOO_LITTLE) continue;
    yield draft("no-room-for-streams", server, account.storage.at, {
      evidence: `max_file and max_mem of account ${name} are ${account.storage.value} bytes together`,
    });
  }
};

/** What an account allows its links. */
export const linkLimits: Rule<Link> = function* (link) {
  const name = accountOf(link);
  const found = link.hub?.accounts.find((one) => one.name === name);
  if (link.hub === undefined || found?.limits === undefined || name === undefined) return;
  const { leafnodes, payload } = found.limits;
  if (leafnodes?.value === 0) {
    yield draft("no-leaf-links-allowed", link.hub, leafnodes.at, { evidence: `max_leafnodes of account ${name} is 0` });
  }
  if (payload !== undefined && payload.value >= 0 && payload.value < link.leaf.maxPayload.value) {
    yield draft("max-payload", link.hub, payload.at, {
      evidence: `limits { max_payload } of account ${name} is ${payload.value}, and ${link.leaf.label} takes ${link.leaf.maxPayload.value} bytes`,
      // The requests of sourcing themselves are longer.
      ...(payload.value < 4096 ? { severity: "error" as const } : {}),
    });
  }
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
