import { NatsConnection } from "nats";
import type { FlowControlForm } from "../../configs/subjects";
import { isAtLeast } from "../../machine/version";
import { MaxAgeMs, ask, askAll, requestJson } from "./asking";
import { present } from "../../configs/values";

/** Requests to a server as its system account, with the fields that this program reads. */

export interface Varz {
  server_id: string;
  server_name: string;
  version: string;
  /** SHA-256 of the configuration in effect, as `nats-server -t` prints it. */
  config_digest: string;
  max_payload: number;
  start: string;
  /** The server's clock. */
  now: string;
  /** Of the configuration, and defaults. */
  feature_flags?: Record<string, boolean>;
}

/** The form of flow control that the server's consumers use. Servers before 2.14, and perhaps later ones, have no flag. */
export const flowControlForm = ({
  feature_flags: flags,
  version,
}: Pick<Varz, "feature_flags" | "version">): FlowControlForm =>
  (flags?.js_ack_fc_v2 ?? isAtLeast(version, "2.16.0")) ? "v2" : "v1";

/** One leaf link. `account` is the account on the answering server. */
export interface LeafLink {
  /** Id of the server at which it ends, when that is another one of the cluster than the connection leads to. */
  server?: string;
  id: number;
  name: string;
  account: string;
  /** The other end's address. */
  ip?: string;
  port?: number;
  rtt?: string;
  in_msgs: number;
  out_msgs: number;
  /** Whether the answering server opened it; absent before 2.10. */
  is_spoke?: boolean;
  /** What the other end wants to be sent; only when it was asked for. */
  subscriptions_list?: string[];
}

export interface AccountStatus {
  account_name: string;
  jetstream_enabled: boolean;
  leafnode_connections: number;
  exports?: { subject: string; type: "service" | "stream"; approved_accounts?: string[] }[];
  imports?: { subject: string; type: "service" | "stream"; account: string; invalid: boolean }[];
}

export interface JszAccount {
  name: string;
  /** Bytes that it stores in files and in memory, and that its streams reserve. */
  storage?: number;
  memory?: number;
  reserved_storage?: number;
  reserved_memory?: number;
  stream_detail?: {
    name: string;
    created: string;
    config?: { name: string; sources?: { name: string; external?: { api?: string } }[] | null };
    state: { messages: number };
    direct_consumer_detail?: SourceConsumer[];
  }[];
}

/** A consumer that a source or a mirror has at this server. */
export interface SourceConsumer {
  name: string;
  created: string;
  /** Whose it is: `_nats.src.stream`, `_nats.src.acc`, `_nats.src.domain`. */
  config?: { metadata?: Record<string, string>; filter_subject?: string };
  delivered: { consumer_seq: number; stream_seq: number };
  num_pending: number;
  push_bound?: boolean;
  /** Whether it is paused, and for how much longer, in nanoseconds. */
  paused?: boolean;
  pause_remaining?: number;
}

export interface Jsz {
  disabled?: boolean;
  /** Bytes in files, of all accounts. */
  storage?: number;
  config?: { domain?: string; max_storage?: number };
  account_details?: JszAccount[];
}

export const varz = (connection: NatsConnection, maxAgeMs?: MaxAgeMs): Promise<Varz> =>
  ask<Varz>(connection, "VARZ", {}, maxAgeMs);

/** The leaf links of the server and of the others of its cluster; of one account when it is named. */
export async function leafLinks(
  connection: NatsConnection,
  account?: string,
  maxAgeMs?: MaxAgeMs,
): Promise<LeafLink[]> {
  const options = account === undefined ? {} : { account };
  const answers = await askAll<{ leafs?: LeafLink[] | null }>(connection, "LEAFZ", options, maxAgeMs);
  return answers.flatMap(linksIn);
}

const linksIn = ({ server, data: { leafs } }: { server?: string; data: { leafs?: LeafLink[] | null } }): LeafLink[] =>
  (leafs ?? []).map((link) => ({ ...link, ...present({ server }) }));

/** What tells a link from all others of the cluster: each server counts its own. */
export const linkName = ({ server = "", id }: Pick<LeafLink, "server" | "id">): string => `${server} ${id}`;

/** The key that each leaf link of an account logged in with, by the link's name; absent where the server does not say. */
export async function keysOfLinks(connection: NatsConnection, account: string): Promise<Map<string, string>> {
  const answers = await askAll<{
    connections?: { cid: number; kind?: string; authorized_user?: string }[] | null;
  }>(connection, "CONNZ", { acc: account, auth: true });
  return new Map(
    answers.flatMap(({ server, data: { connections } }) =>
      (connections ?? []).flatMap(({ cid, kind, authorized_user: key }) =>
        kind === "Leafnode" && key !== undefined ? [[linkName({ id: cid, ...present({ server }) }), key] as const] : [],
      ),
    ),
  );
}

