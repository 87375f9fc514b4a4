import { Msg, NatsConnection } from "nats";
import { StreamConfig, StreamSource } from "../../configs/streams";
import { isNoResponders, isTimeout } from "./connection";
import { tryAgain } from "../../machine/until";

/**
 * The JetStream JSON API, spoken directly: the client library knows neither all fields of a source nor how to keep
 * those of a stream that it reads and writes back.
 */

export interface SourceInfo {
  name: string;
  lag: number;
  /** Nanoseconds since the source was last heard of; -1 when it never was. */
  active: number;
  /** Last sequence taken from the site's stream; absent before 2.15. */
  seq?: number;
  external?: { api: string; deliver?: string };
  filter_subject?: string;
  subject_transforms?: { src: string; dest: string }[];
  error?: { err_code?: number; description?: string };
}

export interface StreamInfo {
  config: StreamConfig;
  created: string;
  /** The server's clock. */
  ts?: string;
  /** By how much that clock is ahead of this machine's, in milliseconds, and how far off that may be: the answer took time. */
  clock?: { aheadMs: number; offByMs: number };
  state: {
    messages: number;
    bytes: number;
    first_seq: number;
    last_seq: number;
    consumer_count?: number;
    /** Sequences between the first and the last that hold nothing; listed when the details are asked for. */
    num_deleted?: number;
    deleted?: number[] | null;
  };
  sources?: SourceInfo[];
  mirror?: SourceInfo;
  /** Of a cluster: a stream without a leader takes nothing, and does not show its sources. */
  cluster?: { name?: string; leader?: string; replicas?: { name: string; current?: boolean; offline?: boolean }[] };
}

export interface ConsumerInfo {
  name: string;
  config: {
    durable_name?: string;
    filter_subject?: string;
    filter_subjects?: string[];
    direct?: boolean;
    /** Nanoseconds after which the server removes a consumer that nobody uses; absent or 0 for never. */
    inactive_threshold?: number;
  };
}

export interface AccountInfo {
  /** Bytes that the account's streams hold. */
  storage: number;
  memory: number;
  /** Bytes that its streams may hold by their own limits; absent before 2.10. */
  reserved_storage?: number;
  limits: { max_storage: number; max_memory: number };
  /** Present where the account has limits by number of replicas, which count instead. */
  tiers?: Record<string, Omit<AccountInfo, "tiers">>;
}

/** A refusal of the JetStream API; `code` is its `err_code`. */
export class JetStreamError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "JetStreamError";
  }
}

/** `err_code` of a stream, and of a message, that does not exist. */
export const STREAM_NOT_FOUND = 10059;
const MESSAGE_NOT_FOUND = 10037;

/** Whether the stream's max_bytes does not fit its account. */
export const isNoStorage = (error: unknown): boolean => error instanceof JetStreamError && error.code === 10047;

/** Header of a message that came through a source: stream, sequence there, filter, transform and subject there. */
export const SOURCE_HEADER = "Nats-Stream-Source";

export interface StoredMessage {
  seq: number;
  subject: string;
  headers: Record<string, string | undefined>;
  /** In order, and as often as they occur. */
  headerLines: readonly (readonly [name: string, value: string])[];
  payload: Uint8Array;
  /** When the server stored it, in milliseconds since 1970 by the server's clock. */
  storedAt: number;
}

interface RawMessage {
  seq: number;
  subject: string;
  time: string;
  hdrs?: string;
  data?: string;
}

function storedMessage({ seq, subject, time, hdrs = "", data = "" }: RawMessage): StoredMessage {
  const lines = Buffer.from(hdrs, "base64").toString("utf8").split("\r\n").slice(1);
  const headerLines = lines.flatMap((line): [string, string][] =>
    line.includes(":") ? [[line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]] : [],
  );
  return {
    seq,
    subject,
    headers: Object.fromEntries(headerLines),
    headerLines,
    payload: Buffer.from(data, "base64"),
    storedAt: Date.parse(time),
  };
}

/** The server lists so many subjects at a time. */
const MOST_SUBJECTS = 100_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** How long a server may take to remove the files of a stream that was deleted. */
const FILES_GONE_MS = 2_000;
/** How long a reload may keep an account's JetStream from answering, on a machine that is busy. */
const RELOAD_MS = 1_500;

