import { readSettings } from "../../configs/reading/read-settings";
import { ProofOfStream, standingOf } from "../../views/topology/standing";
import { svgFile } from "../../views/topology/svg";
import { topologyOf } from "../../views/topology/topology";
import { Refusal } from "../../machine/refusal";

/** The picture of an example, docs/topology.svg: six sites on machines of their own, one not there yet, one just changed. */

const SETTINGS = {
  runtime: "docker",
  hub: { host: "0.0.0.0", address: "hub.example" },
  links: { tls: "generated" },
  sites: ["oslo", "bergen", "tromso", "bodo", "alta", "narvik"].map((name) => ({
    name,
    engine: `ssh://edge@${name}.example`,
    address: `${name}.example`,
    host: "0.0.0.0",
    hubAddress: "hub.example:7422",
    expect: name === "narvik" ? "offline" : "online",
  })),
  streams: [
    { name: "EVENTS", subjects: ["events.>"] },
    { name: "ALARMS", subjects: ["alarms.>"], collect: { mode: "merged" } },
  ],
};

const CHANGED = "bodo";
const LATENCIES = [3.6, 3.0, 4.4, 2.9, 5.1];

/** README shows it on a page of this width. */
const WIDTH = 860;

export function exampleSvg(): string {
  const { settings, problems } = readSettings(SETTINGS);
  if (settings === undefined) throw new Refusal(`the example of the docs is wrong: ${JSON.stringify(problems)}`);
  const topology = topologyOf(settings);
  const proof = topology.sites.flatMap(({ name: site, expect, streams }, i) =>
    streams.map(({ name: stream }, j): ProofOfStream => {
      if (expect === "offline") return { site, stream, status: "pending", messages: 0, latencyMs: 0, note: "" };
      const latencyMs = (LATENCIES[i % LATENCIES.length] ?? 0) + j * 0.4;
      const provenAt = "2026-11-03T10:11:12Z";
      return { site, stream, status: "proven", messages: 28, latencyMs, provenAt, ageMs: 0, note: "" };
    }),
  );
  const standings = standingOf(topology, { proof, unproven: [CHANGED] });
  return svgFile({ topology, standings, title: "A hub and six sites", width: WIDTH });
}
