import { StoreLimits } from "../configs/plan-server";
import { Access, shared } from "./nats/connection";
import { accountStatus } from "./nats/system";
import { Refusal } from "./refusal";

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
  throw new Refusal(
    `hub: it has no room for what account ${account} may store; hub.maxFile and hub.maxMemory must hold the accounts ` +
      "of all sites, removed ones that still hold data included: raise them, or delete what is kept",
  );
}
