import type { ConfigServer, Remote } from "./server";

/** What real servers did with the files, on loopback. */
export interface Shown {
  /** Why a server did not start, in its own words. */
  refused: ReadonlyMap<ConfigServer, string>;
  links: ReadonlyMap<Remote, ShownLink>;
  /** Servers of a cluster without a route to all others of it, with what they said. */
  incomplete: ReadonlyMap<ConfigServer, readonly string[]>;
  /** Why links were not tried, each with its place. */
  untried: readonly string[];
}

export interface ShownLink {
  /** Absent when the link never came up. */
  up?: {
    hub: ConfigServer;
    /** The account in which it came out on the hub. */
    account: string;
  };
  /** Servers that the remote names as well and that do not let it in, with what was said there. */
  refusedAt: readonly { hub: ConfigServer; reasons: readonly string[] }[];
  /** What the servers of both ends said of it, in their own words; empty when they said nothing. */
  reasons: readonly string[];
  sourcing: Sourcing;
}

/** Whether a stream of the site came to the hub over the link: 3 MB, more than passes without flow control. */
export type Sourcing =
  | { is: "proven" }
  /** `what` says how far it came, `at` where it failed, when that is known. */
  | { is: "failed"; what: string; at?: ConfigServer; next?: string }
  /** The files do not have what it takes. */
  | { is: "not-tried"; why: string };
