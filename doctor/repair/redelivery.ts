import { MsgHdrs, headers } from "nats";
import { rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { probeSubject } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { bookFillers, bookRedelivered } from "../../fleet/book/own";
import { makeFolder, readJson, writePrivate } from "../../machine/folders";
import { JetStream, StoredMessage, StreamInfo } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { Pair } from "../../fleet/observation/condition";
import type { Observed } from "../../fleet/observation/observed";
import { OVERHEAD_BYTES, Prober, probeHeaders, probeNumber } from "../../fleet/proof/probe-message";
import { removeRun } from "../../fleet/proof/removal";

/** A site that lost its tail: its stream is moved on to the hub's position, and what the hub skipped is stored again. */

export type Say = (line: string) => void;

/** Sequences whose messages have to be stored again; kept in a file while the work lasts, for the run that finishes it. */
interface Redelivery {
  from: number;
  to: number;
  /** The message that is being stored again: its sequence, the stream's last one before that, and the server's time. */
  copying?: { seq: number; last: number; at: number };
}

const redeliveryFile = ({ root, access: { site } }: Observed, stream: string): string =>
  join(resolve(root), "repair", `${site}.${stream}.json`);

/** Forgets what an interrupted repair noted. */
export const forgetRedelivery = (observed: Observed, stream: string): void =>
  rmSync(redeliveryFile(observed, stream), { force: true });

/** Most messages that are stored at once to move a stream on. */
const BATCH = 500;

const free = ({ config, state }: StreamInfo): number =>
  config.max_bytes > 0 ? config.max_bytes - state.bytes : Infinity;

/** Refuses to store so many bytes more where that would push out, or hand out, other messages. */
function refuseWithoutRoom(about: string, info: StreamInfo, bytes: number, position: number): void {
  const { retention, max_msgs = -1, max_msgs_per_subject = -1 } = info.config as unknown as Limits;
  if (retention === "limits" && max_msgs <= 0 && max_msgs_per_subject <= 0 && bytes <= free(info)) return;
  const { name } = info.config;
  throw new Refusal(
    `${about}: it is full, or limits the number of its messages, so the repair would push out old ones; ` +
      `make room, or purge it up to the hub's position by hand ('nats stream purge ${name} --seq ${position + 1}' as the site's ` +
      "operator), which removes what it holds",
  );
}

/** Moves the site's stream on to the hub's position, then stores again what stands from `from` to there. */
export async function moveOn(
  observed: Observed,
  stream: StreamSettings,
  pair: Pair,
  from: number,
  say: Say,
): Promise<void> {
  const { name, position, atSite } = pair;
  const about = `site ${observed.access.site}, stream ${name}`;
  // Applications go on publishing: only an eighth of what is free is used.
  const batch = Math.min(BATCH, Math.floor(free(atSite) / 8 / OVERHEAD_BYTES));
  refuseWithoutRoom(about, atSite, batch < 1 ? Infinity : batch * OVERHEAD_BYTES, position);
  noteRedelivery(observed, pair, { from, to: position });
  const prober = proberOf(observed, stream);
  const runId = `repair${Date.now().toString(36)}`;
  const subject = probeSubject(name, runId);
  const client = pair.site.connection.jetstream();
  for (;;) {
    const last = (await pair.site.stream(name))?.state.last_seq ?? 0;
    if (last >= position) break;
    const count = Math.min(batch, position - last);
    const acknowledged = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        client.publish(subject, "", { headers: probeHeaders(prober, subject, runId, i + 1) }),
      ),
    );
    const known = { count, last: Math.max(...acknowledged.map(({ seq }) => seq)) };
    const isOwn = (message: StoredMessage) => probeNumber(prober, name, message) !== undefined;
    const place = { js: pair.site, name, isOwn, site: observed.access.site, stream: name, end: "site" as const };
    const { removed } = await removeRun(place, subject, known);
    await bookFillers({ ...observed, stream }, removed);
  }
  say(`${about}: moved on to sequence ${position}, where the hub is`);
  await resume(observed, stream, pair, say);
}

