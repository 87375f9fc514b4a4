import { JetStream } from "../../servers/nats/jetstream";

/** Messages read at a time. */
const AT_A_TIME = 100;

/** What applications call their messages, in the header `Id`: all that a stream holds, in order. Probes have none. */
export async function idsHeld(js: JetStream, stream: string): Promise<string[]> {
  const info = await js.stream(stream);
  if (info === undefined) throw new Error(`there is no stream ${stream}`);
  const { first_seq: first, last_seq: last } = info.state;
  const ids: string[] = [];
  for (let from = first; from <= last; from += AT_A_TIME) {
    const some = Array.from({ length: Math.min(AT_A_TIME, last - from + 1) }, (_, i) => js.messageAt(stream, from + i));
    for (const message of await Promise.all(some)) if (message?.headers.Id !== undefined) ids.push(message.headers.Id);
  }
  return ids;
}