/** How long a cluster may have no leader: an election takes 4 to 8 s. */
const ELECTION_MS = 12_000;
/** The answer to what was asked before there was a leader never comes. */
const ASKED_AGAIN_MS = 2_000;
/** What may be asked twice: the second time it finds what the first one did. */
const REPEATABLE = /^(INFO$|STREAM\.(INFO|CREATE|UPDATE|MSG\.GET)|CONSUMER\.LIST)/;
/** JetStream is not available, no server for another copy, no account yet; and a stream whose servers do not answer. */
const OF_ELECTION: readonly number[] = [10005, 10008, 10035, 10118];

/** Whether an error may come from servers of a cluster that agree on a leader, or have only just started. */
const isOfElection = (error: unknown): boolean =>
  error instanceof JetStreamError ? OF_ELECTION.includes(error.code) : isNoResponders(error) || isTimeout(error);

/** A stream that never stored anything lists sequence 0 as deleted, if it is asked for details (measured with 2.15.2). */
function withoutDeleted({ state, ...info }: StreamInfo): StreamInfo {
  const { num_deleted: _count, deleted: _deleted, ...rest } = state;
  return { ...info, state: rest };
}

/** The API of the JetStream that the connection's own server has; `domain` reaches another one through a leaf link. */
export class JetStream {
  /** @param prefix of the subjects, where the API is imported under another one. */
  constructor(
    readonly connection: NatsConnection,
    domain?: string,
    private readonly timeout = REQUEST_TIMEOUT_MS,
    private readonly prefix = domain === undefined ? "$JS.API" : `$JS.${domain}.API`,
  ) {}

  /** Asks the API. Errors: JetStreamError when the API refuses, the client's error when there is no answer. */
  request<T>(subject: string, body: object = {}): Promise<T> {
    if (this.connection.info?.cluster === undefined || !REPEATABLE.test(subject)) return this.asked(subject, body);
    const patience = { within: ELECTION_MS, every: 100 };
    return tryAgain(() => this.asked<T>(subject, body, Math.min(this.timeout, ASKED_AGAIN_MS)), isOfElection, patience);
  }

  private async asked<T>(subject: string, body: object, timeout = this.timeout): Promise<T> {
    const message = await this.answerTo(`${this.prefix}.${subject}`, JSON.stringify(body), timeout);
    const answer = message.json<T & { error?: { err_code?: number; description?: string } }>();
    if (answer.error !== undefined) {
      throw new JetStreamError(answer.error.err_code ?? 0, answer.error.description ?? `${subject} was refused`);
    }
    return answer;
  }

  /**
   * While a server reloads, an account whose imports change has no JetStream for an instant: a missing answer counts
   * only when it lasts.
   */
  private answerTo = (subject: string, body: string, timeout: number): Promise<Msg> =>
    tryAgain(() => this.connection.request(subject, body, { timeout }), isNoResponders, {
      within: RELOAD_MS,
      every: 25,
    });

