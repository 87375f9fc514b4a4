import { fromSeed } from "@nats-io/nkeys";

/** What the generated nkeys are for, by whose they are. */

/** The hub's: to see links and servers, to manage the merged streams, to read them. */
export const HUB_ROLES = ["system", "operator", "reader"] as const;
/** A site's: for its link, for its applications, to manage its streams, to read what the hub collected from it. */
export const SITE_ROLES = ["link", "application", "operator", "reader"] as const;

/** The key with which the servers of a cluster authenticate each other; no user has it. */
export const ROUTES_KEY = "routes";

export type KeyRole = (typeof HUB_ROLES | typeof SITE_ROLES)[number];

/** Each once. */
export const KEY_ROLES: readonly KeyRole[] = [...new Set<KeyRole>([...SITE_ROLES, ...HUB_ROLES])];

/** The public key of a seed. Errors: the library's, when the text is no seed; it never repeats the text. */
export const publicKeyOf = (seed: string): string => fromSeed(new TextEncoder().encode(seed)).getPublicKey();
