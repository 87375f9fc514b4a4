import { OWNER } from "../../configs/streams";
import { StreamInfo } from "../../servers/nats/jetstream";

/** The owner of a stream, in words, if it does not carry this stack's mark; undefined if it does. */
export function otherOwner({ config }: Pick<StreamInfo, "config">, stack: string): string | undefined {
  const owner = (config.metadata as StreamInfo["config"]["metadata"] | undefined)?.[OWNER];
  if (owner === stack) return undefined;
  return owner === undefined ? "was not made by this program" : `belongs to stack ${owner}`;
}
