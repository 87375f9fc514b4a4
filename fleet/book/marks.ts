import { Mark } from "../../diagnosis/book/ledger";
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
