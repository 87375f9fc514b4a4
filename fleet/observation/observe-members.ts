import { MemberFacts } from "../../diagnosis/facts/facts";
import { present } from "../../configs/values";
import { lookUntil } from "../../machine/until";
import { messageOf } from "../../machine/refusal";
import { metaLeader, notInOrder, otherNames } from "../../servers/nats/cluster";
import { shared } from "../../servers/nats/connection";
import { accountNames } from "../../servers/nats/system";
import { hostOf } from "../../servers/hosts";
import type { ObservedMember } from "./observed";
import { readable } from "./observe-server";

/** What each server of a hub of several says of itself and of the others. */

/** An election takes 4 to 8 s, and a copy that was away needs a moment. */
const ELECTION_MS = 10_000;

async function memberFacts(
  { name, url, place }: ObservedMember,
  system: string,
  account: string,
): Promise<MemberFacts> {
  try {
    const connection = await shared({ url, seed: system });
    const [leader, others, names, troubles] = await Promise.all([
      metaLeader(connection),
      readable(otherNames(connection)),
      readable(accountNames(connection)),
      readable(notInOrder({ url, seed: system })),
    ]);
    const hasAccount = names?.includes(account);
    return { name, leader: leader ?? "", ...present({ routes: others?.length, hasAccount, troubles }) };
  } catch (error) {
    const state = place === undefined ? undefined : await readable(hostOf(place).state());
    return { name, unreachable: `${url}: ${messageOf(error)}`, ...present({ process: state }) };
  }
}

const isCalm = (members: readonly MemberFacts[]): boolean =>
  members.every(({ leader, troubles = [] }) => leader !== "" && troubles.length === 0);

/** Looks again while an election, or a copy that catches up, explains what is seen. Never throws. */
export const membersFacts = (
  members: readonly ObservedMember[],
  system: string,
  account: string,
): Promise<MemberFacts[]> =>
  lookUntil(() => Promise.all(members.map((one) => memberFacts(one, system, account))), isCalm, {
    within: ELECTION_MS,
    every: 250,
  });
