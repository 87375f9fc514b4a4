import { fromSeed } from "@nats-io/nkeys";

/** What the generated nkeys are for, by whose they are. */

/** Of the hub: who sees links and servers, who manages the merged streams, who reads them. */
export const HUB_ROLES = ["system", "operator", "reader"] as const;
/** Of a site: its link, its applications, who manages its streams, who reads what the hub collected of it. */
export const SITE_ROLES = ["link", "application", "operator", "reader"] as const;

export type KeyRole = (typeof HUB_ROLES | typeof SITE_ROLES)[number];

/** Each once. */
export const KEY_ROLES: readonly KeyRole[] = [...new Set<KeyRole>([...SITE_ROLES, ...HUB_ROLES])];

/** The public key of a seed. Errors: the library's, when the text is no seed; it never repeats the text. */
export const publicKeyOf = (seed: string): string => fromSeed(new TextEncoder().encode(seed)).getPublicKey();
