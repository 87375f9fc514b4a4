import { JetStream } from "../../../servers/nats/jetstream";

/** How the ids of probes begin. */
export const PROBE = "probe-";

/** Messages read at a time. */
const AT_A_TIME = 100;

/** The header `Id` of all messages that a stream holds, in order. Probes have none; they are left out, or `probe-<sequence>`. */
export async function idsHeld(js: JetStream, stream: string, { probes = false } = {}): Promise<string[]> {
  const info = await js.stream(stream);
  if (info === undefined) throw new Error(`there is no stream ${stream}`);
  const { first_seq: first, last_seq: last } = info.state;
  const ids: string[] = [];
  for (let from = first; from <= last; from += AT_A_TIME) {
    const some = Array.from({ length: Math.min(AT_A_TIME, last - from + 1) }, (_, i) => js.messageAt(stream, from + i));
    for (const message of await Promise.all(some)) {
      const id = message?.headers.Id ?? (probes && message !== undefined ? `${PROBE}${message.seq}` : undefined);
      if (id !== undefined) ids.push(id);
    }
  }
  return ids;
}
