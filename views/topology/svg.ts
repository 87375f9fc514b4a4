import { Lead } from "../../diagnosis/facts/facts";
import { count } from "../../configs/plan/plan-facts";
import { Piece, SECURITY_WORDS, cardSvg, linkWords, rounded, textSvg } from "./cards";
import { escaped, widthOf } from "./fitting";
import { drawingStyle, legend, symbols } from "./glyphs";
import { leadLines } from "./leads";
import { Layout, layoutOf } from "./layout";
import { collectedName, placeWords } from "./mermaid";
import { STATE_WORDS, SiteStanding, latencyWords, timeWords } from "./standing";
import { Topology, TopologyStream } from "./topology";

/** The picture of a fleet as SVG. */

export interface Drawing {
  readonly topology: Topology;
  readonly standings: readonly SiteStanding[];
  readonly title: string;
  /** Which server of a hub of several led each stream; absent where only the settings are known. */
  readonly leads?: readonly Lead[];
  /** @default 1184, which a window of 1280 shows whole */
  readonly width?: number;
}

const WIDTH = 1184;
const MARGIN = 24;
const LEGEND = 40;

/** A file of its own, with its colours, ground and legend. */
export const svgFile = (drawing: Drawing): string => {
  const layout = arranged(drawing);
  const { width, height } = layout;
  const size = `width="${width}" height="${height + LEGEND}" viewBox="0 0 ${width} ${height + LEGEND}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="fleet" role="img" aria-labelledby="fleet-title fleet-desc" ${size}>`,
    `<style>${drawingStyle(".fleet")}</style>`,
    symbols(),
    `<rect class="ground" width="${width}" height="${height + LEGEND}" rx="14"/>`,
    ...inside(drawing, layout),
    legendSvg(drawing, layout),
    "</svg>\n",
  ].join("\n");
};

/** A part of a page that has `drawingStyle` and `symbols`. */
export const svgPart = (drawing: Drawing): string => {
  const layout = arranged(drawing);
  const { width, height } = layout;
  return [
    `<svg class="fleet" role="img" aria-labelledby="fleet-title fleet-desc" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    ...inside(drawing, layout),
    "</svg>",
  ].join("\n");
};

const arranged = ({ topology, standings, leads, width = WIDTH }: Drawing): Layout =>
  layoutOf(standings, {
    width,
    margin: MARGIN,
    hubHeight: hubHeight(topology, leads),
    hubWidth: Math.min(620, width - 2 * MARGIN),
  });

function inside({ topology, standings, title, leads }: Drawing, layout: Layout): string[] {
  const { hub } = topology;
  const of = layout.density === "large" ? ownLinks : trunks;
  const words = `The hub ${hub.name} and ${count(standings.length, "site")}. Each site dials the hub, and the hub sources its streams over that link.`;
  return [
    `<title id="fleet-title">${escaped(title)}</title>`,
    `<desc id="fleet-desc">${escaped(words)}</desc>`,
    ...of(standings, layout),
    hubSvg(topology, standings, layout, leads),
    ...standings.map((standing, i) => siteSvg(standing, layout, i)),
  ];
}

// --- the hub

const HUB_PADDING = 18;
const HUB_STREAMS = 4;

interface Collected {
  stream: TopologyStream;
  sites: number;
}

/** The hub's streams; those of the sites' own accounts are one. */
function collectedOf({ sites }: Topology): Collected[] {
  const found = new Map<string, Collected>();
  for (const stream of sites.flatMap(({ streams }) => streams)) {
    const key = `${stream.collected.mode} ${stream.collected.stream}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { stream, sites: 1 });
    else known.sites += 1;
  }
  return [...found.values()];
}

const hubLines = (topology: Topology): string[] => {
  const all = collectedOf(topology);
  const shown = all.slice(0, all.length > HUB_STREAMS ? HUB_STREAMS - 1 : HUB_STREAMS).map(collectedWords);
  return all.length === shown.length ? shown : [...shown, `and ${count(all.length - shown.length, "more stream")}`];
};

