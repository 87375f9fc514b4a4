/** Whether the reachable machines were determined before the CLI was started, as `make` does. */
export const isLookedFor = (): boolean => process.env.NATS_HUB_LEAF_AWAY !== undefined;

/**
 * Sites whose machine cannot be reached now, as `make up` found before it started the CLI: `NATS_HUB_LEAF_AWAY=oslo`.
 * Nothing is done there, and that is not a failure: they are pending.
 */
export const isAway = (site: string): boolean => (process.env.NATS_HUB_LEAF_AWAY ?? "").split(",").includes(site);
