import type { Reference } from "../engine/finding";

/** What a finding over hand-written files says in general, for the docs. */

export type { Reference };

export const entry = (severity: "error" | "warning", cause: string, shows: string, cure: string): Reference => ({
  severity,
  cause,
  shows,
  cure,
});

export const NO_LINK = "no link; the leaf server retries forever, and its health endpoint stays green";
export const NO_DATA = "the link is up and no data arrives; lag is 0 and no log mentions it";
export const NO_START = "nats-server -t accepts the file, and the server does not start with it";