function collectedWords({ stream, sites }: Collected): string {
  if (stream.collected.mode === "merged") return `${collectedName(stream)}, merged from ${count(sites, "site")}`;
  if (sites === 1) return `${collectedName(stream)} of its site`;
  return `${stream.collected.stream} of each site, in its account`;
}

const hubHeight = (topology: Topology, leads: Drawing["leads"]): number =>
  2 * HUB_PADDING + 28 + 20 + 20 * hubLines(topology).length + LEAD_HEIGHT * ofLeads(topology, leads).length;

const LEAD_HEIGHT = 18;
const ofLeads = (topology: Topology, leads: Drawing["leads"]): string[] =>
  leads === undefined ? [] : leadLines(topology, leads);

function hubSvg(
  topology: Topology,
  standings: readonly SiteStanding[],
  { hub }: Layout,
  leads: Drawing["leads"],
): string {
  const [from, to] = [hub.x + HUB_PADDING + 4, hub.x + hub.width - HUB_PADDING - 4];
  const top = hub.y + HUB_PADDING;
  const about = `${topology.hub.name === "hub" ? "" : "hub · "}${placeWords(topology.hub)} · ${securityOf(standings)}`;
  const summary = summaryOf(standings);
  const width = to - from;
  const name: Piece = { text: topology.hub.name, size: 20, tone: "hub-ink", mono: true, bold: true };
  const proven: Piece = { text: summary, size: 14, tone: "hub-ink" };
  const streams = hubLines(topology).map((text): Piece => ({ text, size: 13, tone: "hub-ink", mono: true }));
  return [
    `<g id="hub"><title>${escaped(`hub ${topology.hub.name}: domain ${topology.hub.domain}, ${placeWords(topology.hub)}`)}</title>`,
    `<rect class="hub" x="${hub.x}" y="${hub.y}" width="${hub.width}" height="${hub.height}" rx="14"/>`,
    textSvg(name, from, top + 20, width - widthOf(summary, proven) - 16),
    textSvg(proven, to, top + 19, width, "end"),
    textSvg({ text: about, size: 13, tone: "hub-muted" }, from, top + 43, width),
    ...streams.map((stream, i) => textSvg(stream, from, top + 64 + 20 * i, width)),
    ...ofLeads(topology, leads).map((text, i) =>
      textSvg({ text, size: 13, tone: "hub-muted" }, from, top + 64 + 20 * streams.length + LEAD_HEIGHT * i, width),
    ),
    "</g>",
  ].join("");
}

function summaryOf(standings: readonly SiteStanding[]): string {
  const proven = standings.filter(({ state }) => state === "proven" || state === "old").length;
  const isPlan = standings.every(({ streams, state }) => state === "none" || streams.every(({ proof }) => !proof));
  const sites = count(standings.length, "site");
  if (standings.length === 0 || isPlan) return sites;
  return `${proven} of ${sites} proven`;
}

function securityOf(standings: readonly SiteStanding[]): string {
  const kinds = [...new Set(standings.map(({ site }) => site.link.security))];
  const [only] = kinds;
  if (only === undefined) return "no links";
  return kinds.length === 1
    ? `links ${only === "tls" ? "with TLS" : SECURITY_WORDS[only]}`
    : "links with and without TLS";
}

// --- the links

const arrowUp = (x: number, y: number, size = 7): string =>
  `<path class="way" d="M${rounded(x)} ${y}l${size} ${size * 1.5}h${-2 * size}z"/>`;

/** A link for each site, from its card to the hub. */
function ownLinks(standings: readonly SiteStanding[], { hub, card, slots }: Layout): string[] {
  const bottom = hub.y + hub.height;
  return standings.map(({ state, site }, i) => {
    const { x = 0, y = 0 } = slots[i] ?? {};
    const [from, to] = [x + card.width / 2, hub.center + (i - (standings.length - 1) / 2) * 90];
    const middle = (y + bottom) / 2;
    const security = site.link.security;
    const badge =
      security === "tls" || security === "plain"
        ? `<circle class="badge" cx="${rounded((from + to) / 2)}" cy="${middle}" r="13"/><use href="#g-${security}" x="${rounded((from + to) / 2 - 8)}" y="${middle - 8.5}" width="16" height="16"/>`
        : "";
    const curve = `M${rounded(from)} ${y}C${rounded(from)} ${middle} ${rounded(to)} ${middle} ${rounded(to)} ${bottom + 10}`;
    return `<g class="${state}"><path class="link" d="${curve}"/>${arrowUp(to, bottom + 3)}${badge}</g>`;
  });
}

