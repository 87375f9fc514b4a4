/** What a finding over hand-written files says in general, for the docs. */

export interface ConfigReference {
  /** "error": sourcing does not work, or data is lost or leaks, silently. "warning": a risk. */
  severity: "error" | "warning";
  /** What is wrong. */
  cause: string;
  /** How it shows on running servers. */
  shows: string;
  cure: string;
}

export const entry = (severity: "error" | "warning", cause: string, shows: string, cure: string): ConfigReference => ({
  severity,
  cause,
  shows,
  cure,
});

export const NO_LINK = "no link; the leaf server retries forever, and its health endpoint stays green";
export const NO_DATA = "the link is up and no data arrives; lag is 0 and no log mentions it";
export const NO_START = "nats-server -t accepts the file, and the server does not start with it";
