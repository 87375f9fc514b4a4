import { randomBytes } from "node:crypto";
import { NatsConnection, connect, credsAuthenticator } from "nats";
import type { ConfigServer, UserRead } from "../../diagnosis/files/server";
import { clusterOf, hasJetStream, isSystemAccount } from "../../diagnosis/files/server";
import { sourcedBy } from "../../diagnosis/files/rules/rights-rules";
import type { Link } from "../../diagnosis/files/links";
import type { Sourcing } from "../../diagnosis/files/shown";
import { covers, overlaps } from "../../configs/subjects";
import { messageOf } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import { JetStream } from "../../servers/nats/jetstream";
import type { StreamSource } from "../../configs/streams";
import type { LaidServer } from "./layout";
import type { Watched } from "./watch";

/**
 * Proves that a link carries a stream: one is made at the site, another one on the hub that sources it, and 4 MB go
 * through, for without flow control the first 2.1 MB pass as well.
 */

const MESSAGES = 40;
const BYTES = 100_000;
/** A transfer in which nothing moves for so long has stalled. */
const STALLED_MS = 1_500;
/** For all of it; where a cluster has to learn first who wants what, more. */
const ALL_MS = 3_500;
const IN_CLUSTERS_MS = 5_500;
const REQUEST_MS = 3_000;

const notTried = (why: string): Sourcing => ({ is: "not-tried", why });

/** @param number tells the streams of one rehearsal apart. */
export async function proveSourcing(
  { leaf, up }: Watched,
  link: Link,
  number: number,
  { servers, credentials }: { servers: readonly ConfigServer[]; credentials: string | undefined },
): Promise<Sourcing> {
  if (up === undefined) return notTried("there is no link");
  const { server } = leaf;
  const local = link.local;
  const domain = server.jetstream?.domain?.value;
  if (isSystemAccount(server, local)) return notTried("it is the link of the system account");
  if (server.accountsElsewhere === undefined && !hasJetStream(server, local))
    return notTried(`account ${local} of ${server.label} has no JetStream`);
  if (domain === undefined) return notTried(`the JetStream of ${server.label} has no domain`);
  const taker = takerOf(up.hub.server, up.account, servers);
  if (taker === undefined) return notTried(`no account of ${up.hub.server.label} that sees the link has JetStream`);
  const byJwt = (of: ConfigServer): object | undefined =>
    of.accountsElsewhere === "JWTs" && credentials !== undefined
      ? { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }
      : undefined;
  for (const [of, name] of [
    [server, local],
    [up.hub.server, taker.account],
  ] as const) {
    const storage = of.accounts.find((one) => one.name === name)?.storage?.value;
    if (storage === 0) return notTried(`account ${name} of ${of.label} may store 0 bytes`);
  }
  const [site, hub] = [byJwt(server) ?? leaf.login(local), byJwt(up.hub.server) ?? up.hub.login(taker.account)];
  if (site === undefined || hub === undefined) return notTried("the rehearsal has no login for its accounts");
  const plan = planOf(link, taker, domain, number);
  const connections: NatsConnection[] = [];
  const enter = async (at: LaidServer, login: object): Promise<JetStream> => {
    const options = { ...login, servers: `127.0.0.1:${at.ports.client}`, timeout: REQUEST_MS, reconnect: false };
    const connection = await connect(options);
    connections.push(connection);
    return new JetStream(connection, undefined, REQUEST_MS);
  };
  try {
    const ends = { site: await enter(leaf, site), hub: await enter(up.hub, hub) };
    const largest = Math.min(BYTES, server.maxPayload.value, up.hub.server.maxPayload.value) - 512;
    const bytes = Math.max(1, Math.min(largest, await roomFor(ends)));
    const within = [server, up.hub.server].some(isClustered) ? IN_CLUSTERS_MS : ALL_MS;
    const outcome = await transfer(ends, plan, bytes, { within, linked: server.name?.value });
    if (outcome.is !== "failed" || taker.imported === undefined) return outcome;
    return {
      ...outcome,
      at: up.hub.server,
      what: `${outcome.what} in account ${taker.account}, which imports ${taker.imported.request.subject} and takes deliveries at ${plan.deliver}.>`,
      next: `look at the imports of account ${taker.account}: consumer requests, flow control, and deliveries under the source's deliver prefix, without a prefix of their own`,
    };
  } catch (error) {
    if (!(error instanceof NoStream)) return notTried(messageOf(error));
    const at = error.end === "site" ? server : up.hub.server;
    // A limit that the user's own streams may keep, such as a size that each must have.
    if (!error.isSilent && !/insufficient|resource|exceeded/i.test(error.message)) return notTried(error.message);
    // A busy server, or one whose cluster still chooses its first leader (up to 12 s), answers later.
    if (error.isSilent && (error.isLate || isClustered(at)))
      return notTried(`JetStream of ${at.label} does not answer yet`);
    const account = error.end === "site" ? local : taker.account;
    return {
      is: "failed",
      at,
      what: `no stream can be kept in account ${account} of ${at.label}: ${error.message}`,
      next: "correct what the server names; JetStream that does not answer has no leader, or is not there for the account",
    };
  } finally {
    await Promise.all(connections.map((connection) => connection.close().catch(() => undefined)));
  }
}

