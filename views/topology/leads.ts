import { count } from "../../configs/plan/plan-facts";
import { Lead } from "../../diagnosis/facts/facts";
import { timeWords } from "./standing";
import { Topology, TopologyServer, TopologyStream } from "./topology";

/** The servers of a hub of several, and which of the collected streams each led when that was seen last. */

/** Streams of one server that are named; the others are counted. */
const NAMED = 3;

/** `OSLO/EVENTS` */
const nameOf = ({ collected }: TopologyStream): string => `${collected.account}/${collected.stream}`;

/** Empty for a hub of one. */
export function serverNames({ name, servers = 0, machines }: TopologyServer): string[] {
  return machines?.map((machine) => machine.name) ?? Array.from({ length: servers }, (_, i) => `${name}-${i + 1}`);
}

/** What was seen of the streams that the topology has; merged ones first, because all sites are in them. */
function known({ sites }: Topology, leads: readonly Lead[]): Lead[] {
  const streams = new Map(sites.flatMap((site) => site.streams).map((stream) => [nameOf(stream), stream]));
  const rank = ({ stream }: Lead): number => (streams.get(stream)?.collected.mode === "merged" ? 0 : 1);
  return leads.filter(({ stream }) => streams.has(stream)).sort((a, b) => rank(a) - rank(b));
}

const named = (streams: readonly string[]): string =>
  streams.length <= NAMED
    ? streams.join(", ")
    : `${count(streams.length, "stream")}: ${streams.slice(0, NAMED).join(", ")}, …`;

/**
 * A line for each server of the hub: `hub-2 leads OSLO/EVENTS`; then the streams without a leader, and when all of that was
 * seen. Empty for a hub of one.
 */
export function leadLines(topology: Topology, leads: readonly Lead[] = []): string[] {
  const servers = serverNames(topology.hub);
  if (servers.length === 0) return [];
  const seen = known(topology, leads);
  if (seen.length === 0) return [servers.join(", "), "which one leads was not seen yet"];
  const ledBy = (leader: string): string[] => seen.filter((lead) => lead.leader === leader).map(({ stream }) => stream);
  const ofNone = ledBy("");
  // A server that is no more, until somebody looks again.
  const others = [...new Set(seen.map(({ leader }) => leader))].filter(
    (name) => name !== "" && !servers.includes(name),
  );
  return [
    ...[...servers, ...others].map((name) => `${name} leads ${named(ledBy(name)) || "no stream"}`),
    ...(ofNone.length === 0 ? [] : [`without a leader: ${named(ofNone)}`]),
    seenWords(seen),
  ];
}

/** `seen 3 Nov 2026, 10:11 UTC`, or between which times. */
function seenWords(leads: readonly Lead[]): string {
  const times = leads.map(({ at }) => at).sort();
  const [first, last] = [timeWords(times[0] ?? ""), timeWords(times.at(-1) ?? "")];
  return first === last ? `seen ${first}` : `seen between ${first} and ${last}`;
}

/** `led by hub-2, seen 3 Nov 2026, 10:11 UTC`; empty where nothing was seen. */
export function leadWords(stream: TopologyStream, leads: readonly Lead[] = []): string {
  const lead = leads.find((one) => one.stream === nameOf(stream));
  if (lead === undefined) return "";
  return `${lead.leader === "" ? "without a leader" : `led by ${lead.leader}`}, seen ${timeWords(lead.at)}`;
}