  /** undefined when there is no such stream. `details`: with the list of its deleted sequences. */
  async stream(name: string, details = false): Promise<StreamInfo | undefined> {
    try {
      const asked = Date.now();
      const told = await this.request<StreamInfo>(`STREAM.INFO.${name}`, details ? { deleted_details: true } : {});
      const answered = Date.now();
      const info = told.state.last_seq === 0 ? withoutDeleted(told) : told;
      if (info.ts === undefined) return info;
      const clock = { aheadMs: Date.parse(info.ts) - (asked + answered) / 2, offByMs: (answered - asked) / 2 };
      return { ...info, clock };
    } catch (error) {
      if (error instanceof JetStreamError && error.code === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Where a stream of this name was deleted a moment ago, its files may still be on their way out: tried again then. */
  createStream = (config: StreamConfig): Promise<StreamInfo> =>
    tryAgain(
      () => this.request<StreamInfo>(`STREAM.CREATE.${config.name}`, config),
      (error) => error instanceof JetStreamError && /error creating store for stream/.test(error.message),
      { within: FILES_GONE_MS, every: 50 },
    );

  updateStream = (config: StreamConfig): Promise<StreamInfo> =>
    this.request<StreamInfo>(`STREAM.UPDATE.${config.name}`, config);

  /** Gives the lead of a stream to another server, which has a copy of it. */
  stepDown = async (name: string, preferred: string): Promise<void> => {
    await this.request(`STREAM.LEADER.STEPDOWN.${name}`, { placement: { preferred } });
  };

  deleteStream = async (name: string): Promise<void> => {
    await this.request(`STREAM.DELETE.${name}`);
  };

  /** Removes the messages of one subject pattern only, those before a sequence when it is given. Resolves with their number. */
  purge = async (name: string, filter: string, before?: number): Promise<number> =>
    (await this.request<{ purged: number }>(`STREAM.PURGE.${name}`, { filter, seq: before })).purged;

  /** Messages per subject that matches the pattern. */
  async subjects(name: string, filter: string): Promise<Record<string, number>> {
    const info = await this.request<{ state: { subjects?: Record<string, number> } }>(`STREAM.INFO.${name}`, {
      subjects_filter: filter,
    });
    return info.state.subjects ?? {};
  }

  /** A stream, and how many messages it holds whose subjects match; undefined where these are too many subjects. */
  async streamWithCount(name: string, filter: string): Promise<{ info: StreamInfo; count: number } | undefined> {
    type Counted = StreamInfo & { state: { subjects?: Record<string, number> } };
    const info = await this.request<Counted>(`STREAM.INFO.${name}`, { subjects_filter: filter });
    const counts = Object.values(info.state.subjects ?? {});
    if (counts.length >= MOST_SUBJECTS) return undefined;
    return { info, count: counts.reduce((sum, count) => sum + count, 0) };
  }

  /** The first message from `seq` on whose subject matches; undefined when there is none. */
  nextMessage = (name: string, subject: string, seq: number): Promise<StoredMessage | undefined> =>
    this.message(name, { seq, next_by_subj: subject });

  /** The last message whose subject matches; undefined when there is none. */
  async lastMessage(name: string, subject: string): Promise<StoredMessage | undefined> {
    // For ">" the server looks at its last sequence alone, and finds nothing where that was deleted (filestore.go, LoadLastMsg).
    const patterns = subject === ">" ? ["*", "*.>"] : [subject];
    const found = await Promise.all(patterns.map((pattern) => this.message(name, { last_by_subj: pattern })));
    return found.reduce((last, one) => ((one?.seq ?? 0) > (last?.seq ?? 0) ? one : last), undefined);
  }

  /** The message with this sequence; undefined when the stream does not hold it. */
  // A stream that never stored anything has 0 as its last sequence, which the server refuses as a bad request.
  messageAt = async (name: string, seq: number): Promise<StoredMessage | undefined> =>
    seq < 1 ? undefined : this.message(name, { seq });

  private async message(name: string, which: object): Promise<StoredMessage | undefined> {
    try {
      return storedMessage((await this.request<{ message: RawMessage }>(`STREAM.MSG.GET.${name}`, which)).message);
    } catch (error) {
      if (error instanceof JetStreamError && error.code === MESSAGE_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Removes one message, without overwriting it on disk. */
  deleteMessage = async (name: string, seq: number): Promise<void> => {
    await this.request(`STREAM.MSG.DELETE.${name}`, { seq, no_erase: true });
  };

  /** The names of all streams of the account. */
  async streamNames(): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      const page = await this.request<{ total: number; streams?: string[] | null }>("STREAM.NAMES", {
        offset: names.length,
      });
      names.push(...(page.streams ?? []));
      if ((page.streams ?? []).length === 0 || names.length >= page.total) return names;
    }
  }

  consumers = async (name: string): Promise<ConsumerInfo[]> =>
    (await this.request<{ consumers?: ConsumerInfo[] | null }>(`CONSUMER.LIST.${name}`, { offset: 0 })).consumers ?? [];

  account = (): Promise<AccountInfo> => this.request<AccountInfo>("INFO");

  /** Writes the stream back with other sources; the rest of its configuration stays as the server has it. */
  setSources = (info: StreamInfo, sources: StreamSource[]): Promise<StreamInfo> =>
    this.updateStream({ ...info.config, sources });
}
