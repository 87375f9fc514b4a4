import { handOverFrom, handOverTo } from "../../fleet/streams/hand-over";
import { exclusively } from "../../machine/exclusively";
import { report } from "../../machine/report";
import { isPartlyLost, refill } from "../../servers/files/hub-refill";
import { HubMember, membersAccess, thereOf } from "../../servers/hub-members";
import { allKnowLeader, waitForOrder, waitUntilFilled } from "../../servers/nats/cluster";
import type { Access } from "../../servers/nats/connection";
import { Outcome, Server, bringUp } from "../../servers/server";
import type { Place } from "../../servers/server-host";

/** A server of the hub among the others: no two of them are down at a time. */

interface OneOfSeveral {
  root: string;
  place: Place;
  secrets: { system: string };
  servers?: HubMember[];
}

/** The other servers of the hub whose machines can be reached. */
const othersOf = ({ servers = [], secrets }: OneOfSeveral, { access }: Server): Access[] =>
  membersAccess(
    thereOf(servers).filter(({ url }) => url !== access.url),
    secrets.system,
  );

/**
 * Brings the server to its configuration. Of several servers one at a time restarts, when the others are in order, and the
 * next one waits until all are: collection goes on. One that starts beside others that work is waited for as well: with it
 * comes the turn of the next container.
 */
export async function bringOneAtATime(
  inputs: OneOfSeveral,
  server: Server,
  digest: string,
  restart: boolean,
): Promise<Outcome> {
  const others = othersOf(inputs, server);
  if (others.length === 0) return bringUp(server, digest, restart);
  if (!(await server.host.isRunning())) return bringBack(inputs, server, digest, others);
  return exclusively(`servers of the hub ${inputs.root}`, async () => {
    if (restart) {
      await waitForOrder(others, `${server.name} is not restarted while other servers of the hub are out of order`);
      await handOverFrom(inputs.root, server.name);
    }
    const outcome = await bringUp(server, digest, restart);
    if (outcome !== "restarted") return outcome;
    await waitForOrder([...others, server.access], `${server.name} was restarted, and the next one waits for the hub`);
    return outcome;
  });
}

/** Starts a server of several that does not run. Beside others that work it is waited for until it has its copies. */
async function bringBack(
  { root, place, servers = [] }: OneOfSeveral,
  server: Server,
  digest: string,
  others: readonly Access[],
): Promise<Outcome> {
  const { name, access } = server;
  const start = async (): Promise<Outcome> => {
    const joins = await allKnowLeader(others);
    const outcome = await bringUp(server, digest, false);
    const say = (troubles: readonly string[]) =>
      report(`${name}: waiting until it has its copies (${troubles.join("; ")})`);
    if (joins) await waitUntilFilled(name, access, others, say);
    if (joins && place.kind === "docker") await handOverTo(root, name);
    return outcome;
  };
  if (!isPartlyLost(servers)) return start();
  return exclusively(`partly lost hub ${root}`, async () => {
    await refill(name, place, servers);
    return start();
  });
}
