import { StreamSettings } from "../../configs/settings";
import { Collection } from "../../diagnosis/book/ledger";
import { ProbeFacts, StreamFacts } from "../../diagnosis/facts/facts";
import { Place } from "../../servers/server-host";
import { SiteAccess } from "../sourcing/collected";
import type { WatcherPlace } from "../../servers/watch/host";

/** A server of a hub of several. */
export interface ObservedMember {
  name: string;
  /** Its own client URL. */
  url: string;
  place?: Place;
}

/** What a look at a site needs to know of it. */
export interface Observed {
  access: SiteAccess;
  /** The stack's name, which its streams carry; absent where it is unknown; streams are then not compared. */
  stack?: string;
  /** The stack's folder, for what failed before. */
  root: string;
  /** Where the site's server runs, for its configuration and log. */
  place?: Place;
  /** Whether the servers' configurations are compared with what was written; the doctor does. */
  comparesConfigs?: true;
  /** Where the hub runs, for its log and its disk. */
  hubPlace?: Place;
  /** The servers of a hub of several; absent for a hub of one. */
  hubServers?: readonly ObservedMember[];
  /** Seed of the site's application; absent where no login is to be tried. */
  application?: string;
  /** Largest message that the site is to take. */
  maxPayload?: number;
  system: string;
  hubDomain: string;
  /** Seed of the site's link, for its public key. */
  linkSeed: string;
  streams: readonly StreamSettings[];
  before: Record<string, StreamFacts["before"]>;
  probes: Record<string, ProbeFacts>;
  /** Where the fleet's watcher runs; given for one of its sites only. */
  watcher?: WatcherPlace;
  /** The account book as the last proof left it, by the hub's streams. */
  booked?: Record<string, Collection>;
}
