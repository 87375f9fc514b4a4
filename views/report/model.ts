/** What a preview would do to a fleet, in the fleet's words. `make preview-report ARGS=--json` prints it. */

export interface FleetChanges {
  /** Raised when a field is removed or changes its meaning, never for a new field. */
  version: 1;
  stack: string;
  verdict: "unchanged" | "changes" | "refused";
  /** Why the update is refused, with its cure each: the rules' words, the fleet check's, a server's or a stream's. */
  refusals: string[];
  /** Protected sites that go: `make up` is refused until its REMOVE names them. */
  leaving: string[];
  hub: ServerChange;
  /** The sites that something happens to, in the order of the settings; those that go come last. */
  sites: SiteChange[];
  /** Sites that nothing happens to, in the order of the settings. */
  untouched: string[];
  /** What happens to the streams of the sites that stay; the same at each of them. */
  streams: StreamChange[];
  /** Settings of the stack that change, but for those of sites and streams. */
  settings: SettingChange[];
  keys: KeyChange[];
  /** Messages that are deleted, or may be. */
  data: string[];
  /** What the preview found on the running servers, and what it could not do. */
  found: string[];
  /** Whether the smoke test runs after the update. */
  proof: string;
  /** Sites whose own side waits: expected offline, or on a machine that cannot be reached. */
  pending: { site: string; reason: string }[];
}

/**
 * What happens to a server. "repaired": it is not as it was left, and is brought back to it, by reload or restart as it
 * needs. "left alone": the site is expected offline, or its machine cannot be reached.
 */
export type ServerFate =
  "untouched" | "starts" | "reloads" | "restarts" | "replaced" | "repaired" | "stops" | "left alone";

/** What happens to the leaf link of a site. "may drop": it depends on what a repair finds. */
export type LinkFate = "stays" | "comes up" | "drops and comes back" | "may drop" | "goes" | "pending";

export interface ServerChange {
  name: string;
  server: ServerFate;
  because: string[];
}

export interface SiteChange extends ServerChange {
  site: "added" | "removed" | "changed" | "same";
  link: LinkFate;
  /** Whether its streams, or the hub's of it, are made, changed or repaired. */
  streams: boolean;
  /** Settings of the site that change. */
  settings: SettingChange[];
}

export interface SettingChange {
  setting: string;
  /** As in the settings; absent for none. */
  from?: string;
  to?: string;
}

export interface StreamChange {
  stream: string;
  where: "site" | "hub" | "both";
  what: "added" | "removed" | "changed";
  /** In nats-server's words, such as `max_bytes`; absent for a whole stream. */
  field?: string;
  from?: string;
  to?: string;
  /** "refused": JetStream cannot change it, and the program recreates no stream. */
  how: "made" | "in place" | "refused" | "deleted" | "kept";
  /** What happens to messages; empty for nothing. */
  data: string;
}

export interface KeyChange {
  owner: string;
  /** "link", "application" …, or "given" where it does not show which. */
  role: string;
  /** The site's `rotation`; absent when the key was given, or no longer is. */
  rotation?: { from: number; to: number };
}
