import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { collectedName, collectedSubject, isSourceOfSite, sourceOf } from "../../configs/streams";
import { Local, bookedPosition, isForgotten, localStream } from "./booked-position";
import { SiteAccess, atHub } from "../sourcing/collected";
import { mayDouble } from "../sourcing/discard";
import { divide } from "../sourcing/lost-tail";
import { JetStream, SOURCE_HEADER, StoredMessage, StreamInfo } from "../../servers/nats/jetstream";
import { Origin, originIn, sourceIdentity, streamIdent } from "../sourcing/source-identity";

/**
 * What the hub would store a second time when the declared source of a site is put back. To nats-server it goes on behind
 * the newest message that it stored itself; what another source of the site brought since comes again.
 */

export interface Doubling {
  count: number;
  /**
   * Whether the number is exact, a minimum (not all was read), or a maximum (the site, or what the hub dropped, cannot
   * be read).
   */
  bound: "exactly" | "at least" | "at most";
}

/** Sequences that the site's stream holds. */
export interface Held {
  first: number;
  last: number;
  deleted: ReadonlySet<number>;
  /** Which stream it is. */
  ident: string;
}

const isHeld = ({ first, last, deleted }: Held, seq: number): boolean =>
  seq >= first && seq <= last && !deleted.has(seq);

/** How many sequences between the two, the last included, the site holds. */
function heldBetween({ first, last, deleted }: Held, after: number, upTo: number): number {
  const [low, high] = [Math.max(first, after + 1), Math.min(last, upTo)];
  const gone = [...deleted].filter((seq) => seq >= low && seq <= high).length;
  return Math.max(0, high - low + 1 - gone);
}

/** Counts what would come twice, message by message of the hub's stream, the newest first. */
export class Count {
  /** Where the source continues, 0 where it starts over; undefined until a message shows it. */
  position: number | undefined;
  private readonly others = new Set<number>();
  private oldest = Infinity;

  /**
   * `held`: undefined where the site cannot be asked. `booked`: up to where the hub took the site's stream, as the account
   * book has it.
   */
  constructor(
    private readonly wanted: string,
    private readonly held: Held | undefined,
    private readonly booked = 0,
  ) {}

  add({ identity, name, seq, ident }: Origin): void {
    if (name !== this.wanted.split(" ")[0]) return;
    // A message of an earlier stream of that name: the source starts over with the stream of now.
    const isOfNow = this.held === undefined || ident === undefined || ident === this.held.ident;
    if (identity === this.wanted) this.position ??= isOfNow ? seq : 0;
    if (!isOfNow) return;
    this.oldest = Math.min(this.oldest, seq);
    if (identity === this.wanted) return;
    if (this.held === undefined || isHeld(this.held, seq)) this.others.add(seq);
  }

  private get doubled(): number {
    const { position = 0 } = this;
    return [...this.others].filter((seq) => seq > position).length;
  }

  /** Whether all that may come twice is counted, whatever older messages say. */
  get isComplete(): boolean {
    const { position, held } = this;
    return position !== undefined && held !== undefined && this.doubled === heldBetween(held, position, held.last);
  }

  /** `isWhole`: whether all that the hub's stream holds was added. */
  result(isWhole: boolean): Doubling {
    const { doubled, held, oldest, booked, position = 0 } = this;
    if (held === undefined) return { count: doubled, bound: "at most" };
    if (!isWhole && !this.isComplete) return { count: doubled, bound: "at least" };
    // What the hub took and dropped again comes a second time too, when the source starts over.
    const dropped = isWhole && position === 0 ? heldBetween(held, 0, Math.min(booked, oldest - 1)) : 0;
    return { count: doubled + dropped, bound: dropped === 0 ? "exactly" : "at most" };
  }
}

/** How many of the newest messages of the hub's stream are read. */
const MOST_READ = 10_000;
const AT_ONCE = 200;
const BYTES_AT_ONCE = 4 * 2 ** 20;

const originOf = (message: StoredMessage | undefined): Origin | undefined => originIn(message?.headers[SOURCE_HEADER]);

