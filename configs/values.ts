/** Values as they cross Pulumi's boundary. */

/** The placeholder for a value that is not known yet, in previews (Pulumi's resource provider protocol). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** `news` with everything unknown, and everything that only the provider sets, taken from `olds`. */
export function settled<T>(news: T, olds: unknown): T {
  if (news === UNKNOWN) return olds as T;
  if (typeof news !== "object" || news === null) return news;
  if (Array.isArray(news)) {
    const before = Array.isArray(olds) ? (olds as unknown[]) : [];
    return news.map((item, i) => settled(item as unknown, before[i])) as T;
  }
  const before = (typeof olds === "object" && olds !== null ? olds : {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(news).map(([key, item]) => [key, settled(item as unknown, before[key])]),
  ) as T;
}

/** Whether any part of the value is unknown. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

/** Equality of plain values; the order of keys does not matter, undefined counts as absent. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => same(left[key], right[key]));
}

/** Whether an input that is known differs from what the resource has. */
export const changed = (news: unknown, olds: unknown): boolean => !same(settled(news, olds), olds);

/** The inputs without Pulumi's own: the text of the provider is no reason to change anything. */
export function inputsOnly<T extends object>(inputs: T): T {
  const { __provider, ...rest } = inputs as T & { __provider?: string };
  return rest as T;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The values without those that are undefined: what is not known has no field. */
export const present = <T extends object>(values: T): Given<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