/** Thrown where an end keeps no stream. */
class NoStream extends Error {
  readonly isSilent: boolean;
  readonly isLate: boolean;

  constructor(
    readonly end: keyof Ends,
    error: unknown,
  ) {
    const said = messageOf(error);
    const isSilent = /^(TIMEOUT|503|NO_RESPONDERS)$/.test(said);
    super(isSilent ? "JetStream does not answer" : said);
    this.isSilent = isSilent;
    this.isLate = said === "TIMEOUT";
  }
}

const isClustered = ({ cluster, map }: ConfigServer): boolean => cluster?.listen !== undefined || map.has("gateway");

interface Ends {
  site: JetStream;
  hub: JetStream;
}

/** Bytes of a message, so that all of them fit into half of what the accounts may store. */
async function roomFor(ends: Ends): Promise<number> {
  const limits = await Promise.all(
    (["site", "hub"] as const).map(async (end) => {
      try {
        return (await ends[end].account()).limits?.max_storage ?? -1;
      } catch (error) {
        throw new NoStream(end, error);
      }
    }),
  );
  return Math.min(...limits.map((limit) => (limit > 0 ? Math.floor(limit / 2 / MESSAGES) - 512 : BYTES)));
}

interface Taker {
  account: string;
  /** Absent where the account is the link's own. */
  imported?: ReturnType<typeof sourcedBy>[number];
}

/** The account of the hub that would source the site. */
function takerOf(hub: ConfigServer, account: string, servers: readonly ConfigServer[]): Taker | undefined {
  // In a cluster any server may keep the streams.
  const cluster = clusterOf(hub, servers);
  // Whether the account of a JWT has JetStream, the server says.
  if (hub.accountsElsewhere === "JWTs" && cluster.some(({ jetstream }) => jetstream !== undefined)) return { account };
  const keepsStreams = (name: string): boolean => cluster.some((one) => hasJetStream(one, name));
  const imported = sourcedBy(hub, account).find(({ name }) => keepsStreams(name));
  if (imported !== undefined) return { account: imported.name, imported };
  return keepsStreams(account) ? { account } : undefined;
}

interface Plan {
  stream: string;
  api: string;
  deliver: string;
  /** A mirror delivers on subjects of its own. */
  isMirror: boolean;
}

const STREAM_IN = [/^\$JS\.FC\.([^.*>]+)\./, /^\$JS\.[^.]+\.API\.CONSUMER\.CREATE\.([^.*>]+)/];

/** Names as the rights and the imports want them. */
function planOf({ landing }: Link, { imported }: Taker, domain: string, number: number): Plan {
  const user: UserRead | undefined = landing.is === "user" ? landing.user : undefined;
  const subjects = [...(imported?.imports ?? []).map(({ subject }) => subject), ...(user?.subscribe.allow ?? [])];
  const named = subjects.flatMap((subject) => STREAM_IN.flatMap((pattern) => pattern.exec(subject)?.[1] ?? []));
  const api = imported?.request.to?.replace(/\.CONSUMER\..*$|\.>$/, "") ?? `$JS.${domain}.API`;
  const allowed = user?.publish.allow ?? [">"];
  const isMirror = !allowed.some((one) => overlaps(one, "$JS.S.>")) && allowed.some((one) => overlaps(one, "$JS.M.>"));
  return { stream: named[0] ?? `REHEARSAL_${number}`, api, deliver: deliverOf(user, imported), isMirror };
}

