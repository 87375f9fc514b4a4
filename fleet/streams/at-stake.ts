import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { SiteAccess, atSite, undeliveredOf } from "../sourcing/collected";
import { otherOwner } from "../sourcing/stream-owner";

/** What would be lost if streams of a site were removed. */

export interface Leaving {
  /** The stack whose streams leave; undefined in a state of before it was recorded, which takes all streams as its own. */
  stack: string | undefined;
  /** Whether the site's server goes too, with everything that it holds. */
  withServer: boolean;
}

export interface Loss {
  words: string;
  /** Whether the messages are in a stream of others. @default false */
  isOthers?: boolean;
  /** Whether the loss is unknown, because the site's streams cannot be read. @default false */
  isUnread?: boolean;
}

/**
 * A stream that this program did not make stays, and loses nothing, unless its server is removed. Throws when a stream
 * cannot be read.
 */
export async function lossesOf(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  { stack, withServer }: Leaving,
  patienceMs?: number,
): Promise<Loss[]> {
  const js = await atSite(access);
  const losses = await Promise.all(
    streams.map(async (stream): Promise<Loss[]> => {
      const name = siteStreamName(stream, access.site);
      const info = await js.stream(name);
      if (info === undefined) return [];
      const owner = stack === undefined ? undefined : otherOwner(info, stack);
      if (owner === undefined) {
        const count = await undeliveredOf(access, stream, patienceMs);
        return count === 0 ? [] : [{ words: `${count} messages of stream ${name} have not reached the hub` }];
      }
      const { messages } = info.state;
      const words = `stream ${name} ${owner}, and the ${messages} messages that it holds would go with the site's server`;
      return withServer && messages > 0 ? [{ words, isOthers: true }] : [];
    }),
  );
  return losses.flat();
}

/** The losses with the way out of each. */
export function lossWords(losses: readonly Loss[], site: string): string {
  const ways = [
    ...(losses.some(({ isUnread = false }) => isUnread) ? ["start the site's server ('pulumi up' with the site)"] : []),
    ...(losses.some(({ isOthers = false, isUnread = false }) => !isOthers && !isUnread)
      ? ["wait until the hub has them"]
      : []),
    ...(losses.some(({ isOthers = false }) => isOthers) ? ["save or move them ('nats stream backup')"] : []),
  ];
  const lost = losses.map(({ words }) => words).join("; ");
  return `${lost}; ${ways.join(", ")}, or allow the loss with DISCARD=${site}`;
}
