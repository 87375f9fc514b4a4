/**
 * Whether this run does without this program's changes to the Pulumi SDK and the NATS libraries
 * (components/sdk/bends.ts): to see whether one of them causes a problem.
 */
export const isPlain = (env: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  env.NATS_HUB_LEAF_PLAIN_SDK === "1";
