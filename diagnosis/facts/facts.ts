import type { FlowControlForm } from "../../configs/subjects";
import { BookFacts } from "../book/facts";

/** What was seen of one site on both ends of its link. A fact that could not be read is absent: unknown, not wrong. */

export interface SiteFacts {
  site: string;
  /** As declared. */
  declared: {
    account: string;
    domain: string;
    hubDomain: string;
    linkKey: string;
    /** Largest message that the site takes, in bytes; absent when unknown. */
    maxPayload?: number;
  };
  /**
   * What was changed by hand in the configurations of the hub and of the site, in words; absent when this was not
   * looked at.
   */
  configChanges?: { hub: string[]; leaf: string[] };
  /** Steps of this site that failed since the last proof, in their own words. */
  failedSteps: string[];
  hub: ServerFacts & {
    /** Links on the hub that carry the site's server name, with the account that each landed in. */
    links: LinkFacts[];
    /** Of a link that is not there: what else was seen of it, in words. */
    notLinked?: string;
    /** Names of other servers whose links landed in the site's account. */
    strangers?: string[];
    /** Its servers, where it has several. */
    members?: MemberFacts[];
    /** Whether its link was replaced by another one during the look; checked only when the site logs it. */
    replaced?: boolean;
  };
  leaf: ServerFacts & {
    /** Whether the site is asked through the hub, which must answer first. */
    throughHub?: true;
    /** Links at the site, with the local account of each. */
    links: LinkFacts[];
    /** The leaf remote of the site's configuration file; absent when it cannot be read. */
    remote?: RemoteFacts;
    /** The site's last errors, seeds masked. */
    errors: string[];
    /** What its server grants applications; absent when it was not asked, or does not answer. */
    application?: ApplicationFacts;
  };
  /** Messages that each end counted on the link while a request of the hub went unanswered; absent when none did. */
  unanswered?: { hubSent: number; siteReceived: number; siteSent: number; hubReceived: number };
  streams: StreamFacts[];
  /** The watcher of the fleet; absent where none is deployed, or where another site's facts have it. */
  watcher?: WatcherFacts;
}

/**
 * "silent": its process is there and does not answer. "behind": the hub has not told it of its links for a while. "unreachable":
 * the engine of its container cannot be asked.
 */
export interface WatcherFacts {
  state: "gone" | "frozen" | "silent" | "behind" | "watches" | "unreachable";
  /** What it said, or why it said nothing. */
  said?: string;
  /** Sources that are silent although their link is there. */
  waiting?: number;
}

export interface ServerFacts {
  /** Why the server does not answer; absent when it does. */
  unreachable?: string;
  /** What is seen of its process while it does not answer; absent when it cannot be seen. */
  process?: "running" | "frozen" | "gone";
  /** For a process that is gone: why it exited on its own at its last start, and the cure. */
  ended?: { said: string; cure?: string };
  /** Its JetStream domain; empty when it has none, absent when it cannot be asked. */
  domain?: string;
  /** Milliseconds since it started. */
  upMs?: number;
  /** Largest message that it takes, in bytes. */
  maxPayload?: number;
  /** The form of flow control subjects that its consumers use. */
  flowControl?: FlowControlForm;
  /** "on", or where JetStream is off. */
  jetStream?: string;
  /** Why its store takes nothing more until the server is restarted, in the server's words; absent when it does. */
  storeFailure?: string;
  /** Room on the file system of its store; absent where it cannot be seen. */
  room?: { path: string; bytes: number; isReadOnly?: true };
}

/** What one server of a hub of several says. */
export interface MemberFacts {
  name: string;
  /** Why it does not answer; absent when it does. */
  unreachable?: string;
  process?: "running" | "frozen" | "gone";
  /** The server that leads JetStream, as it knows; empty for none, absent when it does not answer. */
  leader?: string;
  /** How many of the others it has a route to. */
  routes?: number;
  /** Whether it has the site's account. */
  hasAccount?: boolean;
  /** Copies that are behind, and streams without a leader, in words. */
  troubles?: string[];
}

/** What the site's server says to the key of its applications. */
export interface ApplicationFacts {
  /** Why it is not let in, in the server's words. */
  refused?: string;
  /** Largest message that it may publish, in bytes. */
  maxPayload?: number;
  /** Subjects of the streams that it may not publish on. */
  denied?: string[];
}

export interface LinkFacts {
  account: string;
  /** What the other end wants to be sent over the link, as far as it may be. */
  subjects?: string[];
  rtt?: string;
}

export interface RemoteFacts {
  /** What the `credentials` field holds; absent when there is none. */
  credentials?: "a seed" | "a file that holds a bare seed" | "a missing file" | "another file";
  /** Public key of the seed in `nkey`. */
  key?: string;
  account?: string;
  urls: string[];
  /** Subjects that the remote keeps from coming in and from going out. */
  denyImports?: string[];
  denyExports?: string[];
}

