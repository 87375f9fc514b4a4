import { NatsConnection } from "nats";
import { TestFleet } from "./fleet";

/** Messages of an application, whose text tells each from all others. */

/** `m1`, `m2` … up to `last`. */
export const textsFrom = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `m${first + i}`);

/** How many messages may wait for their acknowledgement at once: more would wait for each other on a busy machine. */
const IN_FLIGHT = 500;

/** Publishes at the client's server, in order; resolves once all are acknowledged. */
export async function publishAll(client: NatsConnection, subject: string, texts: readonly string[]): Promise<void> {
  const js = client.jetstream();
  for (let first = 0; first < texts.length; first += IN_FLIGHT)
    await Promise.all(texts.slice(first, first + IN_FLIGHT).map((text) => js.publish(subject, text)));
}

export interface CollectedMessage {
  subject: string;
  text: string;
}

/** What the hub's stream of the site holds of a subject pattern, read by the account's reader, in order. */
export async function collectedMessages(
  reader: NatsConnection,
  stream: string,
  filter: string,
): Promise<CollectedMessage[]> {
  const consumer = await reader.jetstream().consumers.get(stream, { filterSubjects: filter });
  const { num_pending: count } = await consumer.info();
  if (count === 0) return [];
  const messages: CollectedMessage[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
    messages.push({ subject: message.subject, text: message.string() });
    if (messages.length === count) break;
  }
  return messages;
}

/** The texts that the hub's stream EVENTS of the site holds. */
export const collectedTexts = async (fleet: TestFleet, site: string, filter: string): Promise<string[]> =>
  (await collectedMessages(await fleet.onHub(site, "reader"), "EVENTS", filter)).map(({ text }) => text);
