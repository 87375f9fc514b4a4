import { valueWords } from "../../configs/plan/stream-words";
import { mayDiscard, mayRemake } from "../sourcing/discard";
import { StreamInfo } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { End, atStake, changesAt, isRefused, remakeWords, strangerOf } from "../sourcing/stream-ends";

/** What keeps a stream from becoming as declared, and the way out; undefined for nothing. */
export function refusalOf(end: End, info: StreamInfo): string | undefined {
  const { where, site } = end;
  const stranger = strangerOf(end, info);
  if (stranger !== undefined)
    return `${where}: a stream of this name exists and ${stranger}; rename yours, or set adopt: true to take it over`;
  const refused = changesAt(end, info).filter(isRefused);
  if (refused.length > 0) {
    if (mayRemake(end.remake)) return undefined;
    const words = refused
      .map(({ field, from, to }) => `${field} ${valueWords(field, from)} -> ${valueWords(field, to)}`)
      .join(", ");
    return `${where}: JetStream cannot change ${words} in place; declare a stream of another name, or ${remakeWords(end, info, refused)}`;
  }
  const lost = atStake(end, info);
  return lost === undefined || mayDiscard(site)
    ? undefined
    : `${where}: ${lost}; keep the limit, or allow the loss with DISCARD=${site}`;
}

/** Refuses what JetStream cannot change in place, what would lose messages, and a stream of others. */
export function refuseChange(end: End, info: StreamInfo): void {
  const refusal = refusalOf(end, info);
  if (refusal !== undefined) throw new Refusal(refusal);
}
