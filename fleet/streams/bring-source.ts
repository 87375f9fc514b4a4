import { StreamSettings } from "../../configs/settings";
import { splitUrls } from "../../configs/text/address";
import { isSourceOfSite, sameSource, sourceOf } from "../../configs/streams";
import { bringStream, createOnHub } from "./bring-stream";
import { bookedPosition, isForgotten, localStream } from "../book/booked-position";
import { mayDouble, mayRemake } from "../sourcing/discard";
import { doublingOf, doublingRefusal } from "../book/doubling";
import { JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { report } from "../../machine/report";
import { settleSource } from "../sourcing/source";
import { changesAt, hubEnd, isRefused, strangerOf } from "../sourcing/stream-ends";
import { StreamsInputs, accessOf } from "./streams-inputs";

/** Brings the hub's stream of a site, and the site's source in it, to what is declared. */

/** How long the hub's stream is read for what would be stored twice. */
const COUNTED_WITHIN_MS = 10_000;

/** Makes the hub's stream source the site; other sites' sources in a merged stream stay as they are. */
export async function bringSource(js: JetStream, inputs: StreamsInputs, stream: StreamSettings): Promise<void> {
  const source = sourceOf(stream, inputs.site);
  const end = hubEnd(stream, inputs);
  const info = await js.stream(stream.name);
  if (info === undefined) {
    await createOnHub(js, end, splitUrls(inputs.access.hubUrl).length, [source]);
    return;
  }
  const { declares = () => true } = end.comparison(info);
  const declared = (info.config.sources ?? []).filter(declares);
  const others = declared.filter((other) => !isSourceOfSite(other, inputs.site));
  const there = declared.find((other) => sameSource(other, source));
  // Sources that go with their stream, and sources of others, are left out.
  const isRemade = mayRemake(end.remake) && changesAt(end, info).some(isRefused);
  const isMoot = there !== undefined || strangerOf(end, info) !== undefined || isRemade;
  const doubling = isMoot
    ? undefined
    : await doublingOf({ access: accessOf(inputs), root: inputs.root }, stream, info, COUNTED_WITHIN_MS);
  const isAsked = doubling !== undefined && !mayDouble(inputs.site);
  const position = isMoot || isAsked ? 0 : await forgottenPosition(inputs, stream, info);
  await bringStream(js, end, info, {
    sources: isAsked ? declared : [...others, there ?? { ...source, opt_start_seq: position + 1 }],
    isSourced: isAsked || there !== undefined,
    beforeRemake: () => Promise.resolve(),
  });
  if (position > 0) await settleSource(js, stream.name, inputs.site);
  if (doubling === undefined) return;
  const words = doublingRefusal(stream, inputs.site, doubling);
  if (isAsked) throw new Refusal(words);
  report(`site ${inputs.site}: ${words}`, { kind: "found", server: inputs.site });
}

/** Where a source goes on of which the hub's stream shows nothing any more; 0 for the beginning. */
async function forgottenPosition(inputs: StreamsInputs, stream: StreamSettings, info: StreamInfo): Promise<number> {
  const access = accessOf(inputs);
  if (!(await isForgotten(access, stream, info))) return 0;
  return bookedPosition(inputs.root, stream, inputs.site, info, await localStream(access, stream));
}
