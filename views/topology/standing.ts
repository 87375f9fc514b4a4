import { present } from "../../configs/values";
import { count } from "../../configs/plan/plan-facts";
import { Lead } from "../../diagnosis/facts/facts";
import { maskSeeds } from "../../configs/seeds";
import { Topology, TopologySite, TopologyStream } from "./topology";

/** What is known of each site: its place in the topology, and its last proof. */

/** The last proof of one stream of one site, as the smoke test left it. */
export interface ProofOfStream {
  readonly site: string;
  /** The stream's name at the site. */
  readonly stream: string;
  readonly status: "proven" | "pending";
  readonly messages: number;
  readonly latencyMs: number;
  /** When it was proven last, "2026-11-03T10:11:12Z"; absent for never, or where that was not recorded. */
  readonly provenAt?: string;
  /** Milliseconds since then. */
  readonly ageMs?: number;
  readonly note: string;
}

export interface Known {
  /** Absent where only the settings are known: then nothing is said of proofs. */
  readonly proof?: readonly ProofOfStream[];
  /** Names of servers that changed since the last proof. */
  readonly unproven: readonly string[];
  /** Which server of a hub of several led each collected stream, as it was seen last. */
  readonly leads?: readonly Lead[];
}

/** "none": there is nothing to prove, or only the settings are known. */
export type State = "proven" | "old" | "unproven" | "pending" | "none";

/** The worst first. */
export const STATES: readonly State[] = ["unproven", "pending", "old", "proven", "none"];

export const STATE_WORDS: Record<State, string> = {
  proven: "proven",
  old: "old proof",
  unproven: "unproven",
  pending: "pending",
  none: "no proof",
};

/** An older proof is shown as old. The smoke test runs when something changes, so many proofs are old. */
const OLD_AFTER_MS = 30 * 86_400_000;

export interface StreamStanding {
  readonly stream: TopologyStream;
  readonly proof?: ProofOfStream;
}

export interface SiteStanding {
  readonly site: TopologySite;
  readonly state: State;
  readonly streams: readonly StreamStanding[];
  /** In a few words: how much was proven, or why nothing is. */
  readonly said: string;
  /** Of the slowest stream. May be empty. */
  readonly latency: string;
  /** In a few words: when. May be empty. */
  readonly when: string;
  /** What the smoke test noted. */
  readonly notes: readonly string[];
}

/** The sites in the order of the topology. */
export function standingOf({ hub, sites }: Topology, known: Known): SiteStanding[] {
  const proofs = new Map((known.proof ?? []).map((proof) => [keyOf(proof.site, proof.stream), proof]));
  const changed = new Set(known.unproven);
  return sites.map((site) => {
    const streams = site.streams.map((stream): StreamStanding => {
      const proof = proofs.get(keyOf(site.name, stream.name));
      return { stream, ...present({ proof }) };
    });
    const isChanged = changed.has(site.name) || changed.has(hub.name);
    const state = known.proof === undefined ? planned(site) : stateOf(site, streams, isChanged);
    const notes = [...new Set(streams.map(({ proof }) => maskSeeds(proof?.note ?? "")).filter((note) => note !== ""))];
    return { site, state, streams, notes, ...wordsOf(site, state, streams, isChanged) };
  });
}

const keyOf = (site: string, stream: string): string => `${site}/${stream}`;

const planned = (site: TopologySite): State => (site.expect === "offline" ? "pending" : "none");

function stateOf(site: TopologySite, streams: readonly StreamStanding[], isChanged: boolean): State {
  if (site.expect === "offline") return "pending";
  if (streams.length === 0) return "none";
  if (streams.some(({ proof }) => proof?.status === "pending")) return "pending";
  if (isChanged || streams.some(({ proof }) => proof === undefined)) return "unproven";
  return streams.some(({ proof }) => (proof?.ageMs ?? 0) >= OLD_AFTER_MS) ? "old" : "proven";
}

function wordsOf(
  { expect }: TopologySite,
  state: State,
  streams: readonly StreamStanding[],
  isChanged: boolean,
): Pick<SiteStanding, "said" | "latency" | "when"> {
  const proofs = streams.flatMap(({ proof }) => (proof === undefined ? [] : [proof]));
  // The oldest: a site is as proven as its least proven stream.
  const [oldest] = proofs
    .filter(({ provenAt }) => provenAt !== undefined)
    .sort((a, b) => (b.ageMs ?? 0) - (a.ageMs ?? 0));
  const last = oldest?.provenAt === undefined ? "" : timeWords(oldest.provenAt);
  switch (state) {
    case "proven":
    case "old":
      return { ...provenWords(proofs), when: last === "" ? "time not recorded" : last };
    case "unproven": {
      const never = last === "" && proofs.length === 0;
      return { said: isChanged && !never ? "changed since" : "not proven yet", latency: "", when: last };
    }
    case "pending":
      return { said: expect === "offline" ? "expected offline" : "its machine was away", latency: "", when: last };
    case "none":
      return { said: streams.length === 0 ? "no streams, nothing to prove" : "planned", latency: "", when: "" };
    default:
      return never(state);
  }
}

function never(state: never): never {
  throw new Error(`there is no state '${String(state)}'`);
}

const provenWords = (proofs: readonly ProofOfStream[]): Pick<SiteStanding, "said" | "latency"> => ({
  said: count(
    proofs.reduce((sum, { messages }) => sum + messages, 0),
    "message",
  ),
  latency: latencyWords(Math.max(...proofs.map(({ latencyMs }) => latencyMs))),
});

export const latencyWords = (ms: number): string =>
  ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(1)} ms`;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "2026-11-03T10:11:12Z" -> "3 Nov 2026, 10:11 UTC"; any other text as it is. */
export function timeWords(iso: string): string {
  const [, year, month, day, time] = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2}):\d{2}(?:\.\d+)?Z$/.exec(iso) ?? [];
  const name = MONTHS[Number(month) - 1];
  return name === undefined || time === undefined ? iso : `${Number(day)} ${name} ${year}, ${time} UTC`;
}
