import { NatsConnection, nuid } from "nats";
import { LinkFacts, SiteFacts, StreamFacts } from "../../diagnosis/facts/facts";
import { Access, isNoResponders, shared } from "../../servers/nats/connection";
import { MaxAgeMs } from "../../servers/nats/asking";
import { LeafLink, leafLinks } from "../../servers/nats/system";
import { messageOf } from "../../machine/refusal";
import { present } from "../../configs/values";
import { lookUntil } from "../../machine/until";

/** What the link itself does: what it may carry, and whether what goes in at one end comes out at the other. */

export const linkFacts = ({ account, rtt, subscriptions_list: subjects }: LeafLink): LinkFacts => ({
  account,
  ...present({ rtt }),
  ...(subjects === undefined ? {} : { subjects: [...subjects].sort() }),
});

const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Asks the site what a source asks it first, over the same way: from the account that collects, through the link, with
 * an answer to the subject of such answers. It only reads.
 */
export async function askOverLink(
  connection: NatsConnection,
  api: string,
  stream: string,
): Promise<StreamFacts["asked"]> {
  const first = await askOnce(connection, api, stream);
  if (first !== "no answer") return first;
  // A server that gets no processor time does not answer: ask again once the hub answers this connection, however long
  // that takes.
  await connection.flush();
  return askOnce(connection, api, stream);
}

async function askOnce(connection: NatsConnection, api: string, stream: string): Promise<StreamFacts["asked"]> {
  try {
    await connection.request(`${api}.CONSUMER.NAMES.${stream}`, "", {
      timeout: ANSWER_TIMEOUT_MS,
      noMux: true,
      reply: `$JSC.R.${nuid.next()}`,
    });
    return "answered";
  } catch (error) {
    if (isNoResponders(error)) return "nobody listens";
    return /TIMEOUT/i.test(messageOf(error)) ? "no answer" : undefined;
  }
}

/** The two ends of one link. */
export interface LinkEnds {
  hub: Access;
  leaf: Access;
  site: string;
  account: string;
}

interface Counts {
  hub: LeafLink;
  leaf: LeafLink;
}

/** The counters of both ends; undefined when there is not exactly one link. */
export async function countsOf(
  { hub, leaf, site, account }: LinkEnds,
  maxAgeMs?: MaxAgeMs,
): Promise<Counts | undefined> {
  const [onHub, atSite] = await Promise.all(
    [hub, leaf].map((access) => shared(access).then((connection) => leafLinks(connection, undefined, maxAgeMs))),
  );
  if (onHub === undefined || atSite === undefined) return undefined;
  const [one, ...others] = onHub.filter((link) => link.name === site && link.account === account);
  const [other, ...more] = atSite;
  if (one === undefined || other === undefined || others.length + more.length > 0) return undefined;
  return { hub: one, leaf: other };
}

/** Longer than what a slow link holds back. */
const CROSSING_MS = 4_000;

/** What crossed the link since `before`, watched until something crossed both ways or for a few seconds. */
export async function watchCrossing(ends: LinkEnds, before: Counts): Promise<SiteFacts["unanswered"]> {
  const isDead = (sent: number, received: number) => sent > 0 && received === 0;
  return await lookUntil(
    async () => {
      const after = await countsOf(ends);
      return after === undefined ? undefined : crossed(before, after);
    },
    (seen) =>
      seen === undefined || (!isDead(seen.hubSent, seen.siteReceived) && !isDead(seen.siteSent, seen.hubReceived)),
    { within: CROSSING_MS, every: 200 },
  );
}

/** The server's words to a site whose link another one with its name took over. */
export const DUPLICATE = /Duplicate Remote LeafNode/i;
/** Longer than a site waits before it links again. */
const REPLACED_MS = 1_500;

/** Whether the hub's link of the site is recreated again and again; once is what any reconnection does. */
export async function isReplaced({ hub, site }: LinkEnds): Promise<boolean> {
  const connection = await shared(hub);
  const seen = new Set<number>();
  const look = async (): Promise<boolean> => {
    const link = (await leafLinks(connection)).find(({ name }) => name === site);
    if (link !== undefined) seen.add(link.id);
    return seen.size > 2;
  };
  return await lookUntil(look, Boolean, { within: REPLACED_MS, every: 100 });
}

/** What crossed between two readings of the counters; undefined when the link was recreated meanwhile. */
function crossed(before: Counts, after: Counts): SiteFacts["unanswered"] {
  if (before.hub.id !== after.hub.id || before.leaf.id !== after.leaf.id) return undefined;
  return {
    hubSent: after.hub.out_msgs - before.hub.out_msgs,
    siteReceived: after.leaf.in_msgs - before.leaf.in_msgs,
    siteSent: after.leaf.out_msgs - before.leaf.out_msgs,
    hubReceived: after.hub.in_msgs - before.hub.in_msgs,
  };
}
