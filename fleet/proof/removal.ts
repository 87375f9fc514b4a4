import { JetStream, StoredMessage } from "../../servers/nats/jetstream";
import type { Removal, RemovalBook } from "../book/own";

/** Takes probes out of a stream: only messages that are shown to be this program's own, and each of them is counted. */

/** Where probes are taken out. */
export interface Place extends Pick<Removal, "site" | "stream" | "end"> {
  js: JetStream;
  /** Name of the stream at this end. */
  name: string;
  isOwn: (message: StoredMessage) => boolean;
  book?: RemovalBook;
}

/** More messages on one subject than a run sends: the subject is used by others, and is not read to its end. */
const MOST_OF_A_RUN = 20_000;

/** Probes that are known to be this program's own. */
export interface Known {
  count: number;
  last: number;
}

async function remove(place: Place, known: Known, work: () => Promise<number>): Promise<number> {
  if (known.count === 0) return 0;
  const { site, stream, end, book } = place;
  const removal: Removal = { site, stream, end, ...known };
  await book?.before(removal);
  const removed = await work();
  await book?.after(removal, removed);
  return removed;
}

/** Sequences of the program's own messages on one subject, and how many others are there. */
async function sort({ js, name, isOwn }: Place, subject: string): Promise<{ own: number[]; others: number }> {
  const own: number[] = [];
  let others = 0;
  for (let seq = 1; ;) {
    const message = await js.nextMessage(name, subject, seq);
    if (message === undefined) return { own, others };
    if (isOwn(message)) own.push(message.seq);
    else others++;
    seq = message.seq + 1;
  }
}

/** What was removed, and what stays because it is not a probe. */
export interface Removed {
  removed: number;
  others: number;
}

/** Takes out the probes of one subject. */
async function removeFrom(place: Place, subject: string, count: number): Promise<Removed> {
  const { js, name } = place;
  if (count > MOST_OF_A_RUN) return { removed: 0, others: count };
  const { own, others } = await sort(place, subject);
  const known: Known = { count: own.length, last: Math.max(0, ...own) };
  const removed = await remove(place, known, async () => {
    if (others === 0) return purgeKnown(place, subject, known);
    for (const seq of own) await js.deleteMessage(name, seq);
    return own.length;
  });
  return { removed, others };
}

/** Up to a sequence only: messages that arrive meanwhile were not looked at. */
const purgeKnown = ({ js, name }: Place, subject: string, { last }: Known): Promise<number> =>
  js.purge(name, subject, last + 1);

/** Takes the program's own messages out of all subjects of the pattern. */
export async function removeProbes(place: Place, pattern: string): Promise<Removed> {
  const total: Removed = { removed: 0, others: 0 };
  for (const [subject, count] of Object.entries(await place.js.subjects(place.name, pattern))) {
    const { removed, others } = await removeFrom(place, subject, count);
    total.removed += removed;
    total.others += others;
  }
  return total;
}

/** Takes a run's own messages off its own subject: those that are known, then any that came late. */
export async function removeRun(place: Place, subject: string, known: Known): Promise<Removed> {
  const first = await remove(place, known, () => purgeKnown(place, subject, known));
  const { removed, others } = await removeProbes(place, subject);
  return { removed: first + removed, others };
}

/** How many messages of the stream are not the program's own; `known` of them were shown to be. */
export async function othersIn(place: Place, known = 0): Promise<number> {
  const subjects = Object.entries(await place.js.subjects(place.name, ">"));
  if (subjects.reduce((sum, [, count]) => sum + count, 0) === known) return 0;
  const found = await Promise.all(subjects.map(async ([subject]) => (await sort(place, subject)).others));
  return found.reduce((sum, others) => sum + others, 0);
}
