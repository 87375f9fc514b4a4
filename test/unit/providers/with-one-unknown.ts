import { UNKNOWN } from "../../../configs/values";

/** The value with each of its leaves unknown in turn. */
export function* withOneUnknown(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) {
    yield UNKNOWN;
    return;
  }
  yield UNKNOWN;
  for (const [key, item] of Object.entries(value)) {
    for (const part of withOneUnknown(item)) {
      if (Array.isArray(value)) yield value.map((old: unknown, i) => (String(i) === key ? part : old));
      else yield { ...value, [key]: part };
    }
  }
}
