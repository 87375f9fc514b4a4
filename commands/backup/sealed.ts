import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { KEY_BYTES, SALT_BYTES } from "../../machine/journal/derivation";

/**
 * Encrypted streams of bytes: AES-256-GCM in chunks, so that a file of any size is never in memory as a whole. The nonce of
 * a chunk counts the chunks and marks the last one: a file that was cut, or whose chunks were moved, does not open.
 */

const ALGORITHM = "aes-256-gcm";
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;

/** Authenticates a text with the key. */
export const authenticated = (key: Buffer, text: string): string =>
  createHmac("sha256", subkey(key, Buffer.alloc(0), "text"))
    .update(text)
    .digest("hex");

const subkey = (key: Buffer, salt: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, salt, `nats-hub-leaf ${purpose}`, KEY_BYTES));

function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(index), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The bytes in pieces of one length, the last one shorter, each with whether it is the last; at least one piece. */
async function* pieces(
  bytes: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<{ piece: Buffer; isLast: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    // More than one piece: what is behind it shows that it is not the last.
    while (rest.length > length) {
      yield { piece: rest.subarray(0, length), isLast: false };
      rest = rest.subarray(length);
    }
  }
  yield { piece: rest, isLast: true };
}

/** Encrypts. `name`: of the file; it opens under no other. */
export async function* sealed(bytes: AsyncIterable<Uint8Array>, key: Buffer, name: string): AsyncGenerator<Uint8Array> {
  const salt = randomBytes(SALT_BYTES);
  const own = subkey(key, salt, `file ${name}`);
  yield salt;
  let index = 0;
  for await (const { piece, isLast } of pieces(bytes, CHUNK_BYTES)) {
    const cipher = createCipheriv(ALGORITHM, own, nonceOf(index++, isLast), { authTagLength: TAG_BYTES });
    yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Decrypts. Errors: when the bytes are not those that were encrypted with this key under this name. */
export async function* unsealed(
  bytes: AsyncIterable<Uint8Array>,
  key: Buffer,
  name: string,
): AsyncGenerator<Uint8Array> {
  const { salt, rest } = await withSalt(bytes);
  const own = subkey(key, salt, `file ${name}`);
  let index = 0;
  for await (const { piece, isLast } of pieces(rest, CHUNK_BYTES + TAG_BYTES)) {
    const decipher = createDecipheriv(ALGORITHM, own, nonceOf(index++, isLast), { authTagLength: TAG_BYTES });
    if (piece.length < TAG_BYTES) throw new Error("it was cut");
    decipher.setAuthTag(piece.subarray(-TAG_BYTES));
    const text = Buffer.concat([decipher.update(piece.subarray(0, -TAG_BYTES)), decipher.final()]);
    if (text.length > 0) yield text;
  }
}

async function withSalt(bytes: AsyncIterable<Uint8Array>): Promise<{ salt: Buffer; rest: AsyncIterable<Uint8Array> }> {
  const chunks = bytes[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < SALT_BYTES) {
    const { value, done } = await chunks.next();
    if (done === true) throw new Error("it was cut");
    head = Buffer.concat([head, value]);
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield head.subarray(SALT_BYTES);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  return { salt: head.subarray(0, SALT_BYTES), rest: rest() };
}