const proberOf = ({ root, access }: Observed, stream: StreamSettings): Prober => ({
  stack: basename(resolve(root)),
  access,
  stream,
});

export function noteRedelivery(observed: Observed, { name }: Pair, redelivery: Redelivery): void {
  makeFolder(join(resolve(observed.root), "repair"));
  writePrivate(redeliveryFile(observed, name), JSON.stringify(redelivery));
}

interface Limits {
  retention: string;
  max_msgs?: number;
  max_msgs_per_subject?: number;
}

/** Stores again what a repair, this one or one that was interrupted, has still to deliver. */
export async function resume(
  observed: Observed,
  stream: StreamSettings,
  { site, name }: Pair,
  say: Say,
): Promise<void> {
  const file = redeliveryFile(observed, name);
  const due = readJson<Redelivery>(file);
  if (due === undefined) return;
  const about = `site ${observed.access.site}, stream ${name}`;
  const prober = proberOf(observed, stream);
  let count = 0;
  for (let seq = due.from; ;) {
    const message = await site.nextMessage(name, ">", seq);
    if (message === undefined || message.seq > due.to) break;
    seq = message.seq + 1;
    if (probeNumber(prober, name, message) !== undefined) continue;
    if (!(await isCopied(site, name, message, due))) {
      const info = await site.stream(name);
      // The copy stands beside its original for a moment.
      if (info !== undefined)
        refuseWithoutRoom(about, info, message.payload.length + OVERHEAD_BYTES + headerBytes(message), due.to);
      const copying = { seq: message.seq, last: info?.state.last_seq ?? due.to, at: timeOf(info) };
      writePrivate(file, JSON.stringify({ ...due, copying } satisfies Redelivery));
      await site.connection.jetstream().publish(message.subject, message.payload, { headers: headersOf(message) });
    }
    // The copy is acknowledged: the stream need not have it twice.
    await site.deleteMessage(name, message.seq);
    await bookRedelivered({ ...observed, stream }, 1);
    count++;
  }
  rmSync(file, { force: true });
  if (count > 0)
    say(`${about}: stored ${count} ${count === 1 ? "message" : "messages"} again, which the hub had skipped`);
}

const timeOf = (info: StreamInfo | undefined): number => (info?.ts === undefined ? Date.now() : Date.parse(info.ts));

/**
 * Names the original in its copy. The site's server knows no such header; the hub's takes off every header of that beginning
 * when it sources (nats-server stream.go, processInboundSourceMsg).
 */
const COPY_OF = "Nats-Expected-Copy-Of";

/** No server takes a message so long after it was sent. */
const ON_ITS_WAY_MS = 60_000;

/** Whether a repair that was killed stored the message anew, and did not get to taking the original away. */
async function isCopied(
  site: JetStream,
  name: string,
  { seq, subject }: StoredMessage,
  { copying }: Redelivery,
): Promise<boolean> {
  if (copying?.seq !== seq) return false;
  for (let from = copying.last + 1; ;) {
    const found = await site.nextMessage(name, subject, from);
    if (found === undefined || found.storedAt > copying.at + ON_ITS_WAY_MS) return false;
    if (found.headers[COPY_OF] === String(seq)) return true;
    from = found.seq + 1;
  }
}

const headerBytes = ({ headerLines }: StoredMessage): number =>
  headerLines.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);

/** Without what would have the server refuse the copy, or take it for the original. */
function headersOf({ seq, headerLines }: StoredMessage): MsgHdrs {
  const copy = headers();
  copy.set(COPY_OF, String(seq));
  for (const [name, value] of headerLines) if (!/^Nats-(Msg-Id|Expected-)/i.test(name)) copy.append(name, value);
  return copy;
}
