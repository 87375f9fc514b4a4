import { present } from "../../configs/values";
import {
  ADOPTED,
  StreamChange,
  isLabel,
  wantedNew,
  wantedOver,
  withoutRefused,
} from "../../configs/plan/stream-changes";
import { STREAM_FIELDS } from "../../configs/plan/stream-fields";
import { changeWords } from "../../configs/plan/stream-words";
import { StreamSource } from "../../configs/streams";
import { awayOfHub } from "../../servers/away";
import { mayRemake } from "../sourcing/discard";
import { JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { refusalOf } from "./refuse-change";
import { report } from "../../machine/report";
import { End, changesAt, isRefused, labelled, strangerOf, wantedAt } from "../sourcing/stream-ends";

/** Brings every field of one end of a stream to its declared value, whoever changed it. */

export interface Bring {
  /** The sources that it is to have, where they are declared; those that an adopted stream keeps come on top. */
  sources?: StreamSource[];
  /** Whether these are the ones that it has. @default true */
  isSourced?: boolean;
  /** Refuses to take away what would be lost with the stream, before it is recreated. */
  beforeRemake(): Promise<void>;
}

/** Errors: a Refusal of what cannot be changed or would lose messages; the rest is in place then. */
export async function bringStream(js: JetStream, end: End, info: StreamInfo, bring: Bring): Promise<void> {
  const { wanted, where } = end;
  const { sources, isSourced = true } = bring;
  const changes = changesAt(end, info);
  if (changes.length === 0 && isSourced) return;
  const refusal = refusalOf(end, info);
  const refused = changes.filter(isRefused);
  if (refusal === undefined && refused.length > 0 && mayRemake(end.remake)) return remake(js, end, info, bring);
  // A sealed stream accepts no update, a mirror no source; a stream of others, or one that would lose messages, is not
  // touched.
  const isShut = refused.some(({ field }) => field === "sealed" || field === "mirror");
  const isAlone = refused.length === 0 || isShut || strangerOf(end, info) !== undefined;
  if (refusal !== undefined && isAlone) throw new Refusal(refusal);
  const kept = wantedOver({ ...info.config }, wantedAt(end, info), end.comparison(info));
  const config = withoutRefused(kept, changes);
  const isSourcing = sources !== undefined;
  const updated = await js.updateStream({
    ...config,
    ...(isSourcing ? { sources: [...(kept.sources ?? []), ...sources] } : {}),
    // A stream that lost its last source took its own name as subject (nats-server stream.go).
    ...(wanted.subjects === undefined ? { subjects: [] } : {}),
  });
  const back = changes.filter((change) => !isRefused(change) && change.field !== "metadata" && !isLabel(change.field));
  if (back.length > 0) report(`site ${end.site}: ${where}: restored: ${back.map(changeWords).join("; ")}`);
  await refuseRest(js, end, updated);
  if (refusal !== undefined) throw new Refusal(refusal);
}

/**
 * What differs still: of a field that this program does not know it is what the server itself fills in, and is noted as
 * the stream's own. Errors: a Refusal for any other field.
 */
async function refuseRest(js: JetStream, end: End, info: StreamInfo): Promise<void> {
  const left = changesAt(end, info).filter((change) => !isRefused(change));
  if (left.length === 0) return;
  const isUnknown = ({ field }: StreamChange) =>
    STREAM_FIELDS[field] === undefined && !/^(sources$|metadata)/.test(field);
  if (!left.every(isUnknown))
    throw new Refusal(
      `${end.where}: the server accepted the update, but still has: ${left.map(changeWords).join("; ")}`,
    );
  const { metadata } = info.config;
  const note = JSON.parse(metadata[ADOPTED] ?? "{}") as object;
  const own = Object.fromEntries(left.map(({ field, from }) => [field, from]));
  await js.updateStream({ ...info.config, metadata: { ...metadata, [ADOPTED]: JSON.stringify({ ...note, ...own }) } });
}

/** Makes the stream. `info`: the one whose place it takes. */
export const createStream = (
  js: JetStream,
  end: End,
  sources?: StreamSource[],
  info?: StreamInfo,
): Promise<StreamInfo> => js.createStream({ ...wantedNew(labelled(end, info), end), ...present({ sources }) });

/** The same on the hub: while the machine of one of its servers is away, with a copy on each of the others at most. */
export function createOnHub(js: JetStream, end: End, servers: number, sources: StreamSource[]): Promise<StreamInfo> {
  const { wanted } = end;
  const copies = Math.min(wanted.num_replicas, servers - awayOfHub().length);
  if (copies < wanted.num_replicas)
    report(
      `site ${end.site}: ${end.where}: ${copies} of ${wanted.num_replicas} copies, until ${awayOfHub().join(", ")} is back`,
    );
  return createStream(js, { ...end, wanted: { ...wanted, num_replicas: copies } }, sources);
}

async function remake(js: JetStream, end: End, info: StreamInfo, { sources, beforeRemake }: Bring): Promise<void> {
  await beforeRemake();
  report(`site ${end.site}: ${end.where}: recreated, as REMAKE allows; it held ${info.state.messages} messages`);
  await js.deleteStream(info.config.name);
  await createStream(js, end, sources, info);
}
