import { Reservation } from "../../configs/plan/plan-hub";
import { StoreLimits } from "../../configs/plan/plan-server";
import { formatSize } from "../../configs/text/units";
import { Access, shared } from "../../servers/nats/connection";
import { PROBE_ROOM, atLeast } from "../../configs/plan/limits";
import { accountStatus, jsz } from "../../servers/nats/system";
import { Refusal } from "../../machine/refusal";

/**
 * Refuses a hub that has no room for an account. The server answers the reload with success then, logs "insufficient
 * storage resources" and leaves the account without JetStream, so that every request to it ends in "503".
 */
export async function refuseWithoutRoom(
  hub: Access,
  account: string,
  { maxFile, maxMemory }: StoreLimits,
): Promise<void> {
  if (maxFile + maxMemory === 0) return;
  const status = await accountStatus(await shared(hub), account);
  if (status === undefined || status.jetstream_enabled) return;
  throw noRoom(`it has no room for what account ${account} may store`);
}

/**
 * What an account of the hub needs for the streams that it has: what they reserve, else what they hold, with room for what
 * is on its way. undefined when it cannot be asked; nothing for an account without streams.
 */
export async function heldBy(hub: Access, account: string): Promise<StoreLimits[] | undefined> {
  try {
    const details = (await jsz(await shared(hub), account)).account_details ?? [];
    const found = details.find(({ name }) => name === account);
    const { storage = 0, memory = 0, reserved_storage = 0, reserved_memory = 0 } = found ?? {};
    const withRoom = (bytes: number) => (bytes === 0 ? 0 : bytes + PROBE_ROOM);
    const holds = { maxFile: withRoom(storage), maxMemory: withRoom(memory) };
    return [atLeast(holds, { maxFile: reserved_storage, maxMemory: reserved_memory }), holds];
  } catch {
    return undefined;
  }
}

/** Refuses limits of the hub with which its server would end at the start: "insufficient storage resources". */
export function refuseTooLittle(limits: StoreLimits, reservations: readonly Reservation[]): void {
  for (const kind of ["maxFile", "maxMemory"] as const) {
    const holding = reservations.filter((reserved) => reserved.limits[kind] > 0);
    const lacking = holding.reduce((sum, reserved) => sum + reserved.limits[kind], 0) - limits[kind];
    if (lacking <= 0) continue;
    throw noRoom(
      `it could not restart with ${formatSize(limits[kind])} of hub.${kind}, ${formatSize(lacking)} too little ` +
        `for what its accounts may store now (${holding.map(({ owner }) => owner).join(", ")})`,
    );
  }
}

const noRoom = (problem: string): Refusal =>
  new Refusal(
    `hub: ${problem}; hub.maxFile and hub.maxMemory must hold the accounts of all sites, including one that leaves in ` +
      "this update and removed ones whose data is kept: raise them. To delete kept data, add its site again " +
      "and remove it with DISCARD_COLLECTED=<site>",
  );
