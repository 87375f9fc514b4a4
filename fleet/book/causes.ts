import { StreamSettings } from "../../configs/settings";
import { NANOSECONDS_PER_MS } from "../../configs/text/units";
import { Collection, Difference, turnedSince } from "../../diagnosis/book/ledger";
import { StreamInfo } from "../../servers/nats/jetstream";
import { Positions } from "./positions";

/** Why messages are missing, doubled or dropped, as far as the servers show it at the look that finds it. */

/** Limits that this program never sets, but others may have set. */
interface Limits {
  retention?: string;
  max_msgs?: number;
  max_msgs_per_subject?: number;
  duplicate_window?: number;
}

const limitsOf = ({ config }: StreamInfo): Limits => config;

/** From this share of a limit on, the limit is the likely reason. */
const NEARLY = 0.5;

/** Why a stream dropped messages that it should hold. */
function dropCause(info: StreamInfo, now: number): string {
  const { max_bytes: maxBytes, max_age: maxAge, discard } = info.config;
  const { retention = "limits", max_msgs = -1, max_msgs_per_subject: perSubject = -1 } = limitsOf(info);
  const { bytes, messages } = info.state;
  if (retention !== "limits")
    return `it has retention '${retention}', and keeps only what a consumer still has to read`;
  if (perSubject > 0) return `it keeps ${perSubject} messages of a subject (max_msgs_per_subject)`;
  if (max_msgs > 0 && messages >= max_msgs) return `newer ones pushed them out (max_msgs ${max_msgs})`;
  if (maxBytes > 0 && discard === "old" && bytes >= maxBytes * NEARLY)
    return `newer ones pushed them out (max_bytes ${maxBytes})`;
  if (maxAge > 0 && now >= maxAge / NANOSECONDS_PER_MS) return `they expired (max_age ${maxAge / 1e9} s)`;
  return "someone purged or deleted them, or its store was damaged";
}

type Causes = Partial<Record<Difference["kind"], string>>;

export function causesOf(seen: Positions, book: Collection | undefined, stream: StreamSettings, site: string): Causes {
  const before = book?.sites[site];
  const hub = book === undefined || before === undefined ? "same" : turnedSince(book.hub, seen.history.hub, before.at);
  const { history, atSite, onHub, storedByEarlier, otherSources, repeated, gap } = seen;
  const name = atSite.config.name;
  const causes: Causes = {};
  const sinceMs = Date.now() - Date.parse(before?.at ?? seen.at);
  const passed = atSite.state.first_seq > (before?.position ?? 0) + 1;
  if (storedByEarlier !== undefined) causes.missing = `stream ${name} of site ${site} was recreated`;
  else if (history.site === "went back" || repeated !== undefined)
    causes.missing = `the store of site ${site} went back in time`;
  else if (hub === "made anew") causes.missing = `the hub's stream was recreated, and the site no longer held them`;
  else if (hub === "went back") causes.missing = `the hub's store went back in time, and the site no longer held them`;
  else if (gap > 0 || passed)
    causes.missing = `stream ${name} of site ${site} dropped them before the hub took them: ${dropCause(atSite, sinceMs)}`;
  else if ((limitsOf(onHub).duplicate_window ?? 0) > 0)
    causes.missing = "the hub's stream drops messages with equal Nats-Msg-Id (duplicate_window)";
  const subjects = onHub.config.subjects ?? [];
  if (otherSources > 0) causes.doubled = `the hub's stream sources the site's stream ${otherSources + 1} times`;
  else if (subjects.length > 0) causes.doubled = `the hub's stream has subjects of its own: ${subjects.join(", ")}`;
  if (stream.collect.maxBytes > 0 || history.hub !== "same") causes.dropped = dropCause(onHub, Infinity);
  else causes.dropped = dropCause(onHub, sinceMs);
  return causes;
}
