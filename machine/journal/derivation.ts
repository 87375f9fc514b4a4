import { randomBytes, scryptSync } from "node:crypto";

// Keys of passphrases, for backups and journals.

export const SALT_BYTES = 16;
export const KEY_BYTES = 32;

/** How a key is made of a passphrase; stands in clear beside what it opens. */
export interface Derivation {
  kind: "scrypt";
  /** In base64. */
  salt: string;
  cost: number;
  blockSize: number;
  parallelization: number;
}

/** For what is kept for years: about 0.3 s and 128 MiB for each passphrase that is tried. */
const COST = 2 ** 17;

export const newDerivation = (cost = COST): Derivation => ({
  kind: "scrypt",
  salt: randomBytes(SALT_BYTES).toString("base64"),
  cost,
  blockSize: 8,
  parallelization: 1,
});

/** Limits of what is accepted from a file: a forged one must not take all memory. */
const MOST_COST = 2 ** 20;
const MOST_BYTES = 2 ** 30;

/** The key of a passphrase. Errors: when the parameters are out of range. */
export function keyOf(passphrase: string, { salt, cost, blockSize, parallelization }: Derivation): Buffer {
  if (cost > MOST_COST) throw new Error("the cost of scrypt is out of range");
  const options = { N: cost, r: blockSize, p: parallelization, maxmem: MOST_BYTES };
  return scryptSync(passphrase.normalize("NFKC"), Buffer.from(salt, "base64"), KEY_BYTES, options);
}
