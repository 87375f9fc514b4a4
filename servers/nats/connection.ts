import { splitUrls } from "../../configs/text/address";
import { connect, ErrorCode, NatsConnection, NatsError } from "nats";
import { createConnection } from "node:net";
import { Refusal } from "../../machine/refusal";
import { nkeyLogin } from "./authenticator";

/** How a client reaches a server: `nats://host:port`, and the seed of its nkey. */
export interface Access {
  /** Of a hub of several servers those of all of them, joined: any of them will do. */
  url: string;
  seed: string;
  /**
   * A site whose server is meant, reached through the hub that `url` names: `seed` is its operator's there. Absent for
   * the server that `url` names itself.
   */
  site?: string;
}

const siteByConnection = new WeakMap<NatsConnection, string>();

/** The site that a connection to the hub is for. */
export const siteBehind = (connection: NatsConnection): string | undefined => siteByConnection.get(connection);

const CONNECT_TIMEOUT_MS = 2_000;

/** Connects without reconnecting: a server that goes away ends the work on it at once. Of several servers the first that answers. */
export async function open({ url, seed, site }: Access, timeout = CONNECT_TIMEOUT_MS): Promise<NatsConnection> {
  let failure: unknown;
  for (const servers of splitUrls(url)) {
    try {
      const connection = await dial(servers, seed, timeout);
      if (site !== undefined) siteByConnection.set(connection, site);
      return connection;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** A while for what the client itself does once its time is over. */
const GRACE_MS = 500;

/** The client's own time-out does not count while a name is looked up, which takes 20 s where no one answers that. */
async function dial(servers: string, seed: string, timeout: number): Promise<NatsConnection> {
  const connecting = connect({
    servers,
    authenticator: nkeyLogin(seed),
    timeout,
    reconnect: false,
    maxReconnectAttempts: 0,
    name: "nats-hub-leaf",
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(NatsError.errorForCode(ErrorCode.Timeout)), timeout + GRACE_MS);
  });
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    void connecting.then(
      (connection) => connection.close(),
      () => undefined,
    );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const pool = new Map<string, Promise<NatsConnection>>();

/** A connection shared by everything in this process that has the same access; opened again once it is closed. */
export async function shared(access: Access): Promise<NatsConnection> {
  const key = `${access.url} ${access.seed} ${access.site ?? ""}`;
  const pooled = await pool.get(key)?.catch(() => undefined);
  if (pooled !== undefined && !pooled.isClosed()) return pooled;
  const opening = open(access);
  pool.set(key, opening);
  return opening;
}

/** Closes what `shared` opened, or of that what goes to the given URLs. */
export async function closeShared(urls?: readonly string[]): Promise<void> {
  const closing = [...pool].filter(([key]) => urls?.some((url) => key.startsWith(`${url} `)) ?? true);
  for (const [key] of closing) pool.delete(key);
  await Promise.all(closing.map(async ([, connection]) => (await connection.catch(() => undefined))?.close()));
}

/** Whether the server refused the key, as opposed to not being there. */
export const isAuthorizationError = (error: unknown): boolean =>
  error instanceof NatsError &&
  (error.code === ErrorCode.AuthorizationViolation || error.code === ErrorCode.AuthenticationExpired);

/** Whether no one answers the subject. */
export const isNoResponders = (error: unknown): boolean =>
  error instanceof NatsError && error.code === ErrorCode.NoResponders;

/** Whether the answer did not come in time. */
export const isTimeout = (error: unknown): boolean => error instanceof NatsError && error.code === ErrorCode.Timeout;

/** What a server says of itself before any authentication. */
export interface ServerInfo {
  server_id: string;
  server_name: string;
  version: string;
  nonce?: string;
  leafnode_urls?: string[];
  max_payload?: number;
  domain?: string;
  /** Name of its cluster; of a server that is alone, its own. */
  cluster?: string;
}

export interface Endpoint {
  host: string;
  port: number;
}

/** Host and port of `nats://host:port`; of several joined addresses those of the first. */
export function endpointOf(urls: string): Endpoint {
  const [url = ""] = splitUrls(urls);
  const { hostname, port } = new URL(url.replace(/^[a-z-]+:/, "http:"));
  // An IPv6 address is in brackets only in a URL.
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/**
 * Speaks with a NATS listener by hand: reads its INFO, sends what `reply` returns, and resolves with all that the
 * listener said until `until` matches, it closed, or the time is over. Needed where no client can: a leaf login.
 */
export function converse(
  { host, port }: Endpoint,
  { reply, until, timeoutMs }: { reply?: (info: ServerInfo) => string; until?: RegExp; timeoutMs: number },
): Promise<{ info: ServerInfo; said: string }> {
  return new Promise((resolve, reject) => {
    let said = "";
    let info: ServerInfo | undefined;
    const socket = createConnection({ host, port });
    const settle = () => {
      socket.destroy();
      // A server that accepts no more connections says so instead of who it is.
      if (info === undefined) reject(new Refusal(`${host}:${port} does not answer as a NATS server\n${said}`.trim()));
      else resolve({ info, said });
    };
    socket.setTimeout(timeoutMs, settle);
    const timer = setTimeout(settle, timeoutMs);
    socket.on("error", (error) => (info === undefined ? reject(error) : settle()));
    socket.on("close", () => {
      clearTimeout(timer);
      settle();
    });
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1");
      const line = /^INFO (\{.*\})\s*\r\n/m.exec(said)?.[1];
      if (info === undefined && line !== undefined) {
        info = JSON.parse(line) as ServerInfo;
        if (reply === undefined) settle();
        else socket.write(reply(info));
      } else if (until?.test(said) === true) settle();
    });
  });
}

/** Time in which a server must say who it is; one that is down refuses at once. */
const ID_TIMEOUT_MS = 3_000;

/** The running server's own identity, read without logging in; undefined when nothing answers in time. */
export async function serverInfo(url: string, timeoutMs = ID_TIMEOUT_MS): Promise<ServerInfo | undefined> {
  try {
    return (await converse(endpointOf(url), { timeoutMs })).info;
  } catch {
    return undefined;
  }
}
