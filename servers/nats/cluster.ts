import { NatsConnection } from "nats";
import { present } from "../../configs/values";
import { ClosedLink } from "../../diagnosis/foreign/links";
import { Access, shared } from "./connection";
import { Refusal, messageOf } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import { ask, askAll, routes } from "./asking";

/** What the servers of one cluster say together, asked as the system account of one of them. */

/** The names of the other servers of the cluster. */
export const otherNames = async (connection: NatsConnection): Promise<string[]> => [
  ...new Set((await routes(connection)).flatMap(({ remote_name: name }) => name ?? [])),
];

interface Closed {
  now: string;
  connections?:
    { kind?: string; name?: string; reason?: string; ip: string; authorized_user?: string; stop?: string }[] | null;
}

/** `state` of CONNZ. */
const CLOSED = 1;

/** The leaf links that the servers of the cluster closed, as far back as they remember; the latest first. */
export async function closedLinksOfCluster(connection: NatsConnection): Promise<ClosedLink[]> {
  const options = { state: CLOSED, auth: true, sort: "stop", limit: 10_000 };
  const answers = await askAll<Closed>(connection, "CONNZ", options);
  const links = answers.flatMap(({ data: { now, connections } }) =>
    (connections ?? []).flatMap(({ kind, name = "", reason, ip, authorized_user: user, stop }): ClosedLink[] =>
      kind === "Leafnode" && reason !== undefined && stop !== undefined
        ? [
            {
              name,
              reason,
              ip,
              ...present({ user }),
              stoppedMsAgo: Date.parse(now) - Date.parse(stop),
            },
          ]
        : [],
    ),
  );
  return links.sort((a, b) => a.stoppedMsAgo - b.stoppedMsAgo);
}

/** A group of servers that hold the same, and the one that leads them. */
export interface Group {
  leader?: string;
  replicas?: { name: string; current: boolean; offline?: boolean; lag?: number }[];
}

/** What the answering server knows of the cluster's JetStream. */
interface Known {
  meta_cluster?: Group;
  account_details?: { name: string; stream_detail?: { name: string; cluster?: Group }[] }[];
}

/** The server that leads the cluster's JetStream, as the answering server knows it; undefined when it knows none. */
export async function metaLeader(connection: NatsConnection): Promise<string | undefined> {
  const { leader = "" } = (await ask<Known>(connection, "JSZ")).meta_cluster ?? {};
  return leader === "" ? undefined : leader;
}

/** What is not in order at one server of a cluster: the streams that it leads, and those that nobody leads. */
export async function notInOrder(access: Access): Promise<string[]> {
  const connection = await shared(access);
  const options = { accounts: true, streams: true, limit: 10_000 };
  const { meta_cluster: meta, account_details: accounts = [] } = await ask<Known>(connection, "JSZ", options);
  const { server_name: own = "" } = connection.info ?? {};
  const streams = accounts.flatMap(({ name: account, stream_detail: held = [] }) =>
    held.map(({ name, cluster }) => ({ what: `stream ${account}/${name}`, group: cluster })),
  );
  return [{ what: "JetStream", group: meta }, ...streams].flatMap(
    ({ what, group: { leader = "", replicas = [] } = {} }) => {
      if (leader === "") return [`${what} has no leader that ${own} knows of`];
      const behind = leader === own ? replicas.filter(({ current, offline = false }) => !current || offline) : [];
      return behind.map(({ name }) => `${what}: ${name} is behind`);
    },
  );
}

/** What is not in order at the servers of a cluster, in words: while there is anything, none of them may be stopped. */
export async function clusterTroubles(members: readonly Access[]): Promise<string[]> {
  const looks = members.map((access) =>
    notInOrder(access).catch((error: unknown) => [`${access.url} does not answer: ${messageOf(error)}`]),
  );
  return (await Promise.all(looks)).flat();
}

/** An election takes 4 to 8 s. */
const ELECTION_MS = 30_000;

/** The servers of the cluster, by URL, that know no leader or do not answer. */
async function withoutLeader(members: readonly Access[]): Promise<string[]> {
  const asked = members.map(async (access) => {
    const leader = await shared(access)
      .then(metaLeader)
      .catch(() => undefined);
    return leader === undefined ? [access.url] : [];
  });
  return (await Promise.all(asked)).flat();
}

/** Whether every one of the servers knows a leader: they work, whatever became of another one. */
export const allKnowLeader = async (members: readonly Access[]): Promise<boolean> =>
  (await withoutLeader(members)).length === 0;

/** Waits until every server of the cluster knows a leader. Errors: a Refusal that says which does not. */
export async function waitForLeader(members: readonly Access[]): Promise<void> {
  const look = () => withoutLeader(members);
  const without = await lookUntil(look, (urls) => urls.length === 0, { within: ELECTION_MS, every: 50 });
  if (without.length === 0) return;
  throw new Refusal(
    `the hub's JetStream has no leader after ${ELECTION_MS / 1000} s that ${without.join(", ")} knows of: ` +
      "more than half of its servers must run and reach each other; see their logs, then run 'pulumi up' again",
  );
}

/** Waits until no server of the cluster has anything out of order. Errors: a Refusal that says what is. */
export async function waitForOrder(members: readonly Access[], otherwise: string): Promise<void> {
  const patience = { within: ELECTION_MS, every: 100 };
  const troubles = await lookUntil(
    () => clusterTroubles(members),
    (found) => found.length === 0,
    patience,
  );
  if (troubles.length > 0) throw new Refusal(`${otherwise}: ${troubles.join("; ")}`);
}

/** A server whose disk was lost is filled by the others: gigabytes take minutes. */
const FILLED_MS = 600_000;

/**
 * Waits until a server that was started beside others knows a leader and has its copies; what is wrong with others is
 * another matter. Errors: a Refusal that says what it lacks.
 *
 * @param note hears what it lacks when it takes longer than an election.
 */
export async function waitUntilFilled(
  name: string,
  own: Access,
  others: readonly Access[],
  note: (troubles: readonly string[]) => void,
): Promise<void> {
  const isItsOwn = (trouble: string): boolean => trouble.includes(` ${name} `) || trouble.startsWith(own.url);
  const wait = (within: number): Promise<string[]> =>
    lookUntil(
      async () => (await clusterTroubles([...others, own])).filter(isItsOwn),
      (found) => found.length === 0,
      { within, every: 100 },
    );
  let troubles = await wait(ELECTION_MS);
  if (troubles.length === 0) return;
  note(troubles);
  troubles = await wait(FILLED_MS);
  if (troubles.length > 0)
    throw new Refusal(
      `${name} was started, and lacks copies after ${FILLED_MS / 60_000} minutes: ${troubles.join("; ")}`,
    );
}

/** Whether a stream of the account has a leader, as the answering server knows it; undefined when it cannot tell. */
export async function hasLeader(
  connection: NatsConnection,
  account: string,
  stream: string,
): Promise<boolean | undefined> {
  const options = { account, accounts: true, streams: true, limit: 10_000 };
  const { meta_cluster: meta, account_details: accounts = [] } = await ask<Known>(connection, "JSZ", options);
  if (meta === undefined) return undefined;
  const found = accounts.find(({ name }) => name === account)?.stream_detail?.find(({ name }) => name === stream);
  return ((found === undefined ? meta : found.cluster)?.leader ?? "") !== "";
}