const BEND = 8;

/** A trunk for each column, in a piece for each card, so that the filter of the page can take them away. */
function trunks(standings: readonly SiteStanding[], { hub, bus, slots, columns, stub, linkOffset }: Layout): string[] {
  if (standings.length === 0) return [];
  const pieces = slots.map(({ x, y }, i) => {
    const trunk = rounded(x - stub);
    const start = `M${trunk} ${y + linkOffset - BEND}`;
    const above = slots[i - columns];
    if (above !== undefined) return `<path class="link slot" d="${start}V${above.y + linkOffset - BEND}"/>`;
    const side = Math.sign(hub.center - trunk);
    const bend =
      Math.abs(hub.center - trunk) < BEND
        ? ""
        : `V${bus + BEND}Q${trunk} ${bus} ${trunk + side * BEND} ${bus}H${hub.center}`;
    return `<path class="link slot" d="${start}${bend === "" ? `V${bus}` : bend}"/>`;
  });
  const bottom = hub.y + hub.height;
  return [...pieces, `<path class="link" d="M${hub.center} ${bus}V${bottom + 10}"/>`, arrowUp(hub.center, bottom + 3)];
}

function siteSvg(standing: SiteStanding, layout: Layout, index: number): string {
  const { density, slots, card, stub, linkOffset } = layout;
  const { x = 0, y = 0 } = slots[index] ?? {};
  const link =
    density === "large"
      ? ""
      : `<path class="link" d="M-1 ${linkOffset}H${BEND - stub}Q${-stub} ${linkOffset} ${-stub} ${linkOffset - BEND}"/>` +
        `<path class="way" d="M${-stub / 2 - 3} ${linkOffset}l6 -4.5v9z"/>`;
  return [
    `<g class="site ${standing.state}" data-site="${escaped(standing.site.name)}" transform="translate(${rounded(x)} ${rounded(y)})">`,
    `<title>${escaped(tooltip(standing))}</title>`,
    link,
    cardSvg(standing, density, card.width, card.height),
    "</g>",
  ].join("");
}

function tooltip({ site, state, said, latency, when, streams, notes }: SiteStanding): string {
  return [
    `${site.name}: ${[STATE_WORDS[state], said, latency, when].filter((part) => part !== "").join(", ")}`,
    `account ${site.account}, ${placeWords(site)}, ${linkWords(site.link)}`,
    ...streams.map(({ stream, proof }) =>
      [
        `${stream.name} (${stream.subjects.join(", ")}) → ${collectedName(stream)}`,
        ...(proof?.status === "proven"
          ? [`${count(proof.messages, "message")}, ${latencyWords(proof.latencyMs)}`]
          : []),
        ...(proof?.provenAt === undefined ? [] : [timeWords(proof.provenAt)]),
      ].join(", "),
    ),
    ...notes,
  ].join("\n");
}

function legendSvg({ standings }: Drawing, { height, width }: Layout): string {
  const entries = legend(standings);
  const way = "messages flow to the hub, which the sites dial";
  let x = MARGIN;
  const parts = entries.map(({ sign, words }) => {
    const part = `<use href="#g-${sign}" x="${x}" y="${height - 2}" width="15" height="15"/>${textSvg({ text: words, size: 13, tone: "muted" }, x + 21, height + 10, width)}`;
    x = rounded(x + 21 + widthOf(words, { size: 13 }) + 14);
    return part;
  });
  const arrow = `<path class="way" d="M${x + 2} ${height + 5.5}l11 -5.5v11z"/>`;
  return `<g>${parts.join("")}${arrow}${textSvg({ text: way, size: 13, tone: "muted" }, x + 20, height + 10, width - x - 20 - MARGIN)}</g>`;
}