/** The prefix that deliveries need; empty for the server's own. */
function deliverOf(user: UserRead | undefined, imported: Taker["imported"]): string {
  const prefix = (subject: string | undefined): string => subject?.replace(/\.?>$/, "") ?? "";
  if (imported !== undefined) {
    const stream = imported.imports.find(({ kind }) => kind === "stream");
    return prefix(stream?.to ?? stream?.subject);
  }
  const allowed = user?.publish.allow;
  if (allowed === undefined || allowed.some((pattern) => covers(pattern, "$JS.S.>"))) return "";
  return prefix(allowed.find((pattern) => pattern.endsWith(".>") && !/^(\$|_)/.test(pattern)));
}

async function transfer(
  ends: Ends,
  plan: Plan,
  bytes: number,
  { within, linked }: { within: number; linked: string | undefined },
): Promise<Sourcing> {
  const { stream, api, deliver, isMirror } = plan;
  const common = { retention: "limits" as const, num_replicas: 1 };
  const subject = `rehearsal.${stream}`;
  const leader = await createdAtLink(ends, { ...common, name: stream, subjects: [subject] }, linked);
  if (leader !== undefined) {
    return notTried(`the stream is led by ${leader}, which has no link: the hub's requests do not reach it`);
  }
  const copy = `${stream}_COPY`;
  const from = { name: stream, external: { api, deliver } };
  await created(ends, "hub", { ...common, name: copy, ...(isMirror ? { mirror: from } : { sources: [from] }) });
  const sent = await publish(ends.site, subject, bytes);
  const atHub = ends.hub;
  let come = 0;
  const deadline = Date.now() + within;
  for (let before = -1; come < sent && (come > before || come === 0) && Date.now() < deadline;) {
    before = come;
    come = await lookUntil(
      async () => (await atHub.stream(copy))?.state.messages ?? 0,
      (messages) => messages >= sent,
      { within: STALLED_MS, every: 50 },
    );
    // A request that a cluster was not ready for waits for 30 s; sources that are set again ask again at once.
    if (come === 0 && !isMirror) await askAgain(atHub, copy, from);
  }
  if (come >= sent) return { is: "proven" };
  const why = (await atHub.stream(copy))?.sources?.[0]?.error?.description;
  const what =
    come === 0 ? `of ${sent} messages none arrived` : `of ${sent} messages of ${bytes} bytes ${come} arrived`;
  return { is: "failed", what: why === undefined ? what : `${what}: ${why}` };
}

/** Resolves with the number of messages that the site took. Of bytes that cannot be compressed: a link may be set to do so. */
async function publish(site: JetStream, subject: string, bytes: number): Promise<number> {
  const payload = randomBytes(bytes);
  for (let sent = 0; sent < MESSAGES; sent++) {
    const answer = await site.connection.request(subject, payload, { timeout: REQUEST_MS });
    const { error } = answer.json<{ error?: { description?: string } }>();
    if (error === undefined) continue;
    if (sent > 0) return sent;
    throw new NoStream("site", new Error(error.description ?? "a message was refused"));
  }
  return MESSAGES;
}

/** How often a stream is created, until the server with the link leads it. */
const PLACES = 8;

/** A cluster chooses which server leads a stream. Resolves with the leader when it is never the one with the link. */
async function createdAtLink(
  ends: Ends,
  config: { name: string; subjects: string[] },
  linked: string | undefined,
): Promise<string | undefined> {
  let leader: string | undefined;
  for (let tries = 0; tries < PLACES; tries++) {
    await created(ends, "site", config);
    leader = (await ends.site.stream(config.name))?.cluster?.leader;
    if (leader === undefined || linked === undefined || leader === linked) return undefined;
    await ends.site.deleteStream(config.name);
  }
  return leader;
}

async function askAgain(atHub: JetStream, copy: string, from: StreamSource): Promise<void> {
  const info = await atHub.stream(copy);
  if (info === undefined) return;
  await atHub.setSources(info, []);
  await atHub.setSources(info, [from]);
}

/** Where an account wants a size for each stream: room for all messages. */
const WITH_SIZE = { max_bytes: MESSAGES * (BYTES + 1_000) };

/** On disk, or in memory where there is room in memory alone. */
async function created(ends: Ends, end: keyof Ends, config: object): Promise<void> {
  const create = (storage: "file" | "memory", more = {}): Promise<unknown> =>
    ends[end].createStream({ ...config, ...more, storage } as Parameters<JetStream["createStream"]>[0]);
  try {
    await create("file").catch((error: unknown) => {
      if (/max bytes/i.test(messageOf(error))) return create("file", WITH_SIZE);
      if (!/insufficient|exceeded/i.test(messageOf(error))) throw error;
      return create("memory");
    });
  } catch (error) {
    throw new NoStream(end, error);
  }
}
