import { randomBytes } from "node:crypto";

/**
 * bcrypt, for the password hashes of configuration files: slow and plain, with the least cost that nats-server accepts.
 * Node has no bcrypt of its own.
 */

const COST = 4;
const ROUNDS = 16;
/** Round keys, then four boxes of 256 words. */
const STATE_WORDS = ROUNDS + 2 + 4 * 256;
const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The first words of the fraction of pi, of 32 bits each: the state that Blowfish begins with. */
function wordsOfPi(count: number): Uint32Array {
  const guard = 64n;
  const bits = BigInt(count * 32) + guard;
  const arctanOfInverse = (x: bigint): bigint => {
    let sum = 0n;
    let sign = 1n;
    for (let power = (1n << bits) / x, n = 1n; power > 0n; power /= x * x, n += 2n, sign = -sign) {
      sum += (sign * power) / n;
    }
    return sum;
  };
  const fraction = (16n * arctanOfInverse(5n) - 4n * arctanOfInverse(239n) - (3n << bits)) >> guard;
  const hex = fraction.toString(16).padStart(count * 8, "0");
  return Uint32Array.from({ length: count }, (_, i) => Number.parseInt(hex.slice(i * 8, i * 8 + 8), 16));
}

/** The words of a text of bytes that is repeated for ever. */
function cycle(bytes: Uint8Array): () => number {
  let at = 0;
  return () => {
    let word = 0;
    for (let i = 0; i < 4; i++) word = (word << 8) | bytes[at++ % bytes.length]!;
    return word;
  };
}

function encipher(state: Uint32Array, [first, second]: readonly [number, number]): [number, number] {
  const box = (number: number, index: number): number => state[ROUNDS + 2 + number * 256 + (index & 255)]!;
  const mix = (x: number): number => ((box(0, x >>> 24) + box(1, x >>> 16)) ^ box(2, x >>> 8)) + box(3, x);
  let [left, right] = [first, second];
  for (let round = 0; round < ROUNDS; round++) {
    left ^= state[round]!;
    [left, right] = [right ^ mix(left), left];
  }
  return [right ^ state[ROUNDS + 1]!, left ^ state[ROUNDS]!];
}

function expand(state: Uint32Array, key: Uint8Array, salt: Uint8Array): void {
  const [keyWord, saltWord] = [cycle(key), cycle(salt)];
  for (let i = 0; i < ROUNDS + 2; i++) state[i]! ^= keyWord();
  let pair: [number, number] = [0, 0];
  for (let i = 0; i < STATE_WORDS; i += 2) {
    pair = encipher(state, [pair[0] ^ saltWord(), pair[1] ^ saltWord()]);
    state.set([pair[0] >>> 0, pair[1] >>> 0], i);
  }
}

/** base64 with bcrypt's own alphabet, without padding. */
function encode(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,6}/g) ?? []).map((six) => ALPHABET[Number.parseInt(six.padEnd(6, "0"), 2)]).join("");
}

export function bcrypt(password: string, salt: Uint8Array = randomBytes(16)): string {
  const key = Buffer.from(`${password}\0`);
  const state = wordsOfPi(STATE_WORDS);
  expand(state, key, salt);
  for (let i = 0; i < 2 ** COST; i++) {
    expand(state, key, new Uint8Array(16));
    expand(state, salt, new Uint8Array(16));
  }
  const text = Buffer.from("OrpheanBeholderScryDoubt");
  const hash = Buffer.alloc(24);
  for (let at = 0; at < 24; at += 8) {
    let pair: [number, number] = [text.readInt32BE(at), text.readInt32BE(at + 4)];
    for (let i = 0; i < 64; i++) pair = encipher(state, pair);
    hash.writeInt32BE(pair[0] | 0, at);
    hash.writeInt32BE(pair[1] | 0, at + 4);
  }
  return `$2a$${String(COST).padStart(2, "0")}$${encode(salt)}${encode(hash.subarray(0, 23))}`;
}
