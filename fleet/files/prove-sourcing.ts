import { randomBytes } from "node:crypto";
import { NatsConnection, connect } from "nats";
import type { ConfigServer, UserRead } from "../../diagnosis/files/server";
import { hasJetStream, isSystemAccount } from "../../diagnosis/files/server";
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
/** Until a source asks again. */
const ARRIVE_MS = 1_500;
const TRIES = 3;
const REQUEST_MS = 2_000;

const notTried = (why: string): Sourcing => ({ is: "not-tried", why });

/** @param number distinguishes the streams of one rehearsal. */
export async function proveSourcing({ leaf, up }: Watched, link: Link, number: number): Promise<Sourcing> {
  if (up === undefined) return notTried("there is no link");
  const { server } = leaf;
  const local = link.local;
  const domain = server.jetstream?.domain?.value;
  if (isSystemAccount(server, local)) return notTried("it is the link of the system account");
  if (!hasJetStream(server, local)) return notTried(`account ${local} of ${server.label} has no JetStream`);
  if (domain === undefined) return notTried(`the JetStream of ${server.label} has no domain`);
  const taker = takerOf(up.hub.server, up.account);
  if (taker === undefined) return notTried(`no account of ${up.hub.server.label} that sees the link has JetStream`);
  const [site, hub] = [leaf.login(local), up.hub.login(taker.account)];
  if (site === undefined || hub === undefined) return notTried("the rehearsal has no login for its accounts");
  const plan = planOf(link, taker, domain, number);
  const connections: NatsConnection[] = [];
  const enter = async (at: LaidServer, login: object): Promise<JetStream> => {
    const connection = await connect({
      ...login,
      servers: `127.0.0.1:${at.ports.client}`,
      timeout: REQUEST_MS,
      reconnect: false,
    });
    connections.push(connection);
    return new JetStream(connection, undefined, REQUEST_MS);
  };
  try {
    const [atSite, atHub] = [await enter(leaf, site), await enter(up.hub, hub)];
    const bytes = Math.min(BYTES, server.maxPayload.value, up.hub.server.maxPayload.value) - 512;
    return await transfer(atSite, atHub, plan, bytes);
  } catch (error) {
    return notTried(messageOf(error));
  } finally {
    await Promise.all(connections.map((connection) => connection.close().catch(() => undefined)));
  }
}

interface Taker {
  account: string;
  /** Absent where the account is the link's own. */
  imported?: ReturnType<typeof sourcedBy>[number];
}

/** The account of the hub that would source the site. */
function takerOf(hub: ConfigServer, account: string): Taker | undefined {
  const imported = sourcedBy(hub, account).find(({ name }) => hasJetStream(hub, name));
  if (imported !== undefined) return { account: imported.name, imported };
  return hasJetStream(hub, account) ? { account } : undefined;
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

async function transfer(atSite: JetStream, atHub: JetStream, plan: Plan, bytes: number): Promise<Sourcing> {
  const { stream, api, deliver, isMirror } = plan;
  const common = { storage: "file" as const, retention: "limits" as const, num_replicas: 1 };
  const subject = `rehearsal.${stream}`;
  await created(atSite, { ...common, name: stream, subjects: [subject] });
  const copy = `${stream}_COPY`;
  const from = { name: stream, external: { api, deliver } };
  await created(atHub, { ...common, name: copy, ...(isMirror ? { mirror: from } : { sources: [from] }) });
  // The bytes cannot be compressed, because a link may use compression.
  const payload = randomBytes(bytes);
  for (let sent = 0; sent < MESSAGES; sent++) {
    await atSite.connection.request(subject, payload, { timeout: REQUEST_MS });
  }
  let come = 0;
  for (let tries = 0; come < MESSAGES && tries < TRIES; tries++) {
    come = await lookUntil(
      async () => (await atHub.stream(copy))?.state.messages ?? 0,
      (messages) => messages >= MESSAGES,
      { within: ARRIVE_MS, every: 50 },
    );
    // A request that a cluster was not ready for waits for 30 s; sources that are set again ask again at once.
    if (come === 0 && !isMirror) await askAgain(atHub, copy, from);
  }
  if (come >= MESSAGES) return { is: "proven" };
  const why = (await atHub.stream(copy))?.sources?.[0]?.error?.description;
  const what =
    come === 0 ? `none of ${MESSAGES} messages arrived` : `${come} of ${MESSAGES} messages of ${bytes} bytes arrived`;
  return { is: "failed", what: why === undefined ? what : `${what}: ${why}` };
}

async function askAgain(atHub: JetStream, copy: string, from: StreamSource): Promise<void> {
  const info = await atHub.stream(copy);
  if (info === undefined) return;
  await atHub.setSources(info, []);
  await atHub.setSources(info, [from]);
}

/** A cluster has to choose its leader first. */
async function created(jetStream: JetStream, config: object): Promise<void> {
  await jetStream.createStream(config as Parameters<JetStream["createStream"]>[0]);
}
