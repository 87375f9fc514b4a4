import { Difference, History, HubMark, Mark } from "./ledger";
import { Delivery, Past, Range, Run } from "./runs";

/** One end of a stream as a look sees it. */
export interface EndSeen {
  created: string;
  first: number;
  last: number;
  held: number;
  /** Sequences between the first and the last that hold nothing. */
  deleted: number;
  /** These sequences, of the hub's stream; absent where they were not read at the same moment. */
  empty?: Range[];
  bytes: number;
  history: History;
  mark: Mark | undefined;
}

export interface Look {
  site: string;
  /** When, in UTC, and by the hub's clock in milliseconds since 1970. */
  at: string;
  hubNow: number;
  atSite: EndSeen;
  onHub: EndSeen;
  position: number;
  ident: string | undefined;
  earlier: string | undefined;
  positions: Record<string, number>;
  gap: number;
  waiting: number;
  repeated: { first: number; last: number } | undefined;
  storedByEarlier: number | undefined;
  /** The site's sequence of the hub's oldest copy; one more than the position when it holds none, 0 when unknown. */
  oldest: number;
  /** Where that is a copy of an earlier stream of the site: which one. */
  oldestPast?: Past | undefined;
  /** The newest mark that stands on a hub's stream that went back. */
  stands?: HubMark | undefined;
  /** By site, second copies that stand behind it all the same. */
  stillTwice?: Record<string, Run[]> | undefined;
  /**
   * What had left a hub's stream that was recreated, and what the site has delivered again, or will. `ofFront`: had
   * left it this time; `ofLeft`: had left an earlier one, and was not delivered again then.
   */
  deliveredAgain: { ofFront: number; ofLeft: number };
  /** What the site delivers to a hub's stream that was made anew. */
  delivery: Delivery;
  /** Probes on the hub of this site's stream, purged at the site already. */
  probesOnHub: number;
  /** The site's source, as `positions` names it. */
  source: string;
  /** Positions passed without a message, by site, of a stream with several sources; absent where this was not looked at. */
  jumps: Jumps | undefined;
  /** What the declared settings let leave the hub's stream. */
  limits: HubLimits;
  /** Why messages are missing, doubled or dropped, as far as the servers show it now. */
  causes: Partial<Record<Difference["kind"], string>>;
}

export interface HubLimits {
  /** Milliseconds; 0 for none. */
  maxAge: number;
  /** Bytes; 0 for none, or where the stream refuses new messages instead. */
  maxBytes: number;
  /** Whether a limit of another kind, or a reader, may take messages out of it: one that an adopted stream came with. */
  others: boolean;
}

export interface Jumps {
  /**
   * Positions passed without a message before those that were counted: all 0 when they were counted from the first message
   * that the hub's stream ever had; absent when they were counted since the look before.
   */
  from?: Record<string, number>;
  bySite: Record<string, number>;
  /** Sequences of each site that its copies leave out, where that was read. */
  passed?: Record<string, Range[]>;
  /** Those among them that the hub never had, where they are known. */
  missed?: Record<string, Range[]>;
}
