/**
 * Whether this run goes without what this program changes of the Pulumi SDK and of the NATS libraries to be faster
 * (components/sdk/bends.ts): to see whether one of that is to blame.
 */
export const isPlain = (): boolean => process.env.NATS_HUB_LEAF_PLAIN_SDK === "1";
