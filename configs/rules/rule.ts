import { Problem } from "../problem";
import { Settings } from "../settings";

/** What the rules know besides the settings. */
export interface RuleContext {
  /** Whether the stack's secrets are encrypted with an empty passphrase. */
  emptyPassphrase: boolean;
}

/** Judges one thing over the whole fleet. */
export type Rule = (settings: Settings, context: RuleContext) => Problem[];

/** Every value that occurs twice, with the places where it stands. */
export function repeated<T>(items: readonly T[], keyOf: (item: T) => unknown): { first: T; again: T; index: number }[] {
  const seen = new Map<unknown, T>();
  return items.flatMap((again, index) => {
    const key = keyOf(again);
    const first = seen.get(key);
    if (first !== undefined) return [{ first, again, index }];
    seen.set(key, again);
    return [];
  });
}

/** The items without those whose key an earlier one has. */
export const distinct = <T>(items: readonly T[], keyOf: (item: T) => unknown): T[] => {
  const repetitions = new Set(repeated(items, keyOf).map(({ index }) => index));
  return items.filter((_, index) => !repetitions.has(index));
};

/** The problem of a value outside of its range. */
export function range(where: string, value: number, low: number, high: number, show: (n: number) => string): Problem[] {
  if (value >= low && value <= high) return [];
  return [{ where, problem: `${show(value)} is out of range`, cure: `use ${show(low)} to ${show(high)}` }];
}

export const ms = (value: number): string => `${value} ms`;