/** Adds the newest messages, as many as the time allows. Resolves with the sequence of the last that was added. */
async function addNewest(
  js: JetStream,
  { config, state }: StreamInfo,
  count: Count,
  deadline: number,
): Promise<number> {
  const size = state.bytes / Math.max(1, state.messages);
  const atOnce = Math.max(1, Math.min(AT_ONCE, Math.floor(BYTES_AT_ONCE / size)));
  // A stream that never held a message says 0 for both.
  const least = Math.max(1, state.first_seq, state.last_seq - MOST_READ + 1);
  let next = state.last_seq;
  while (next >= least && Date.now() < deadline && !count.isComplete) {
    const length = Math.min(atOnce, next - least + 1);
    const read = await Promise.all(Array.from({ length }, (_, i) => js.messageAt(config.name, next - i)));
    for (const message of read) {
      const origin = originOf(message);
      if (origin !== undefined) count.add(origin);
    }
    next -= length;
  }
  return next + 1;
}

function heldIn(local: Local): Held | undefined {
  if (local === "unknown") return undefined;
  if (local === "missing") return { first: 1, last: 0, deleted: new Set(), ident: "" };
  const { first_seq: first, last_seq: last, deleted } = local.state;
  return { first, last, deleted: new Set(deleted ?? []), ident: streamIdent(local.created) };
}

/** What would be doubled; undefined when nothing would be, or the source is there. `withinMs`: of the hub's stream that is read. */
export async function doublingOf(
  { access, root }: { access: SiteAccess; root: string },
  stream: StreamSettings,
  onHub: StreamInfo,
  withinMs: number,
): Promise<Doubling | undefined> {
  const { site } = access;
  const source = sourceOf(stream, site);
  const wanted = sourceIdentity(source);
  const { sources = [] } = onHub.config;
  const { state } = onHub;
  if (sources.some((other) => isSourceOfSite(other, site) && sourceIdentity(other) === wanted)) return undefined;
  const local = await localStream(access, stream);
  const booked = bookedPosition(root, stream, site, onHub, local);
  // It goes on where the book says, once the site can be asked.
  if (await isForgotten(access, stream, onHub))
    return local === "unknown" && booked > 0 ? { count: booked, bound: "at most" } : undefined;
  const js = await atHub(access, stream);
  const filter = collectedSubject(stream, site, ">");
  const isAltered = sources.some((other) => isSourceOfSite(other, site));
  // A source that was only taken off goes on behind its own newest message.
  if (!isAltered && originOf(await js.lastMessage(stream.name, filter))?.identity === wanted) return undefined;
  const count = new Count(wanted, heldIn(local), booked);
  const oldest = await addNewest(js, onHub, count, Date.now() + withinMs);
  const isWhole = oldest <= Math.max(1, state.first_seq);
  if (count.position === undefined && !isWhole) {
    const range = { low: state.first_seq, high: oldest - 1 };
    const isWanted = (message: StoredMessage) => originOf(message)?.identity === wanted;
    const { last } = await divide(js, { stream: stream.name, filter }, range, isWanted);
    const origin = originOf(last);
    if (origin !== undefined) count.add(origin);
  }
  const doubling = count.result(isWhole);
  return doubling.count === 0 ? undefined : doubling;
}

/** `10 messages`, `at least 10 messages`. */
export const doublingWords = ({ count, bound }: Doubling): string =>
  `${bound === "exactly" ? "" : `${bound} `}${count} message${count === 1 ? "" : "s"}`;

/** What an update reports: what it does with the permission, or why it does nothing without it. */
export function doublingRefusal(stream: StreamSettings, site: string, doubling: Doubling): string {
  const words = doublingWords(doubling);
  const what = `hub stream ${collectedName(stream, site)} does not source ${siteStreamName(stream, site)} as declared`;
  return mayDouble(site)
    ? `${what}; up restores it, and stores ${words} of the site a second time, as DOUBLE allows`
    : `${what}; once restored, the source stores ${words} of the site a second time; allow that with DOUBLE=${site}`;
}
