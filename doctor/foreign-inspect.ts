import { NANOSECONDS_PER_MS } from "../configs/text/units";
import { DoctorFinding } from "../diagnosis/facts/doctor-report";
import { ConsumerFacts } from "../diagnosis/facts/facts";
import { SOURCE_HEADER, SourceInfo, StoredMessage, StreamInfo } from "../servers/nats/jetstream";
import { SourceConsumer } from "../servers/nats/system";
import { divide, originOf } from "../fleet/sourcing/lost-tail";
import { FeedConfig, configOf, takeNothing, takenBy } from "./feeds";
import { StreamSeen } from "./foreign-asking";

/** What a look at both streams shows of a feed beside its position: its filter, its consumer, what it left out. */

export interface Inspected {
  onHub: StreamSeen;
  atSite: StreamSeen;
  feeds: readonly SourceInfo[];
  collectedAs: string;
}

export type Found = Pick<DoctorFinding, "code" | "cause" | "evidence" | "next"> & Partial<DoctorFinding>;

export async function inspect(ends: Inspected): Promise<Found[]> {
  const found = await Promise.all([
    Promise.resolve(takesNothing(ends)),
    consumerMissing(ends).catch(() => undefined),
    messagesMissing(ends).catch(() => undefined),
  ]);
  return found.filter((one) => one !== undefined);
}

function takesNothing({ atSite: { info }, feeds, collectedAs }: Inspected): Found | undefined {
  const { name, subjects = [], sources = [], mirror } = info.config as typeof info.config & { mirror?: object };
  if (sources.length > 0 || mirror !== undefined || !takeNothing(feeds, subjects)) return undefined;
  return {
    code: "source-takes-nothing",
    cause: `the filter of the hub's source takes none of the subjects of the site's stream ${name}`,
    evidence: `the source takes ${feeds.flatMap(takenBy).join(", ")}; the site's stream has ${subjects.join(", ")}`,
    next: `correct filter_subject or subject_transforms of the source of the hub's stream ${collectedAs}`,
  };
}

async function consumerMissing({ onHub, atSite, feeds }: Inspected): Promise<Found | undefined> {
  const { name } = atSite.info.config;
  const used = feeds.flatMap((feed) => configOf(onHub.info, feed)?.consumer?.name ?? []);
  if (used.length === 0) return undefined;
  const there = (await atSite.js.consumers(name)).map((consumer) => consumer.name);
  const gone = used.filter((one) => !there.includes(one));
  if (gone.length === 0) return undefined;
  const next = Math.max(...feeds.map(({ seq = 0 }) => seq)) + 1;
  return {
    code: "source-consumer-missing",
    cause: `the hub's source uses the consumer ${gone.join(", ")} of the site's stream ${name}, and the site has none of that name`,
    evidence: `consumers of ${name} at the site: ${there.join(", ") || "none"}`,
    next: `create the consumer at the site again, as it was but with deliver_policy by_start_sequence and opt_start_seq ${next}, which follows the last message that the hub has; then update the hub's stream without this source, and again with it (with duplicate_window 0)`,
  };
}

/** What shows that a stream has no leader, or is about to have none; undefined when it has one. */
export function lostQuorum({ cluster }: Pick<StreamInfo, "cluster">): string | undefined {
  const { leader = "", replicas = [] } = cluster ?? {};
  // A stream of a server that is alone has no replicas.
  if (cluster === undefined || (leader === "" && replicas.length === 0)) return undefined;
  const offline = replicas.filter((replica) => replica.offline === true).map(({ name }) => name);
  const all = replicas.length + (leader === "" ? 0 : 1);
  if (leader !== "" && offline.length * 2 < all) return undefined;
  return `stream info: leader ${leader === "" ? "none" : leader}; offline ${offline.join(", ") || "none"} of ${all} replicas`;
}

/** The first sequence that a feed that has taken nothing yet may take, less one. */
export async function startOf(config: FeedConfig | undefined, { js, info }: StreamSeen): Promise<number> {
  const { opt_start_seq: seq = 1, opt_start_time: time } = config ?? {};
  if (time === undefined) return seq - 1;
  const { first_seq: low, last_seq: high } = info.state;
  const isBefore = ({ storedAt }: StoredMessage): boolean => storedAt < Date.parse(time);
  const { first } = await divide(js, { stream: info.config.name, filter: ">" }, { low, high }, isBefore);
  return first === undefined ? high : first.seq - 1;
}

