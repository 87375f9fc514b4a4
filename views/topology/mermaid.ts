import { count } from "../../configs/plan/plan-facts";
import { maskSeeds } from "../../configs/seeds";
import { Lead } from "../../diagnosis/facts/facts";
import { leadLines } from "./leads";
import { Topology, TopologyServer, TopologySite, TopologyStream } from "./topology";

/** The fleet as a Mermaid flowchart: sites on the left, the hub on the right, an arrow for what flows over each link. */

/** What becomes of a server. */
export type Mark = "added" | "removed" | "changed" | "restarts";

/** More sites than this are not drawn one by one. */
const SHOWN_ONE_BY_ONE = 20;
/** Most marked sites that are drawn; GitHub draws at most 500 edges and 50 000 characters, and people read less. */
const MARKED_SHOWN = 60;
/** Streams named on one arrow. */
const STREAMS_NAMED = 3;
/** Longest line of a label; what is cut ends in "…". */
const LINE_LENGTH = 72;

/** Readable on a light and on a dark page; the words say the same as the colours. */
const STYLES: Record<Mark | "plain" | "pending" | "folded", string> = {
  plain: "fill:#eef4fb,stroke:#4a78a8,color:#14263a",
  pending: "fill:#f3f3f5,stroke:#7a7f87,color:#33373d,stroke-dasharray:5 4",
  folded: "fill:#f3f3f5,stroke:#7a7f87,color:#33373d",
  added: "fill:#dcf5e3,stroke:#1a7f37,color:#0b3d1c,stroke-width:3px",
  removed: "fill:#fde3e1,stroke:#c62f28,color:#5c100c,stroke-width:3px,stroke-dasharray:8 4",
  changed: "fill:#fff3c9,stroke:#9a6700,color:#4a3200,stroke-width:3px",
  restarts: "fill:#ffe5d0,stroke:#bc4c00,color:#562300,stroke-width:3px",
};

type Style = keyof typeof STYLES;

interface Node {
  id: string;
  label: string[];
  style: Style;
  /** What stands on its arrow to the hub; absent for the hub itself. */
  arrow?: { label: string[]; isDotted: boolean };
}

/**
 * A Mermaid flowchart that is the same text for the same input. `marks` are by name of a site or of the hub; a marked
 * site that the topology does not have (it was removed) is drawn too. Of more than 20 sites only the marked are drawn,
 * and the others are one node. `leads`: which server of a hub of several led each stream, where that is known.
 */
export function mermaidOf(
  topology: Topology,
  marks: ReadonlyMap<string, Mark> = new Map(),
  leads?: readonly Lead[],
): string {
  const { hub, sites } = topology;
  const known = new Set([hub.name, ...sites.map(({ name }) => name)]);
  const gone = [...marks].filter(([name]) => !known.has(name));
  const drawable = [
    ...sites.map((site, i) => ({ mark: marks.get(site.name), node: siteNode(`s${i + 1}`, site, marks) })),
    ...gone.map(([name, mark], i) => ({ mark, node: goneNode(`s${sites.length + i + 1}`, name, mark) })),
  ];
  const shown = new Set(shownSites(drawable));
  const folded = drawable.filter((one) => !shown.has(one));
  const nodes = [
    ...drawable.filter((one) => shown.has(one)).map(({ node }) => node),
    ...(folded.length === 0 ? [] : [foldedNode(folded, shown.size > 0)]),
    hubNode(hub, sites, marks.get(hub.name), leads === undefined ? [] : leadLines(topology, leads)),
  ];
  const used = new Set(nodes.map(({ style }) => style));
  const classes = Object.entries(STYLES).filter(([style]) => used.has(style as Style));
  const lines = [
    "flowchart LR",
    ...nodes.map(({ id, label, style }) => `  ${id}["${label.map(escaped).join("<br/>")}"]:::${style}`),
    ...nodes.flatMap(({ id, arrow }) => (arrow === undefined ? [] : [arrowLine(id, arrow)])),
    ...classes.map(([style, text]) => `  classDef ${style} ${text}`),
  ];
  return `${lines.join("\n")}\n`;
}

interface Drawable {
  mark: Mark | undefined;
  node: Node;
}

function shownSites(all: readonly Drawable[]): readonly Drawable[] {
  if (all.length <= SHOWN_ONE_BY_ONE) return all;
  const marked = all.filter(({ mark }) => mark !== undefined);
  return marked.length === 0 ? all.slice(0, SHOWN_ONE_BY_ONE) : marked.slice(0, MARKED_SHOWN);
}

const HUB_ID = "hub";

