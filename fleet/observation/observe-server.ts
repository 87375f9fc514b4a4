import { NatsConnection } from "nats";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerFacts } from "../../diagnosis/facts/facts";
import { SAME_LOOK_MS } from "../../servers/nats/asking";
import { Access, shared } from "../../servers/nats/connection";
import {
  LeafLink,
  accountStatus,
  flowControlForm,
  jetStreamConfig,
  leafLinks,
  linkName,
  linksWithSubjects,
  varz,
} from "../../servers/nats/system";
import { messageOf } from "../../machine/refusal";
import { refusalOf } from "./observe-application";
import { whyItEnded } from "../../servers/server-end";
import { hostOf } from "../../servers/hosts";
import type { Place, ProcessState, ServerHost } from "../../servers/server-host";
import { storeState, troublesIn } from "../../servers/store-state";
import { present } from "../../configs/values";

/** What a server of a link says of itself. */

const READ_TIMEOUT_MS = 3_000;

/** What is read in time; undefined for what cannot be read, for whatever reason. */
export async function readable<T>(reading: Promise<T>, timeoutMs = READ_TIMEOUT_MS): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, timeoutMs, undefined)));
  try {
    return await Promise.race([reading.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Where JetStream is off, of the server itself and these accounts; "on" when it is on in all. */
async function jetStreamOf(connection: NatsConnection, isOn: boolean, accounts: readonly string[]): Promise<string> {
  if (!isOn) return "off in the server";
  const known = await Promise.all(
    accounts.map((account) => readable(accountStatus(connection, account, SAME_LOOK_MS))),
  );
  const off = known.filter((account) => account?.jetstream_enabled === false);
  return off.length === 0 ? "on" : `off in account ${off.map((account) => account?.account_name).join(" and ")}`;
}

/** The first failure of a store that the accounts have; the room is the server's, whatever the account. */
async function storeOf(
  connection: NatsConnection,
  place: Place | undefined,
  accounts: readonly string[],
): Promise<Pick<ServerFacts, "storeFailure" | "room">> {
  const host = place === undefined ? undefined : hostOf(place);
  const troubles = troublesIn(host);
  const known = await Promise.all(accounts.map((account) => readable(storeState(connection, host, account, troubles))));
  return known.find((state) => state?.storeFailure !== undefined) ?? known[0] ?? {};
}

export interface Asked {
  /** The account that links of the site land in. */
  account: string;
  /** Accounts that need JetStream; none of a server that can only be asked for itself. */
  collecting: readonly string[];
  /** Accounts whose streams must be able to store. */
  storing: readonly string[];
  /** Where the server runs, for its log and its disk. */
  place: Place | undefined;
}

/** The server's own facts, and all leaf links that it has, those of the account with their subjects. Never throws. */
export async function serverFacts(
  access: Access,
  { account, collecting, storing, place }: Asked,
): Promise<{ facts: ServerFacts; links: LeafLink[] }> {
  try {
    const connection = await shared(access);
    const [links, config, withSubjects, status, store] = await Promise.all([
      leafLinks(connection, undefined, SAME_LOOK_MS),
      jetStreamConfig(connection, SAME_LOOK_MS),
      // With very many subjects the answer is larger than a message may be.
      readable(linksWithSubjects(connection, account, SAME_LOOK_MS)),
      readable(varz(connection, SAME_LOOK_MS)),
      storeOf(connection, place, storing),
    ]);
    const facts: ServerFacts = {
      ...store,
      domain: config?.domain ?? "",
      jetStream: await jetStreamOf(connection, config !== undefined, collecting),
    };
    if (status !== undefined) {
      facts.maxPayload = status.max_payload;
      facts.upMs = Date.parse(status.now) - Date.parse(status.start);
      facts.flowControl = flowControlForm(status);
    }
    return {
      facts,
      links: links.map((link) => withSubjects?.find((other) => linkName(other) === linkName(link)) ?? link),
    };
  } catch (error) {
    return { facts: await silence(access, place, error), links: [] };
  }
}

/** What is seen of a server that does not let the system account in. */
async function silence(access: Access, place: Place | undefined, error: unknown): Promise<ServerFacts> {
  const { site, url } = access;
  const where = site === undefined ? url : `site ${site} through the hub at ${url}`;
  // Where it takes no more connections, the client's own words are about its socket.
  const refused = site === undefined ? await refusalOf(url) : undefined;
  const host = place === undefined ? undefined : hostOf(place);
  const state = host === undefined ? undefined : await readable(stateThatLasts(host));
  const ended = host === undefined || state !== "gone" ? undefined : await readable(whyItEnded(host));
  return {
    unreachable: `${where}: ${refused ?? messageOf(error)}`,
    ...present({ process: state, ended }),
  };
}

const FROZEN_MS = 500;

/** A process that gets no time for a moment is not frozen. */
async function stateThatLasts(host: ServerHost): Promise<ProcessState> {
  const state = await host.state();
  if (state !== "frozen") return state;
  await sleep(FROZEN_MS);
  return host.state();
}
