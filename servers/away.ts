import { basename } from "node:path";
import { Refusal } from "../machine/refusal";
import type { Place } from "./server-host";

/** Whether the reachable machines were determined before the CLI was started, as `make` does. */
export const isLookedFor = (): boolean => process.env.NATS_HUB_LEAF_AWAY !== undefined;

/**
 * Servers whose machine cannot be reached now, as `make up` found before it started the CLI: `NATS_HUB_LEAF_AWAY=oslo`.
 * Nothing is done there, and that is not a failure: they are pending.
 */
export const isAway = (site: string): boolean => (process.env.NATS_HUB_LEAF_AWAY ?? "").split(",").includes(site);

/** The same of a server of a hub of several, whose folder has its name. */
export const isPlaceAway = ({ folder }: Pick<Place, "folder">): boolean => isAway(basename(folder));

/** The servers of the hub among them. */
export const awayOfHub = (): string[] =>
  (process.env.NATS_HUB_LEAF_HUB_AWAY ?? "").split(",").filter((name) => name !== "");

/** Errors: a Refusal while the machine of another server is away. */
export function refuseStopping(name: string): void {
  const away = awayOfHub();
  if (away.length > 0)
    throw new Refusal(
      `${name}: this change restarts it, and the machine of ${away.join(", ")} cannot be reached: without both the hub may ` +
        "store nothing; bring that machine back, or set the change back",
    );
}
