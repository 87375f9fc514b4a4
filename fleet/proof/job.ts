import { ProbeSettings, StreamSettings } from "../../configs/settings";
import { ProbeFacts, StreamFacts } from "../../diagnosis/facts/facts";
import { Collection } from "../../diagnosis/book/ledger";
import { Finding } from "../../diagnosis/facts/finding";
import { isAway } from "../../servers/away";
import type { WatcherPlace } from "../../servers/watch/host";
import type { HubMember } from "../../servers/hub-members";
import type { Place } from "../../servers/server-host";
import type { Packed } from "./packed";
import { ProofRow } from "./proof";

/** What the smoke test is given, and what it leaves. */

export interface SmokeTestInputs {
  run: "onChange" | "always";
  stack: string;
  root: string;
  hub: {
    name: string;
    url: string;
    leafUrl: string;
    place?: Place;
    /** Every server of a hub of several; absent for a hub of one. */
    servers?: HubServerPoint[];
  };
  sites: SmokeTestSite[];
  streams: StreamSettings[];
  probes: ProbeSettings;
  /** Secret. */
  secrets: {
    system: string;
    hubOperator: string;
    sites: Record<string, { application: string; operator: string; link: string }>;
    /** Of the watcher's key; absent without one. */
    watch?: string;
  };
  /** What is proven is one wave of sites; absent in the test of all. */
  wave?: {
    number: number;
    /** The sites that are touched only when it is proven. */
    later: string[];
  };
  /** Where the watcher runs; absent without one. */
  watcher?: WatcherPlace;
}

/** A server of a hub of several, and where it is reached. */
export interface HubServerPoint extends HubMember {
  name: string;
  /** Its leafnode listener. */
  leafUrl: string;
}

/** The hub's server, or each of its servers that can be reached. */
export const hubPoints = ({ name, url, leafUrl, servers }: SmokeTestInputs["hub"]): Omit<HubServerPoint, "place">[] =>
  servers?.filter((server) => !isAway(server.name)) ?? [{ name, url, leafUrl }];

export interface SmokeTestSite {
  site: string;
  expect: "online" | "offline";
  url: string;
  /** Whether the site is reached through the hub; absent for no. */
  throughHub?: true;
  place: Place;
  /** Largest message that it is to take, in bytes. */
  maxPayload?: number;
  /** Digest of the site's own declaration: when it changes, the burst goes over its link. */
  declared: string;
}

/** A digest instead of the inputs: state holds every byte of them twice otherwise. */
export interface SmokeTestOutputs {
  root: string;
  /** Digest of the inputs. */
  inputs: string;
  /** What each site declared when it was proven. */
  declared: Record<string, string>;
  proof: ProofRow[];
  /** What was proven: server ids by name, and the hub's streams at that time (see `record`). */
  proven: {
    servers: Record<string, string>;
    streams: Record<string, NonNullable<StreamFacts["before"]>>;
    /**
     * The account book, by the hub's streams, for when the one beside the servers is lost; absent in an older state, and not
     * packed in a later one.
     */
    book?: Packed | Record<string, Collection>;
  };
}

/** The result for one site. */
export interface Proved {
  site: SmokeTestSite;
  probes: Record<string, ProbeFacts>;
  findings: Finding[];
  /** Whether both servers answer and let applications in, so that attacks prove something. */
  isReachable: boolean;
}
