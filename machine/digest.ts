import { createHash } from "node:crypto";

/** A short digest of a plain value; the order of keys does not matter. */
export const digest = (value: unknown): string =>
  createHash("sha256")
    .update(typeof value === "string" ? value : JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, 16);

/** The value with the keys of every object in order: Pulumi's engine sorts them, programs do not. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
