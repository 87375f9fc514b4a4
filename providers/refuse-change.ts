import { OWNER, StreamConfig, streamChanges } from "../configs/streams";
import { mayDiscard } from "./discard";
import { StreamInfo } from "./nats/jetstream";
import { Refusal } from "./refusal";

/** Messages that a smaller limit would drop at once, in words; undefined when none. */
function atStake(info: StreamInfo, wanted: StreamConfig): string | undefined {
  if (wanted.max_bytes < info.config.max_bytes && info.state.bytes > wanted.max_bytes) {
    return `max_bytes ${wanted.max_bytes} is less than the ${info.state.bytes} bytes that it holds`;
  }
  const shorter = wanted.max_age > 0 && (info.config.max_age === 0 || wanted.max_age < info.config.max_age);
  return shorter && info.state.messages > 0 ? "a shorter max_age drops the messages that are older" : undefined;
}

/** Refuses what JetStream cannot change in place, what would lose messages, and a stream of somebody else. */
export function refuseChange(
  where: string,
  info: StreamInfo,
  wanted: StreamConfig,
  { adopt, site }: { adopt: boolean; site: string },
): void {
  const owner = info.config.metadata?.[OWNER];
  if (owner !== wanted.metadata[OWNER] && !adopt) {
    const whose = owner === undefined ? "was not made by this program" : `belongs to stack ${owner}`;
    throw new Refusal(
      `${where}: a stream of this name exists and ${whose}; rename yours, or set adopt: true to take it over`,
    );
  }
  const refused = streamChanges(info.config, wanted).filter((change) => change.kind === "refused");
  if (refused.length > 0) {
    const words = refused.map(({ field, from, to }) => `${field} ${String(from)} -> ${String(to)}`).join(", ");
    throw new Refusal(
      `${where}: JetStream cannot change ${words} in place, and a new stream would lose ${info.state.messages} messages; declare a stream of another name`,
    );
  }
  const lost = atStake(info, wanted);
  if (lost !== undefined && !mayDiscard(site)) {
    throw new Refusal(`${where}: ${lost}; keep the limit, or allow the loss with DISCARD=${site}`);
  }
}
