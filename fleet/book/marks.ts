import { History, Mark, StreamRecord } from "../../diagnosis/book/ledger";
import { JetStream, StoredMessage, StreamInfo } from "../../servers/nats/jetstream";

/** Messages by which a later look recognises whether a store is still the same. */

/**
 * The last message of a stream with several sources. The book knows what was skipped up to this message. The last copy of
 * one site may stand before a gap that another site left.
 */
export async function lastOfAll(
  hub: JetStream,
  { config, sources = [], state }: StreamInfo,
): Promise<StoredMessage | undefined> {
  if (sources.length < 2) return undefined;
  const last = await hub.lastMessage(config.name, ">");
  return last !== undefined && last.seq > state.last_seq ? hub.messageAt(config.name, state.last_seq) : last;
}

export const markOf = (message: StoredMessage | undefined): Mark | undefined =>
  message === undefined ? undefined : { seq: message.seq, at: message.storedAt };

/** Maximum number of marks that are looked up, the newest first, until one is still there. */
const MOST_LOOKUPS = 4;

/** What happened to a stream's store: the message at a sequence must still be the same. */
export async function historyOf(js: JetStream, info: StreamInfo, record: StreamRecord | undefined): Promise<History> {
  if (record === undefined) return "same";
  if (info.created !== record.created) return "made anew";
  if (info.state.last_seq < record.last) return "went back";
  const mark = await newestMark(js, info, record);
  return mark === undefined || mark.isSame ? "same" : "went back";
}

async function newestMark(
  js: JetStream,
  { config }: StreamInfo,
  { marks }: StreamRecord,
): Promise<{ mark: Mark; isSame: boolean } | undefined> {
  for (const mark of [...marks].reverse().slice(0, MOST_LOOKUPS)) {
    const message = await js.messageAt(config.name, mark.seq);
    if (message !== undefined) return { mark, isSame: message.storedAt === mark.at };
  }
  return undefined;
}

/** The newest of the marks that stands as it was: up to there the store is the one of before. */
export async function sameUpTo<M extends Mark>(
  js: JetStream,
  { config }: StreamInfo,
  marks: readonly M[],
): Promise<M | undefined> {
  for (const mark of [...marks].reverse()) {
    const message = await js.messageAt(config.name, mark.seq);
    if (message?.storedAt === mark.at) return mark;
  }
  return undefined;
}
