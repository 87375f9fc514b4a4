import { NatsConnection } from "nats";
import { present } from "../../configs/values";
import { ClosedLink } from "../../diagnosis/foreign/links";
import { Answer, LeafLink, ask, leafLinks, linksWithSubjects, said } from "./system";

/** What the servers of one cluster say together, asked as the system account of one of them. */

interface Route {
  remote_id: string;
  remote_name?: string;
}

const routes = async (connection: NatsConnection): Promise<Route[]> =>
  (await ask<{ routes?: Route[] | null }>(connection, "ROUTEZ")).routes ?? [];

/** What every other server of the cluster answers; one that does not answer has nothing to tell. */
async function ofOthers<T>(connection: NatsConnection, request: string, options: object = {}): Promise<T[]> {
  const ids = [...new Set((await routes(connection)).map(({ remote_id }) => remote_id))];
  const asked = ids.map((id) =>
    said<Answer<T>>(connection, `$SYS.REQ.SERVER.${id}.${request}`, options).then(
      ({ data }) => data,
      () => undefined,
    ),
  );
  return (await Promise.all(asked)).filter((one) => one !== undefined);
}

/** The names of the other servers of the cluster. */
export const otherNames = async (connection: NatsConnection): Promise<string[]> => [
  ...new Set((await routes(connection)).flatMap(({ remote_name: name }) => name ?? [])),
];

/** The leaf links of all servers of the cluster: a link ends at one of them, which need not be the one that answers. */
export async function leafLinksOfCluster(connection: NatsConnection): Promise<LeafLink[]> {
  const others = await ofOthers<{ leafs?: LeafLink[] | null }>(connection, "LEAFZ");
  return [...(await leafLinks(connection)), ...others.flatMap(({ leafs }) => leafs ?? [])];
}

/** The leaf links of one account at all servers of the cluster, with the subjects that the other ends ask for. */
export async function linksWithSubjectsOfCluster(connection: NatsConnection, account: string): Promise<LeafLink[]> {
  const options = { account, subscriptions: true };
  const others = await ofOthers<{ leafs?: LeafLink[] | null }>(connection, "LEAFZ", options);
  return [...(await linksWithSubjects(connection, account)), ...others.flatMap(({ leafs }) => leafs ?? [])];
}

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
  const answers = [
    await ask<Closed>(connection, "CONNZ", options),
    ...(await ofOthers<Closed>(connection, "CONNZ", options)),
  ];
  const links = answers.flatMap(({ now, connections }) =>
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

/** Whether a stream of the account has a leader, as the answering server knows it; undefined when it cannot tell. */
export async function hasLeader(
  connection: NatsConnection,
  account: string,
  stream: string,
): Promise<boolean | undefined> {
  interface Detail {
    name: string;
    cluster?: { leader?: string };
  }
  const { meta_cluster: meta, account_details: accounts = [] } = await ask<{
    meta_cluster?: { leader?: string };
    account_details?: { name: string; stream_detail?: Detail[] }[];
  }>(connection, "JSZ", { account, accounts: true, streams: true, limit: 10_000 });
  if (meta === undefined) return undefined;
  const found = accounts.find(({ name }) => name === account)?.stream_detail?.find(({ name }) => name === stream);
  return ((found === undefined ? meta : found.cluster)?.leader ?? "") !== "";
}
