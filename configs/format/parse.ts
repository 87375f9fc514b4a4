import { ConfigMap, ConfigNode, ConfigWorld, TextReader } from "./parse-text";

/**
 * Reads the nats-server configuration format, however it is written. The inverse of `render`, and the eyes of the
 * diagnosis on files that were changed or written by hand.
 */
export type Parsed = string | number | boolean | Parsed[] | { [key: string]: Parsed };

export { ConfigSyntaxError } from "./parse-cursor";
export type { Position } from "./parse-cursor";
export type { ConfigMap, ConfigNode, ConfigWorld } from "./parse-text";

/**
 * A file with everything that it refers to, and where each thing stands. `file` is its path, from which it includes
 * others. Errors: ConfigSyntaxError.
 */
export const readConfig = (text: string, file: string, world: ConfigWorld): ConfigMap =>
  new TextReader(text, file, { world, files: [file], variables: [] }).read();

/**
 * What a text says, without positions. It stands alone: includes are left out, and variables that it does not define
 * stay text. Errors: ConfigSyntaxError.
 */
export const parse = (text: string): Record<string, Parsed> => plain(new TextReader(text, "", ALONE).read());

const ALONE = { files: [], variables: [] };

/** The values without their positions. */
export const plain = (map: ConfigMap): Record<string, Parsed> =>
  Object.fromEntries([...map].map(([key, node]) => [key, plainValue(node)]));

function plainValue({ value }: ConfigNode): Parsed {
  if (Array.isArray(value)) return value.map(plainValue);
  return value instanceof Map ? plain(value) : value;
}
