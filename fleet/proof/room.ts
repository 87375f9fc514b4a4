import { ProbeSettings } from "../../configs/settings";
import { overlaps } from "../../configs/subjects";
import { NANOSECONDS_PER_MS, formatSize } from "../../configs/text/units";
import { AccountInfo, ConsumerInfo, StreamInfo } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { OVERHEAD_BYTES } from "./probe-message";

/**
 * Where the probes of a whole run go, decided before the first one is sent: through the real streams where all of them
 * together surely fit at both ends, else through stand-ins. Pure.
 */

/** What the probes of one stream of one site store at each end, at most. */
export interface Demand {
  bytes: number;
  messages: number;
  /** The largest one, with its headers. */
  largest: number;
}

export const burstCount = (settings: ProbeSettings, burst: boolean): number =>
  burst && settings.burst > 0 ? Math.ceil(settings.burst / settings.burstMessage) : 0;

export function demandOf(settings: ProbeSettings, burst: boolean): Demand {
  const large = burstCount(settings, burst);
  return {
    bytes: large * (settings.burstMessage + OVERHEAD_BYTES) + settings.count * OVERHEAD_BYTES,
    messages: large + settings.count,
    largest: (large > 0 ? settings.burstMessage : 0) + OVERHEAD_BYTES,
  };
}

/** A stand-in holds all of its probes, whatever the server rounds up. */
export const standInBytes = ({ bytes }: Demand): number => 2 * bytes;

/** A stream at one end, with all that bears on whether it may carry probes. */
export interface End {
  where: "at the site" | "on the hub";
  /** Tell the stream, its account and its server from all others of the fleet. */
  stream: string;
  account: string;
  server: string;
  /** The account's name, for messages. */
  accountName: string;
  info: StreamInfo;
  accountInfo: AccountInfo;
  consumers: readonly ConsumerInfo[];
  /** Streams, beside the hub's own, that source or mirror this one. */
  copiedBy: readonly string[];
  /** What the server stores in files, and may; absent where it cannot be asked. */
  serverFiles?: { held: number; limit: number };
  /** The subject of the probes as the stream stores them. */
  probes: string;
}

/** The probes of one stream of one site. */
export interface Job {
  key: string;
  demand: Demand;
  ends: readonly End[];
}

/** Fields that this program never sets; a stream that was adopted, or changed by hand, may have them. */
interface ForeignFields {
  retention?: string;
  max_msgs?: number;
  max_msgs_per_subject?: number;
  max_msg_size?: number;
  sealed?: boolean;
  deny_delete?: boolean;
  deny_purge?: boolean;
  no_ack?: boolean;
  mirror?: unknown;
  republish?: unknown;
  allow_msg_counter?: boolean;
  subject_delete_marker_ttl?: number;
}

/** Why the stream's own configuration, or who reads it, keeps probes out; undefined when nothing does. */
function reasonAgainst(
  { where, info, consumers, copiedBy, probes }: End,
  demand: Demand,
  timeout: number,
): string | undefined {
  const config = info.config as unknown as ForeignFields;
  const { retention = "limits", max_msgs = -1, max_msgs_per_subject = -1, max_msg_size = -1 } = config;
  const its = `the stream ${where}`;
  if (retention !== "limits") return `${its} has retention ${retention}`;
  if (max_msgs > 0 || max_msgs_per_subject > 0) return `${its} limits the number of messages`;
  if (max_msg_size > 0 && max_msg_size < demand.largest) return `${its} limits the size of messages`;
  if (info.config.max_age > 0 && info.config.max_age < timeout * NANOSECONDS_PER_MS)
    return `messages of ${its} expire sooner than probes.timeout`;
  if ((config.subject_delete_marker_ttl ?? 0) > 0) return `${its} leaves markers of what expires`;
  if (config.sealed === true) return `${its} is sealed`;
  if (config.deny_delete === true || config.deny_purge === true) return `${its} denies that messages are removed`;
  if (config.no_ack === true) return `${its} acknowledges nothing`;
  if (config.allow_msg_counter === true) return `${its} stores counters only`;
  if (config.mirror !== undefined) return `${its} is a mirror`;
  if (config.republish !== undefined) return `${its} republishes what it stores`;
  const [copy] = copiedBy;
  if (copy !== undefined) return `${copy} copies ${its}`;
  const reads = consumers.find(({ config: { filter_subject = "", filter_subjects = [], direct } }) => {
    const filters = [filter_subject, ...filter_subjects].filter((filter) => filter !== "");
    return direct !== true && (filters.length === 0 || filters.some((filter) => overlaps(filter, probes)));
  });
  return reads === undefined ? undefined : `consumer ${reads.name} ${where} reads all subjects`;
}

const limitsIn = ({ accountInfo }: End, replicas: number): AccountInfo =>
  accountInfo.tiers?.[`R${replicas}`] ?? accountInfo;

const roomLeft = (limit: number, used: number): number => (limit < 0 ? Infinity : limit - used);

/** What the account may hold beside what it holds now, in the storage of the stream. */
function accountRoom(end: End): number {
  const { storage, num_replicas: replicas } = end.info.config;
  const { limits, memory, storage: files } = limitsIn(end, replicas);
  return storage === "memory" ? roomLeft(limits.max_memory, memory) : roomLeft(limits.max_storage, files);
}

