import { RawSettings } from "../../../configs/settings";
import { Topology, topologyOf } from "../../../views/topology/topology";
import { Lead } from "../../../diagnosis/facts/facts";
import { collectedName } from "../../../views/topology/mermaid";
import { PageArgs } from "../../../views/topology/page";
import { ProofOfStream } from "../../../views/topology/standing";
import { settingsOf } from "../rules/settings";

/** Fleets to draw, of any size. */

export const drawn = (raw: RawSettings): Topology => topologyOf(settingsOf(raw));

export const EVENTS = { name: "EVENTS", subjects: ["events.>"] };
export const ALARMS = { name: "ALARMS", subjects: ["alarms.>"], collect: { mode: "merged" as const } };

/** `site-1`, `site-2`, … */
export const manySites = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `site-${i + 1}` }));

const PLACES = ["oslo", "bergen", "tromso", "stavanger", "trondheim", "bodo", "alta", "narvik", "molde", "hamar"];
const NOW = Date.parse("2026-11-03T12:00:00Z");
const MINUTE = 60_000;

/** What was seen of the leaders of a hub of several: each server leads some, and one stream has none. */
export const leadsOf = ({ hub, sites }: Topology): Lead[] =>
  [...new Set(sites.flatMap(({ streams }) => streams.map(collectedName)))].map((stream, i) => ({
    stream,
    leader: i % 4 === 3 ? "" : `${hub.name}-${(i % (hub.servers ?? 1)) + 1}`,
    at: new Date(NOW - i * MINUTE).toISOString(),
  }));

/** A fleet with sites in every state, and what is known of it; the same for the same size. */
export function fleetOfSize(count: number, raw: RawSettings = {}): PageArgs {
  const sites = Array.from({ length: count }, (_, i) => ({
    name: `${PLACES[i % PLACES.length]}${i < PLACES.length ? "" : `-${Math.floor(i / PLACES.length) + 1}`}`,
    ...(i % 9 === 4 ? { expect: "offline" as const } : {}),
  }));
  const topology = drawn({ links: { tls: "generated" }, sites, streams: [EVENTS, ALARMS], ...raw });
  const ages = [12, 12, 12, 12, 12, 12, 12, 60 * 24 * 45];
  const proof = topology.sites.flatMap((site, i) =>
    site.streams.flatMap((stream, j): ProofOfStream[] => {
      const age = (ages[i % ages.length] ?? 0) * MINUTE;
      const of = { site: site.name, stream: stream.name };
      if (site.expect === "offline")
        return [{ ...of, status: "pending", messages: 0, latencyMs: 0, note: "declared offline" }];
      const time = { provenAt: new Date(NOW - age).toISOString(), ageMs: age };
      return [
        { ...of, ...time, status: "proven", messages: 28, latencyMs: 2.4 + ((i * 7 + j * 3) % 40) / 10, note: "" },
      ];
    }),
  );
  const unproven = topology.sites.filter((_, i) => i % 13 === 8).map(({ name }) => name);
  return { stack: "staging", topology, madeAt: "2026-11-03T12:00:00Z", proof, unproven };
}
