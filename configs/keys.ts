import { fromSeed } from "@nats-io/nkeys";

/** The public key of a seed. Errors: the library's, when the text is no seed; it never repeats the text. */
export const publicKeyOf = (seed: string): string => fromSeed(new TextEncoder().encode(seed)).getPublicKey();
