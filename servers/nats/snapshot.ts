import { type Msg, createInbox } from "nats";
import type { StreamConfig } from "../../configs/streams";
import type { JetStream, StreamInfo } from "./jetstream";
import { JetStreamError } from "./jetstream";
import { Refusal } from "../../machine/refusal";

/** The server's own snapshot of a stream, which is taken while the stream goes on, and the way back. */

/** A snapshot that is under way: what it will hold, and its bytes. They are read once, within the time of the server. */
export interface Snapshot {
  config: StreamConfig;
  state: StreamInfo["state"];
  bytes: AsyncGenerator<Uint8Array>;
}

/** The server ends a snapshot whose chunks nobody acknowledges. */
const SILENT_MS = 30_000;
const CHUNK_BYTES = 128 * 1024;
/** Chunks of a restore that may wait for their acknowledgement at once. */
const CHUNKS_IN_FLIGHT = 8;
/** How long a server may take to bring a stream up whose bytes it has. */
const BROUGHT_UP_MS = 120_000;

/** Begins a snapshot of the stream with its consumers. Errors: JetStreamError, for example when there is no such stream. */
export async function takeSnapshot(js: JetStream, stream: string): Promise<Snapshot> {
  const inbox = createInbox();
  const chunks = js.connection.subscribe(inbox);
  try {
    const { config, state } = await js.request<Pick<Snapshot, "config" | "state">>(`STREAM.SNAPSHOT.${stream}`, {
      deliver_subject: inbox,
      chunk_size: CHUNK_BYTES,
    });
    return { config, state, bytes: bytesOf(stream, chunks) };
  } catch (error) {
    chunks.unsubscribe();
    throw error;
  }
}

async function* bytesOf(
  stream: string,
  chunks: AsyncIterable<Msg> & { unsubscribe(): void },
): AsyncGenerator<Uint8Array> {
  const messages = chunks[Symbol.asyncIterator]() as AsyncIterator<Msg, undefined>;
  try {
    for (;;) {
      const { value: message } = await inTime(messages.next(), stream);
      if (message === undefined) throw broken(stream, "the connection to the hub ended");
      if (message.data.length === 0) {
        const { code = 0, description = "" } = message.headers ?? {};
        if (code >= 400) throw broken(stream, `${code} ${description}`);
        return;
      }
      yield message.data;
      // Acknowledged once it was used: the server sends no more than what is used.
      if (message.reply !== undefined && message.reply !== "") message.respond();
    }
  } finally {
    chunks.unsubscribe();
  }
}

async function inTime<T>(work: Promise<T>, stream: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(broken(stream, `silent for ${SILENT_MS / 1000} s`)), SILENT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const broken = (stream: string, why: string): Refusal =>
  new Refusal(`the snapshot of stream ${stream} was interrupted (${why}); run the command again`);

/**
 * Creates the stream from the bytes of a snapshot; the configuration is this one. Errors: JetStreamError. A stream may then
 * be there with a part of its messages.
 */
export async function restoreSnapshot(
  js: JetStream,
  { config, state }: Pick<Snapshot, "config" | "state">,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { deliver_subject: subject } = await js.request<{ deliver_subject: string }>(`STREAM.RESTORE.${config.name}`, {
    config,
    state,
  });
  const send = async (chunk: Uint8Array, timeout: number): Promise<void> => {
    const { data } = await js.connection.request(subject, chunk, { timeout });
    if (data.length === 0) return;
    const { error } = JSON.parse(new TextDecoder().decode(data)) as {
      error?: { err_code?: number; description?: string };
    };
    if (error !== undefined) throw new JetStreamError(error.err_code ?? 0, error.description ?? "restore failed");
  };
  const flying: Promise<void>[] = [];
  for await (const chunk of inParts(bytes, js.connection.info?.max_payload ?? CHUNK_BYTES)) {
    const sent = send(chunk, SILENT_MS);
    // One failure is reported; the rest fails for the same reason, also before it is awaited.
    sent.catch(() => undefined);
    flying.push(sent);
    if (flying.length >= CHUNKS_IN_FLIGHT) await flying.shift();
  }
  for (const one of flying) await one;
  await send(new Uint8Array(), BROUGHT_UP_MS);
}

/** The bytes in parts that the server takes as one message. */
async function* inParts(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes)
    for (let start = 0; start < chunk.length; start += most) yield chunk.subarray(start, start + most);
}
