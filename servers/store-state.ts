import { NatsConnection } from "nats";
import { ServerFacts } from "../diagnosis/facts/facts";
import { maskOutput } from "./nats-server-binary";
import { SAME_LOOK_MS, ask } from "./nats/asking";
import { sinceStart } from "./server-end";
import { ServerHost } from "./server-host";
import { present } from "../configs/values";

/** Whether a server's store takes what is stored, and the room that it has. Read-only. */

/** What the log says of a write that failed, and of a JetStream that switched itself off for it. */
const OF_A_STORE = /no space left|quota exceeded|read-only file system|permission denied|input\/output error/i;

/** A store that could not write: the server itself reports it only when the next message is refused. */
const WRITE_ERROR = /^Filestore \[[^\]]*\] Critical write error: /;

/** The errors and warnings in the log since the server was started. They may hold seeds. */
export const troublesIn = async (host: ServerHost | undefined): Promise<string[]> =>
  sinceStart(((await host?.log().catch(() => "")) ?? "").split("\n"))
    .filter((line) => /\[(ERR|WRN)\] /.test(line))
    .map((line) => line.replace(/^.*?\[(ERR|WRN)\] /, ""));

/** The last one of a kind, seeds masked. */
function lastOf(troubles: readonly string[], kind: RegExp): string | undefined {
  const last = troubles.findLast((line) => kind.test(line));
  return last === undefined ? undefined : maskOutput(last);
}

interface HealthError {
  type: string;
  error: string;
}

/**
 * Why the server's JetStream stores nothing more, in its own words: it switched itself off although the configuration
 * has it, or a stream cannot write. It stays so until a restart. undefined when nothing is known to be wrong.
 */
async function storeFailure(connection: NatsConnection, account?: string): Promise<string | undefined> {
  const options = { details: true, ...present({ account }) };
  // Only looks ask for an account.
  const maxAgeMs = account === undefined ? 0 : SAME_LOOK_MS;
  const { errors = [] } = await ask<{ errors?: HealthError[] }>(connection, "HEALTHZ", options, maxAgeMs);
  const failed = errors.find(({ type, error }) =>
    type === "JETSTREAM" ? /not enabled/i.test(error) : type === "STREAM" && /write error/i.test(error),
  );
  return failed?.type === "JETSTREAM" ? "JetStream switched itself off" : failed?.error;
}

/**
 * Pass `troubles` when asking for several accounts, so that the log is read once.
 * Errors: the client's when the server does not answer.
 */
export async function storeState(
  connection: NatsConnection,
  host: ServerHost | undefined,
  account?: string,
  troubles = troublesIn(host),
): Promise<Pick<ServerFacts, "storeFailure" | "room">> {
  const room = host?.room();
  const said = await troubles;
  const failure = (await storeFailure(connection, account)) ?? lastOf(said, WRITE_ERROR);
  const isKnown = failure === undefined || OF_A_STORE.test(failure);
  const reason = isKnown ? undefined : lastOf(said, OF_A_STORE);
  return {
    ...(failure === undefined ? {} : { storeFailure: reason === undefined ? failure : `${failure}: ${reason}` }),
    ...present({ room }),
  };
}
