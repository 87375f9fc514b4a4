import { NatsConnection } from "nats";
import { ServerFacts } from "../diagnosis/facts";
import { maskOutput } from "./nats-server-binary";
import { storeFailure } from "./nats/system";
import { ServerHost } from "./server-host";

/** Whether a server's store takes what is stored, and the room that it has. Read-only. */

/** What the log says of a write that failed, and of a JetStream that switched itself off for it. */
const OF_A_STORE = /no space left|quota exceeded|read-only file system|permission denied|input\/output error/i;

/** The last reason in the log since the server was started; undefined when it says none. */
async function reasonInLog(host: ServerHost): Promise<string | undefined> {
  const lines = (await host.log().catch(() => "")).split("\n");
  const sinceStart = lines.slice(lines.findLastIndex((line) => line.includes("Starting nats-server")) + 1);
  const said = sinceStart.findLast((line) => /\[(ERR|WRN)\]/.test(line) && OF_A_STORE.test(line));
  return said === undefined ? undefined : maskOutput(said.replace(/^.*\[(ERR|WRN)\] /, ""));
}

/** Errors: the client's when the server does not answer. */
export async function storeState(
  connection: NatsConnection,
  host: ServerHost | undefined,
  account?: string,
): Promise<Pick<ServerFacts, "storeFailure" | "room">> {
  const failure = await storeFailure(connection, account);
  const room = host?.room();
  const reason = failure === undefined || OF_A_STORE.test(failure) || !host ? undefined : await reasonInLog(host);
  return {
    ...(failure === undefined ? {} : { storeFailure: reason === undefined ? failure : `${failure}: ${reason}` }),
    ...(room === undefined ? {} : { room }),
  };
}