/** What the account may promise to one more stream in files. */
function roomForStream(end: End): number {
  const { limits, storage, reserved_storage: reserved = 0 } = limitsIn(end, 1);
  return roomLeft(limits.max_storage, Math.max(storage, reserved));
}

/** What the stream holds beside what it may; Infinity without a limit. */
const streamRoom = ({ config, state }: StreamInfo): number =>
  config.max_bytes > 0 ? config.max_bytes - state.bytes : Infinity;

/** Real messages that come meanwhile need room too: at most this part of what is free goes to probes. */
const PART_FOR_PROBES = 1 / 4;
/** And this part of the stream's limit stays free beside them. */
const PART_KEPT_FREE = 1 / 10;

/** Bytes promised to probes, by stream, account and server. */
class Promised {
  private readonly bytes = new Map<string, number>();
  of = (key: string): number => this.bytes.get(key) ?? 0;
  add = (key: string, more: number): void => void this.bytes.set(key, this.of(key) + more);
}

function fits(end: End, bytes: number, promised: Promised): boolean {
  const inStream = promised.of(end.stream) + bytes;
  const limit = Math.max(0, end.info.config.max_bytes);
  const free = streamRoom(end.info);
  if (inStream > free * PART_FOR_PROBES || inStream + limit * PART_KEPT_FREE > free) return false;
  if (promised.of(end.account) + bytes > accountRoom(end) * PART_FOR_PROBES) return false;
  const files = end.serverFiles;
  return files === undefined || promised.of(end.server) + bytes <= (files.limit - files.held) * PART_FOR_PROBES;
}

export interface Decision {
  /** Why the real stream does not carry the probes; undefined when it does. */
  why?: string;
  /** Bytes that the probes of the whole run take of the real stream, by end. */
  total: Readonly<Record<End["where"], number>>;
}

/** The decision for each job, small ones first: they are proven through the real stream even if bursts do not fit. */
export function decide(jobs: readonly Job[], timeout: number): Map<string, Decision> {
  const promised = new Promised();
  const reasons = new Map<string, string | undefined>();
  for (const { key, demand, ends } of [...jobs].sort((a, b) => a.demand.bytes - b.demand.bytes)) {
    const full = ends.find((end) => !fits(end, demand.bytes, promised));
    const why =
      ends.map((end) => reasonAgainst(end, demand, timeout)).find((reason) => reason !== undefined) ??
      (full === undefined
        ? undefined
        : `the stream ${full.where} is nearly full, and the probes of all sites might push out messages`);
    reasons.set(key, why);
    if (why !== undefined) continue;
    for (const { stream, account, server } of ends)
      for (const each of [stream, account, server]) promised.add(each, demand.bytes);
  }
  return new Map(
    jobs.map(({ key, ends }): [string, Decision] => {
      const why = reasons.get(key);
      const of = (where: End["where"]) => promised.of(ends.find((end) => end.where === where)?.stream ?? "");
      const total = { "at the site": of("at the site"), "on the hub": of("on the hub") };
      return [key, why === undefined ? { total } : { why, total }];
    }),
  );
}

/** Whether a stream that was to carry probes still has the room, just before the first one is sent. */
export function stillFits(info: StreamInfo, total: number): boolean {
  const limit = Math.max(0, info.config.max_bytes);
  return streamRoom(info) >= 2 * total + (limit * PART_KEPT_FREE) / 2;
}

/** Room for stand-ins, by account: what one takes, the others wait for. */
export class StandInRoom {
  private readonly free = new Map<string, number>();
  private waiting: (() => void)[] = [];

  constructor(jobs: readonly Job[]) {
    for (const end of jobs.flatMap(({ ends }) => ends)) this.free.set(end.account, roomForStream(end));
  }

  /**
   * Does the work while this many bytes of the account are reserved at each end. Errors: a Refusal when they would not
   * fit even without other reservations.
   */
  async during<T>(ends: readonly End[], bytes: number, work: () => Promise<T>): Promise<T> {
    const missing = ends.flatMap((end) => missingRoom(end, bytes) ?? []);
    if (missing.length > 0) throw new Refusal(missing.join("; "));
    const free = (end: End) => this.free.get(end.account) ?? 0;
    while (ends.some((end) => free(end) < bytes)) await new Promise<void>((resolve) => this.waiting.push(resolve));
    for (const end of ends) this.free.set(end.account, free(end) - bytes);
    try {
      return await work();
    } finally {
      for (const end of ends) this.free.set(end.account, free(end) + bytes);
      const waited = this.waiting;
      this.waiting = [];
      for (const wake of waited) wake();
    }
  }
}

/** What is missing for a stand-in that is the only one, in words; undefined when it fits. */
function missingRoom(end: End, bytes: number): string | undefined {
  const missing = bytes - roomForStream(end);
  if (missing <= 0) return undefined;
  const cure =
    end.where === "at the site"
      ? "raise its quota, or delete streams there that are not needed"
      : "delete streams there that remain from earlier settings or were made by hand";
  return (
    `account ${end.accountName} ${end.where} has too little room for the probe stream of ${formatSize(bytes)}: ` +
    `${formatSize(missing)} is missing; ${cure}`
  );
}