/** Where the hub keeps what it collects: a merged stream by name, those of the sites by number. */
function hubNode(
  hub: TopologyServer,
  sites: readonly TopologySite[],
  mark: Mark | undefined,
  leads: readonly string[],
): Node {
  const all = sites.flatMap(({ streams }) => streams);
  const merged = [...new Set(all.filter(isMerged).map(collectedName))];
  const ofSites = all.filter((stream) => !isMerged(stream)).length;
  const named = [...firstOf(merged, "merged stream"), ...(ofSites === 0 ? [] : [count(ofSites, "site stream")])];
  return {
    id: HUB_ID,
    label: [titled(hub.name === "hub" ? hub.name : `hub ${hub.name}`, mark), placeWords(hub), ...named, ...leads],
    style: mark ?? "plain",
  };
}

function siteNode(id: string, site: TopologySite, marks: ReadonlyMap<string, Mark>): Node {
  const mark = marks.get(site.name);
  const isPending = site.expect === "offline";
  const label = [titled(site.name, mark), `account ${site.account}`, placeWords(site)];
  return {
    id,
    label: isPending ? [...label, "pending: expected offline"] : label,
    style: mark ?? (isPending ? "pending" : "plain"),
    arrow: {
      label: [...firstOf(site.streams.map(flowWords), "stream"), ...(site.link.security === "tls" ? ["TLS"] : [])],
      isDotted: isPending || mark === "removed",
    },
  };
}

const goneNode = (id: string, name: string, mark: Mark): Node => ({
  id,
  label: [titled(name, mark)],
  style: mark,
  arrow: { label: [], isDotted: mark === "removed" },
});

function foldedNode(folded: readonly Drawable[], besideOthers: boolean): Node {
  const marks = new Map<Mark, number>();
  for (const { mark } of folded) if (mark !== undefined) marks.set(mark, (marks.get(mark) ?? 0) + 1);
  const words = [...marks].map(([mark, n]) => `${n} ${mark}`).join(", ");
  const title = besideOthers ? `and ${count(folded.length, "more site")}` : count(folded.length, "site");
  return {
    id: "others",
    label: words === "" ? [title] : [title, words],
    style: "folded",
    arrow: { label: [], isDotted: false },
  };
}

function arrowLine(id: string, { label, isDotted }: NonNullable<Node["arrow"]>): string {
  const text = label.length === 0 ? "" : `|"${label.map(escaped).join("<br/>")}"|`;
  return `  ${id} ${isDotted ? "-.->" : "-->"}${text} ${HUB_ID}`;
}

const titled = (name: string, mark: Mark | undefined): string => (mark === undefined ? name : `${name} (${mark})`);

/** `container on oslo.example` */
export const placeWords = ({
  runtime,
  engine,
  servers,
  machines,
}: Pick<TopologyServer, "runtime" | "engine" | "servers" | "machines">): string =>
  runtime === "process"
    ? servers === undefined
      ? "process"
      : `${servers} processes`
    : machines !== undefined
      ? `containers on ${machines.map(({ engine: own }) => (own === undefined ? "this machine" : machineOf(own))).join(", ")}`
      : `container${engine === undefined ? "" : ` on ${machineOf(engine)}`}`;

/** The machine of an engine's address. */
export const machineOf = (engine: string): string => (URL.canParse(engine) && new URL(engine).host) || engine;

const isMerged = ({ collected }: TopologyStream): boolean => collected.mode === "merged";

/** `OSLO/EVENTS` */
export const collectedName = ({ collected }: TopologyStream): string => `${collected.account}/${collected.stream}`;

/** Short, for Mermaid breaks longer ones: a stream without more is collected in its site's own account. */
const flowWords = (stream: TopologyStream): string =>
  isMerged(stream) ? `${stream.collected.stream} → ${collectedName(stream)}` : stream.name;

function firstOf(words: readonly string[], what: string): string[] {
  if (words.length <= STREAMS_NAMED) return [...words];
  const rest = words.length - STREAMS_NAMED;
  return [...words.slice(0, STREAMS_NAMED), `and ${count(rest, `more ${what}`)}`];
}

/** Text between quotes in Mermaid, which takes HTML there, and entities without their ampersand. */
const escaped = (text: string): string =>
  cut(maskSeeds(text).replace(/\s+/g, " ")).replace(/[#"<>&`\\;{}|]/g, (character) => `#${character.charCodeAt(0)};`);

const cut = (text: string): string => (text.length <= LINE_LENGTH ? text : `${text.slice(0, LINE_LENGTH - 1)}…`);
