/** From when on a source counts as silent or late: for the alerts, and for what checks the streams of the hub. */

/** A healthy source is heard of every second. */
export const INACTIVE_S = 10;

/** How long it must have been so: the server itself takes up to 40 s to find a site again. */
export const INACTIVE_FOR_S = 60;

/** Who looks once, and not twice a minute apart, waits for both. */
export const SEEN_CRITICAL_S = INACTIVE_S + INACTIVE_FOR_S;

/** Messages behind at one look. While data flows some always are: the alert of lag waits for ten minutes instead. */
export const LAG_CRITICAL = 10_000;
