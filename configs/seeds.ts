import { fromSeed } from "@nats-io/nkeys";
import { Problem } from "./problem";

/** Seeds are secret wherever they are, even where they were written by mistake. */

/** Why the text is not the seed of a user key. The text itself never appears in a message. */
export function seedProblem(seed: string): Omit<Problem, "where"> | undefined {
  const cure = "give the seed of a user nkey: 58 characters that start with SU";
  if (seed.startsWith("U")) return { problem: "is a public key, not a seed", cure };
  if (seed.includes("-----BEGIN")) return { problem: "is a credentials file (JWT and seed), not a seed", cure };
  if (seed.startsWith("SA") || seed.startsWith("SO"))
    return { problem: "is the seed of an account or operator, not of a user", cure };
  if (/[/\\]/.test(seed)) return { problem: "is a path, not a seed", cure };
  const damaged = { problem: "is not a valid seed: damaged, cut short, or something else", cure };
  // nkeys.js accepts an extra character; nats-server does not.
  if (seed.length !== 58) return damaged;
  try {
    // Checks prefix and checksum. The public key says no more, and takes milliseconds.
    fromSeed(new TextEncoder().encode(seed));
  } catch {
    return damaged;
  }
  return seed.startsWith("SU") ? undefined : { problem: "is the seed of another kind of key", cure };
}

/**
 * A seed in any text that is shown: only its kind stays. Wider than the alphabet of seeds, for a mistyped seed gives
 * away nearly all of the right one, and nats-server prints just those.
 */
export const maskSeeds = (text: string): string =>
  text.replace(/(?<![A-Z0-9])S[UAONCXP][A-Za-z0-9]{20,}/g, (seed) => `${seed.slice(0, 2)}…(masked)`);

/** A problem or a finding without a seed in its words: one written as a name or a host would be quoted otherwise. */
export const withoutSeeds = <Said extends object>(said: Said): Said => {
  const masked = (part: unknown): unknown => (typeof part === "string" ? maskSeeds(part) : part);
  return Object.fromEntries(Object.entries(said).map(([name, part]) => [name, masked(part)])) as Said;
};