export interface StreamFacts {
  name: string;
  /** Its name in the settings; absent when it is the same. */
  declaredAs?: string;
  /** Account and name on the hub, for messages. */
  collectedAs: string;
  /** What the hub's source should ask, `$JS.<domain>.API`. */
  api: string;
  /** Prefix of the subjects on which the site should deliver. */
  deliver?: string;
  /** In merged mode: what the accounts OSLO and HUB should pass on and do not, in words. */
  notPassedOn?: string[];
  /** Whether the site answers what the hub's source asks first, over the same way. */
  asked?: "answered" | "nobody listens" | "no answer";
  atSite?: SiteStreamFacts | "missing";
  /**
   * Whether the site's stream is younger than what the hub took last; known only if the hub is ahead, or its position
   * is unknown.
   */
  remade?: boolean;
  onHub?: HubStreamFacts | "missing";
  consumer?: ConsumerFacts | "missing";
  /** Sequences that the site stored again after it had lost them, and that the hub had taken before: it skipped them. */
  overrun?: { first: number; last: number };
  /** What the last proof saw. */
  before?: { hubCreated: string; hubLastSeq: number; hubMessages: number; siteCreated?: string };
  probe?: ProbeFacts;
  /** What the account book says of it. */
  book?: BookFacts;
}

/** The newest consumer that the hub's source has at the site. */
export interface ConsumerFacts {
  /** Messages that it sent, and its sequence. */
  sent: number;
  upTo: number;
  /** Messages that it has yet to send. */
  pending: number;
  /** Whether anyone receives what it sends. */
  bound: boolean;
  /** Consumers of sources at the stream; old ones vanish after a while. */
  count: number;
  /** For how much longer it is paused, in milliseconds; absent when it is not. */
  pausedMs?: number;
}

export interface SiteStreamFacts {
  messages: number;
  lastSeq: number;
  created: string;
  /** Why it takes no more messages; absent when it does. */
  full?: string;
  /** How it differs from what is declared; absent when it does not, or that is unknown. */
  drift?: DriftFacts;
}

/** Which server of a hub of several led a collected stream when it was looked at. */
export interface Lead {
  /** `OSLO/EVENTS` */
  stream: string;
  /** Empty where it had no leader. */
  leader: string;
  /** "2026-11-03T10:11:12Z" */
  at: string;
}

export interface HubStreamFacts {
  /** The server of a hub of several that leads it; empty for none. */
  leader?: string;
  messages: number;
  lastSeq: number;
  created: string;
  /** Milliseconds since it was made. */
  ageMs?: number;
  /** Why it takes no more messages; absent when it does. */
  full?: string;
  /** How it differs from what is declared; absent when it does not, or that is unknown. */
  drift?: DriftFacts;
  /** What of the site it would store a second time when its source is put back, in words; absent for nothing. */
  doubles?: string;
  /**
   * The time within which it drops a message with an equal id, in words; absent if it does not, or if that is part of
   * `drift`.
   */
  window?: string;
  source?: {
    name: string;
    api?: string;
    /** Milliseconds since the source was heard of; -1 when it never was. */
    activeMs: number;
    lag: number;
    seq?: number;
    error?: { code: number; text: string };
    /** What it takes of the site's stream, when that is not what is declared. */
    altered?: string;
  };
}

/** The result of one stream's probes. Counts are messages. */
export interface ProbeFacts {
  /** "real": the declared stream. "stand-in": a probe stream beside it; `why` says why. */
  through: "real" | "stand-in";
  why?: string;
  sent: number;
  arrived: number;
  doubled: number;
  /** How many of these belong to the burst, which comes last. */
  burst: number;
  /** Of the first probe. */
  latencyMs?: number;
  /** Probes that were taken out of the real stream at each end, with what a killed run had left. */
  removed?: { site: number; hub: number };
  /** Messages on the probes' subjects at each end that are not this program's; absent for none. They stay. */
  foreign?: { site: number; hub: number };
  /**
   * For a stand-in: what the real stream's source did meanwhile, as its position `before` and `after`; `waits`: whether
   * the site holds a message that it has not taken.
   */
  real?: { before: number; after: number; waits: boolean };
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

/** How a stream on a server differs from what is declared of it. */
export interface DriftFacts {
  differences: {
    words: string;
    /** What it does to messages; absent when nothing. */
    harm?: string;
  }[];
  /** Whose it is, when the program must not change it. */
  stranger?: string;
  /** What JetStream cannot put back, and the way out. */
  refused?: { fields: string[]; cure: string };
  /** What is lost when the declared limits are put back. */
  cost?: string;
}
