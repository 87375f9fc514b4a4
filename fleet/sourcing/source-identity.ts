import { createHash } from "node:crypto";
import { StreamSource } from "../../configs/streams";

/**
 * What makes a source the same one to nats-server (stream.go, composeIName): a source with another filter or other transforms
 * is another one, which goes on behind the newest message that it stored itself.
 */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The server's own short hash (events.go, getHash). */
function hashOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 8);
  return [...bytes].map((byte) => DIGITS[byte % DIGITS.length]).join("");
}

/** Names the stream of a site in the header of a sourced message. */
export const sourceName = ({ name, external }: StreamSource): string => `${name}:${hashOf(external.api)}`;

/** The deliver prefix and the sequence at which the source begins are no part of it. */
export function sourceIdentity(source: StreamSource): string {
  const { filter_subject: filter = "", subject_transforms: transforms = [] } = source;
  const joined = (subjects: string[]) => subjects.map((subject) => subject || ">").join("\f");
  const [from, to] =
    transforms.length === 0
      ? [filter || ">", ">"]
      : [joined(transforms.map(({ src }) => src)), joined(transforms.map(({ dest }) => dest))];
  return `${sourceName(source)} ${from} ${to}`;
}

/** Tells a stream from one of the same name that was recreated (stream.go, identity). `created`: as the server says it. */
export const streamIdent = (created: string): string => hashOf(created);

/** What the header of a sourced message says. */
export interface Origin {
  /** Identity of the source that brought it. */
  identity: string;
  /** Names the site's stream. */
  name: string;
  /** Its sequence there. */
  seq: number;
  /** Which stream of that name it was; absent before nats-server 2.15. */
  ident?: string;
}

/** Undefined for a message that no source brought. */
export function originIn(header: string | undefined): Origin | undefined {
  const [name, seq, from, to, , ident] = (header ?? "").split(" ");
  if (name === undefined || from === undefined || to === undefined) return undefined;
  return {
    identity: `${name} ${from} ${to}`,
    name,
    seq: Number(seq),
    ...(ident === undefined || ident === "" ? {} : { ident }),
  };
}
