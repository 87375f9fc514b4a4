import { NatsConnection } from "nats";
import { ServerFacts } from "../../diagnosis/facts";
import { Access, shared } from "../nats/connection";
import { LeafLink, accountStatus, jetStreamConfig, leafLinks, linksWithSubjects, varz } from "../nats/system";
import { messageOf } from "../refusal";

/** What a server of a link says of itself. */

const READ_TIMEOUT_MS = 3_000;

/** What is read in time; undefined for what cannot be read, for whatever reason. */
export async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, READ_TIMEOUT_MS, undefined)));
  try {
    return await Promise.race([reading.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Where JetStream is off, of the server itself and these accounts; "on" when it is on in all. */
async function jetStreamOf(connection: NatsConnection, isOn: boolean, accounts: readonly string[]): Promise<string> {
  if (!isOn) return "off in the server";
  const known = await Promise.all(accounts.map((account) => readable(accountStatus(connection, account))));
  const off = known.filter((account) => account?.jetstream_enabled === false);
  return off.length === 0 ? "on" : `off in account ${off.map((account) => account?.account_name).join(" and ")}`;
}

/** The server's own facts, and all leaf links that it has, those of the account with their subjects. Never throws. */
export async function serverFacts(
  access: Access,
  account: string,
  collecting: readonly string[],
): Promise<{ facts: ServerFacts; links: LeafLink[] }> {
  try {
    const connection = await shared(access);
    const [links, config, withSubjects, status] = await Promise.all([
      leafLinks(connection),
      jetStreamConfig(connection),
      // With very many subjects the answer is larger than a message may be.
      readable(linksWithSubjects(connection, account)),
      readable(varz(connection)),
    ]);
    const facts: ServerFacts = {
      domain: config?.domain ?? "",
      jetStream: await jetStreamOf(connection, config !== undefined, collecting),
    };
    if (status !== undefined) {
      facts.maxPayload = status.max_payload;
      facts.upMs = Date.parse(status.now) - Date.parse(status.start);
    }
    return { facts, links: links.map((link) => withSubjects?.find(({ id }) => id === link.id) ?? link) };
  } catch (error) {
    const where = access.site === undefined ? access.url : `site ${access.site} through the hub at ${access.url}`;
    return { facts: { unreachable: `${where}: ${messageOf(error)}` }, links: [] };
  }
}
