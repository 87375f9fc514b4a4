/** What was seen of one site on both ends of its link. A fact that could not be read is absent: unknown, not wrong. */

export interface SiteFacts {
  site: string;
  /** As declared. */
  declared: { account: string; domain: string; hubDomain: string; linkKey: string };
  /** Steps of this site that failed since the last proof, in their own words. */
  failedSteps: string[];
  hub: {
    /** Why the hub's system account does not answer; absent when it does. */
    unreachable?: string;
    /** Its JetStream domain; empty when it has none, absent when it cannot be asked. */
    domain?: string;
    /** Links on the hub that carry the site's server name, with the account that each landed in. */
    links: { account: string }[];
  };
  leaf: {
    unreachable?: string;
    /** Its JetStream domain; empty when it has none, absent when it cannot be asked. */
    domain?: string;
    /** Links at the site, with the local account of each. */
    links: { account: string }[];
    /** The leaf remote of the site's configuration file; absent when it cannot be read. */
    remote?: RemoteFacts;
    /** The site's last errors, seeds masked. */
    errors: string[];
  };
  streams: StreamFacts[];
}

export interface RemoteFacts {
  /** What the `credentials` field holds; absent when there is none. */
  credentials?: "a seed" | "a file that holds a bare seed" | "a missing file" | "another file";
  /** Public key of the seed in `nkey`. */
  key?: string;
  account?: string;
  urls: string[];
}

export interface StreamFacts {
  name: string;
  /** Account and name on the hub, for messages. */
  collectedAs: string;
  /** What the hub's source should ask, `$JS.<domain>.API`. */
  api: string;
  atSite?: { messages: number; lastSeq: number; created: string } | "missing";
  onHub?: HubStreamFacts | "missing";
  /** What the last proof saw on the hub. */
  before?: { hubCreated: string; hubLastSeq: number; hubMessages: number };
  probe?: ProbeFacts;
}

export interface HubStreamFacts {
  messages: number;
  lastSeq: number;
  created: string;
  source?: {
    name: string;
    api?: string;
    /** Milliseconds since the source was heard of; -1 when it never was. */
    activeMs: number;
    lag: number;
    seq?: number;
    error?: { code: number; text: string };
  };
}

/** What became of one stream's probes. Counts are messages. */
export interface ProbeFacts {
  /** "real": the declared stream. "stand-in": a probe stream beside it; `why` says why. */
  through: "real" | "stand-in";
  why?: string;
  sent: number;
  arrived: number;
  doubled: number;
  /** Of these: the burst, which comes last. */
  burst: number;
  /** Of the first probe. */
  latencyMs?: number;
  /** Why it ended early. */
  error?: string;
}

/** An attack that should have failed. */
export interface Breach {
  site: string;
  attack: string;
  evidence: string;
  next: string;
}
