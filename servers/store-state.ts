import { NatsConnection } from "nats";
import { ServerFacts } from "../diagnosis/facts/facts";
import { maskOutput } from "./nats-server-binary";
import { storeFailure } from "./nats/system";
import { sinceStart } from "./server-end";
import { ServerHost } from "./server-host";

/** Whether a server's store takes what is stored, and the room that it has. Read-only. */

/** What the log says of a write that failed, and of a JetStream that switched itself off for it. */
const OF_A_STORE = /no space left|quota exceeded|read-only file system|permission denied|input\/output error/i;

/** A store that could not write: the server itself tells of it only when the next message is refused. */
const WRITE_ERROR = /^Filestore \[[^\]]*\] Critical write error: /;

/** The errors and warnings in the log since the server was started, seeds masked. */
const saidIn = async (host: ServerHost): Promise<string[]> =>
  sinceStart((await host.log().catch(() => "")).split("\n"))
    .filter((line) => /\[(ERR|WRN)\] /.test(line))
    .map((line) => maskOutput(line.replace(/^.*?\[(ERR|WRN)\] /, "")));

/** Errors: the client's when the server does not answer. */
export async function storeState(
  connection: NatsConnection,
  host: ServerHost | undefined,
  account?: string,
): Promise<Pick<ServerFacts, "storeFailure" | "room">> {
  const room = host?.room();
  const said = host === undefined ? [] : await saidIn(host);
  const failure = (await storeFailure(connection, account)) ?? said.findLast((line) => WRITE_ERROR.test(line));
  const isKnown = failure === undefined || OF_A_STORE.test(failure);
  const reason = isKnown ? undefined : said.findLast((line) => OF_A_STORE.test(line));
  return {
    ...(failure === undefined ? {} : { storeFailure: reason === undefined ? failure : `${failure}: ${reason}` }),
    ...(room === undefined ? {} : { room }),
  };
}