/** The word of the header that has the filter of the source that took the message. */
const filterOf = ({ headers }: StoredMessage): string | undefined => headers[SOURCE_HEADER]?.split(" ")[2];

/**
 * Messages that the site holds and the source is past. Asked only where each message of the hub's stream comes from the
 * one source, whole: there the hub's sequences follow the site's, and what was left out shows as a step between them.
 */
async function messagesMissing({ onHub, atSite, feeds }: Inspected): Promise<Found | undefined> {
  const [feed, ...others] = feeds;
  const { state, config, sources = [] } = onHub.info;
  if (feed === undefined || others.length > 0 || sources.length !== 1 || state.messages < 2) return undefined;
  const { opt_start_seq: seq, opt_start_time: time } = configOf(onHub.info, feed) ?? {};
  if ((config.subjects ?? []).length > 0 || seq !== undefined || time !== undefined) return undefined;
  if (takenBy(feed).some((taken) => taken !== ">")) return undefined;
  const first = await onHub.js.nextMessage(config.name, ">", state.first_seq);
  if (first === undefined) return undefined;
  const ahead = originOf(first) - first.seq;
  const { last, first: next } = await divide(
    onHub.js,
    { stream: config.name, filter: ">" },
    { low: state.first_seq, high: state.last_seq },
    (message) => originOf(message) - message.seq <= ahead,
  );
  if (last === undefined || next === undefined || [last, next].some((one) => filterOf(one) !== ">")) return undefined;
  const [after, before] = [originOf(last), originOf(next)];
  const held = await atSite.js.nextMessage(atSite.info.config.name, ">", after + 1);
  // A message that left the hub's stream is no step; one that the site dropped first is not there to be taken.
  if (next.seq !== last.seq + 1 || held === undefined || held.seq >= before) return undefined;
  return {
    code: "messages-missing",
    severity: "warning",
    symptom: `the hub lacks messages of stream ${atSite.info.config.name}`,
    cause: `up to ${before - held.seq} messages that the site holds are not on the hub, and its source is past them: the hub's store went back in time, or the source was set past them`,
    evidence: `the hub's stream goes from the site's sequence ${after} to ${before}; the site still holds ${held.seq}`,
    next: `the source never takes them again by itself: make another stream on the hub that sources the site's with opt_start_seq ${held.seq}, and copy from it what is missing (up to ${before - 1}); set sync_interval: always on the hub, or give the stream three replicas`,
  };
}

/** Whether the consumer is of the source that this stream of the hub has; older servers do not say whose it is. */
export function isOf({ config }: SourceConsumer, stream: string, account: string): boolean {
  const { "_nats.src.stream": ofStream = stream, "_nats.src.acc": ofAccount = account } = config?.metadata ?? {};
  return ofStream === stream && ofAccount === account;
}

/** One of a source that is paused, else the newest of them, as the diagnosis knows it; undefined when there is none. */
export function newest(consumers: readonly SourceConsumer[]): ConsumerFacts | undefined {
  const latestFirst = [...consumers].sort((a, b) => (a.created < b.created ? 1 : -1));
  // Several filtered sources have a consumer each; one that was restarted leaves its old one for a while.
  const subjectOf = ({ config }: SourceConsumer): string => config?.filter_subject ?? "";
  const isLatest = (one: SourceConsumer): boolean =>
    latestFirst.find((other) => subjectOf(other) === subjectOf(one)) === one;
  const [latest] = latestFirst;
  const one = latestFirst.find((each) => each.paused === true && isLatest(each)) ?? latest;
  if (one === undefined) return undefined;
  const facts: ConsumerFacts = {
    sent: one.delivered.consumer_seq,
    upTo: one.delivered.stream_seq,
    pending: one.num_pending,
    bound: one.push_bound === true,
    count: consumers.length,
  };
  if (one.paused === true) facts.pausedMs = Math.round((one.pause_remaining ?? 0) / NANOSECONDS_PER_MS);
  return facts;
}
