import { NatsConnection } from "nats";
import { adminPrefix } from "../../configs/names";
import { Refusal } from "../../machine/refusal";
import { siteBehind } from "./connection";

/** Requests to servers as their system account, and how long an answer serves several looks. */

export interface Answer<T> {
  data?: T;
  error?: { code?: number; description?: string };
}

const REQUEST_TIMEOUT_MS = 5_000;

export async function requestJson<T>(connection: NatsConnection, subject: string, options: object = {}): Promise<T> {
  const message = await connection.request(subject, JSON.stringify(options), { timeout: REQUEST_TIMEOUT_MS });
  return message.json<T>();
}

/** Where the server that is meant takes requests: the one that the connection leads to, or a site's behind the hub. */
async function addressee(connection: NatsConnection): Promise<string> {
  const site = siteBehind(connection);
  if (site === undefined) return `$SYS.REQ.SERVER.${connection.info?.server_id ?? ""}`;
  return `${adminPrefix(site)}.${await serverIdOf(connection, site)}`;
}

/** The id of a site's server, asked through the hub. */
async function serverIdOf(connection: NatsConnection, site: string): Promise<string> {
  const { server } = await requestJson<{ server: { id: string } }>(connection, `${adminPrefix(site)}.PING.VARZ`);
  return server.id;
}

/** How old an answer may be, in milliseconds; 0 asks anew. */
export type MaxAgeMs = number;

/**
 * For a look at a fleet: looks at many sites side by side ask the hub the same, and its answer about all its links is long.
 * Requests of one look differ by as much on a busy machine.
 */
export const SAME_LOOK_MS: MaxAgeMs = 250;

interface RecentAnswer {
  at: number;
  answer: Promise<unknown>;
}

const recentAnswers = new WeakMap<NatsConnection, Map<string, RecentAnswer>>();

/** The answer to the request that was asked less than so long ago, even if it has not come yet. */
function recently<T>(
  connection: NatsConnection,
  key: string,
  maxAgeMs: MaxAgeMs,
  asking: () => Promise<T>,
): Promise<T> {
  const answers = recentAnswers.get(connection) ?? new Map<string, RecentAnswer>();
  recentAnswers.set(connection, answers);
  const now = Date.now();
  for (const [old, { at }] of answers) {
    if (now - at < maxAgeMs) break;
    answers.delete(old);
  }
  const known = answers.get(key);
  if (known !== undefined) return known.answer as Promise<T>;
  const answer = asking();
  answers.set(key, { at: now, answer });
  answer.catch(() => answers.delete(key));
  return answer;
}

/** Asks the server that `connection` leads to. Errors: a Refusal with the server's own words. */
export async function ask<T>(
  connection: NatsConnection,
  request: string,
  options: object = {},
  maxAgeMs: MaxAgeMs = 0,
): Promise<T> {
  const asking = async (): Promise<T> => {
    const answer = await requestJson<Answer<T>>(connection, `${await addressee(connection)}.${request}`, options);
    if (answer.error !== undefined) throw new Refusal(answer.error.description ?? `the server refused ${request}`);
    return answer.data as T;
  };
  return maxAgeMs === 0
    ? await asking()
    : await recently(connection, `${request} ${JSON.stringify(options)}`, maxAgeMs, asking);
}

interface Route {
  remote_id: string;
  remote_name?: string;
}

/**
 * The routes of the server to the others of its cluster; none of a server that is alone. One that dials its own address shows
 * a route to itself for a moment.
 */
export async function routes(connection: NatsConnection, maxAgeMs?: MaxAgeMs): Promise<Route[]> {
  const { cluster, server_id: own } = connection.info ?? {};
  if (cluster === undefined || siteBehind(connection) !== undefined) return [];
  const { routes: all } = await ask<{ routes?: Route[] | null }>(connection, "ROUTEZ", {}, maxAgeMs);
  return (all ?? []).filter(({ remote_id: id }) => id !== own);
}

/**
 * What every server of the cluster answers: first the one that the connection leads to, without its id. One of the others
 * that does not answer has nothing to tell.
 */
export async function askAll<T>(
  connection: NatsConnection,
  request: string,
  options: object = {},
  maxAgeMs: MaxAgeMs = 0,
): Promise<{ server?: string; data: T }[]> {
  const ids = [...new Set((await routes(connection, maxAgeMs)).map(({ remote_id }) => remote_id))];
  const others = ids.map((server) => {
    const subject = `$SYS.REQ.SERVER.${server}.${request}`;
    const asking = () => requestJson<Answer<T>>(connection, subject, options);
    const answer =
      maxAgeMs === 0 ? asking() : recently(connection, `${subject} ${JSON.stringify(options)}`, maxAgeMs, asking);
    return answer.then(
      ({ data }) => (data === undefined ? [] : [{ server, data }]),
      () => [],
    );
  });
  return [{ data: await ask<T>(connection, request, options, maxAgeMs) }, ...(await Promise.all(others)).flat()];
}
