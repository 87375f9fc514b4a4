import { deflateRawSync, inflateRawSync } from "node:zlib";

/** A value as a short text: what repeats in it, such as names and times of many sites, is there once. */
export type Packed = string;

export const packed = (value: unknown): Packed =>
  deflateRawSync(JSON.stringify(value), { level: 9 }).toString("base64");

let last: { text: Packed; value: unknown } | undefined;

/** The value of a packed text; another value is itself. The last one is remembered, for every site asks for the same. */
export function unpacked<T>(value: T | Packed): T {
  if (typeof value !== "string") return value;
  if (last?.text !== value)
    last = { text: value, value: JSON.parse(inflateRawSync(Buffer.from(value, "base64")).toString("utf8")) as unknown };
  return last.value as T;
}