/** The leaf links of one account, with what the other ends want to be sent. */
export async function linksWithSubjects(
  connection: NatsConnection,
  account: string,
  maxAgeMs?: MaxAgeMs,
): Promise<LeafLink[]> {
  const options = { account, subscriptions: true };
  const answers = await askAll<{ leafs?: LeafLink[] | null }>(connection, "LEAFZ", options, maxAgeMs);
  // The server leaves an empty list out.
  return answers.flatMap(linksIn).map((link) => ({ subscriptions_list: [], ...link }));
}

/** What the server knows of an account; undefined when it has none of this name. */
export async function accountStatus(
  connection: NatsConnection,
  account: string,
  maxAgeMs?: MaxAgeMs,
): Promise<AccountStatus | undefined> {
  const asking = ask<{ account_detail?: AccountStatus }>(connection, "ACCOUNTZ", { account }, maxAgeMs);
  return (await asking.catch(() => undefined))?.account_detail;
}

/** The names of the accounts that the server has. */
export const accountNames = async (connection: NatsConnection): Promise<string[]> =>
  (await ask<{ accounts?: string[] }>(connection, "ACCOUNTZ")).accounts ?? [];

/** JetStream's accounts and their streams; of one account when it is named. A stream is on some servers of a cluster only. */
export async function jsz(connection: NatsConnection, account?: string, more: object = {}): Promise<Jsz> {
  const options = { accounts: true, streams: true, limit: 10_000, ...present({ account }), ...more };
  const [first, ...others] = (await askAll<Jsz>(connection, "JSZ", options)).map(({ data }) => data);
  if (first === undefined || others.length === 0) return first ?? {};
  const all = [first, ...others].flatMap(({ account_details: accounts = [] }) => accounts);
  const names = [...new Set(all.map(({ name }) => name))];
  return { ...first, account_details: names.map((name) => ofAccount(all.filter((one) => one.name === name))) };
}

/** What several servers hold of one account: of each stream the copy with the most messages. */
function ofAccount(parts: readonly JszAccount[]): JszAccount {
  const streams = parts.flatMap(({ stream_detail: held = [] }) => held);
  const fullest = new Map<string, (typeof streams)[number]>();
  for (const stream of streams) {
    const known = fullest.get(stream.name);
    if (known === undefined || known.state.messages < stream.state.messages) fullest.set(stream.name, stream);
  }
  return { name: "", ...parts[0], stream_detail: [...fullest.values()] };
}

/** What each stream of an account sources: the stream's name elsewhere, and the API that it asks there. */
export async function sourcesOf(
  connection: NatsConnection,
  account: string,
): Promise<{ name: string; api: string | undefined }[]> {
  const { account_details: accounts = [] } = await jsz(connection, account, { config: true });
  const streams = accounts.find(({ name }) => name === account)?.stream_detail ?? [];
  const sources = streams.flatMap(({ config }) => config?.sources ?? []);
  return sources.map(({ name, external }) => ({ name, api: external?.api }));
}

/** JetStream of one account, with the consumers that sources and mirrors have at its streams. */
export const jszOf = (connection: NatsConnection, account: string): Promise<Jsz> =>
  ask<Jsz>(connection, "JSZ", {
    account,
    accounts: true,
    streams: true,
    consumer: true,
    direct_consumer: true,
    config: true,
    limit: 10_000,
  });

export function sourceConsumersIn(
  { account_details: accounts = [] }: Jsz,
  account: string,
  stream: string,
): SourceConsumer[] {
  const streams = accounts.find(({ name }) => name === account)?.stream_detail ?? [];
  return streams.find(({ name }) => name === stream)?.direct_consumer_detail ?? [];
}

/** The consumers that sources of other servers have at a stream of the account. */
export const sourceConsumers = async (
  connection: NatsConnection,
  account: string,
  stream: string,
): Promise<SourceConsumer[]> => sourceConsumersIn(await jszOf(connection, account), account, stream);

/** The JetStream settings in effect; undefined when it is off. */
export const jetStreamConfig = (connection: NatsConnection, maxAgeMs?: MaxAgeMs): Promise<Jsz["config"]> =>
  ask<Jsz>(connection, "JSZ", {}, maxAgeMs).then(({ disabled, config }) => (disabled === true ? undefined : config));

/**
 * Makes the server read its configuration file again. It answers a bad file with the parse error, and needs neither a
 * signal nor access to where the server runs.
 */
export const reload = async (connection: NatsConnection): Promise<void> => {
  await ask<unknown>(connection, "RELOAD");
};

/** Drops a leaf link; a reload that removes the link's key leaves the link up (nats-server reload.go). */
export const kick = async (connection: NatsConnection, { id: cid, server }: LeafLink): Promise<void> => {
  if (server === undefined) await ask<unknown>(connection, "KICK", { cid });
  else await requestJson<unknown>(connection, `$SYS.REQ.SERVER.${server}.KICK`, { cid });
};
