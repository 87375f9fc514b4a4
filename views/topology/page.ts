import { count } from "../../configs/plan/plan-facts";
import { present } from "../../configs/values";
import { SECURITY_WORDS, lockOf } from "./cards";
import { escaped } from "./fitting";
import { drawingStyle, legend, symbols, tally } from "./glyphs";
import { leadWords } from "./leads";
import { collectedName, placeWords } from "./mermaid";
import { FILTER_SCRIPT, FILTER_SCRIPT_DIGEST } from "./page-script";
import { PAGE_STYLE } from "./page-style";
import { Known, STATE_WORDS, SiteStanding, StreamStanding, latencyWords, standingOf, timeWords } from "./standing";
import { svgPart } from "./svg";
import { Topology } from "./topology";

/** The picture of a fleet as a page that needs nothing else: no other file, no network, and no script to be read. */

export interface PageArgs extends Known {
  readonly stack: string;
  readonly topology: Topology;
  /** "2026-11-03T10:11:12Z" */
  readonly madeAt: string;
}

/** This many sites are visible at the same time. */
const FEW = 3;
/** With more sites, the table is folded. */
const MANY = 50;

export function pageOf({ stack, topology, madeAt, ...known }: PageArgs): string {
  const standings = standingOf(topology, known);
  const title = `Fleet ${stack}`;
  const isFiltered = standings.length > FEW;
  return [
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${FILTER_SCRIPT_DIGEST}'">`,
    `<link rel="icon" href="data:,">`,
    `<title>${escaped(title)}</title>`,
    `<style>${drawingStyle(":root")}${PAGE_STYLE}</style>`,
    "</head>",
    "<body>",
    `<svg width="0" height="0" aria-hidden="true" class="signs">${symbols()}</svg>`,
    "<header>",
    `<h1>${escaped(title)}</h1>`,
    `<p>${escaped(summary(topology, standings))}. ${known.proof === undefined ? "From the settings alone, without proofs" : escaped(lastProof(standings))}. Page made ${escaped(timeWords(madeAt))}.</p>`,
    tallyHtml(standings),
    isFiltered ? FILTER : "",
    "</header>",
    `<main>`,
    `<figure>${svgPart({ topology, standings, title, ...present({ leads: known.leads }) })}`,
    `<figcaption>${legendHtml(standings)}</figcaption></figure>`,
    standings.length === 0 ? "" : tableHtml(standings, known.leads),
    "</main>",
    isFiltered ? `<script>${FILTER_SCRIPT}</script>` : "",
    "</body>",
    "</html>\n",
  ]
    .filter((line) => line !== "")
    .join("\n");
}

const FILTER = `<form id="filter" role="search" hidden><label for="find">Find</label><input id="find" type="search" autocomplete="off" spellcheck="false" placeholder="site, account, stream, subject, state …"><output id="shown" for="find"></output></form>`;

function summary({ hub, sites }: Topology, standings: readonly SiteStanding[]): string {
  const streams = Math.max(0, ...standings.map((one) => one.streams.length));
  const named = hub.name === "hub" ? "The hub" : `The hub ${hub.name}`;
  return `${named} and ${count(sites.length, "site")}, each with ${count(streams, "stream")}`;
}

function lastProof(standings: readonly SiteStanding[]): string {
  const times = standings.flatMap(({ streams }) => streams.map(({ proof }) => proof?.provenAt ?? "")).sort();
  const last = times.at(-1) ?? "";
  return last === "" ? "No proof is recorded" : `Last proof ${timeWords(last)}`;
}

const sign = (name: string): string =>
  `<svg class="sign" width="16" height="16" aria-hidden="true"><use href="#g-${name}"/></svg>`;

/** Buttons that filter by state; without scripts they only count. */
const tallyHtml = (standings: readonly SiteStanding[]): string =>
  `<div class="tally" role="group" aria-label="sites by state">${tally(standings)
    .map(
      ({ state, word, count: n }) =>
        `<button type="button" class="${state}" data-state="${state}" aria-pressed="false" disabled>${sign(state)}<b>${n}</b> ${word}</button>`,
    )
    .join("")}</div>`;

const legendHtml = (standings: readonly SiteStanding[]): string =>
  [
    `<span><svg class="sign" width="16" height="16" aria-hidden="true"><path d="M2 8l9-5.5v11z" fill="var(--link)"/></svg>messages flow to the hub, which the sites dial</span>`,
    ...legend(standings).map(({ sign: name, words }) => `<span>${sign(name)}${escaped(words)}</span>`),
  ].join("");

const HEAD = ["site", "link", "stream", "collected in", "messages", "latency", "last proof", "state"];

function tableHtml(standings: readonly SiteStanding[], leads: Known["leads"]): string {
  const head = HEAD.map((title) => `<th scope="col">${title}</th>`).join("");
  return [
    `<details${standings.length > MANY ? "" : " open"}><summary>Every stream of every site</summary>`,
    `<table><caption>Every stream of every site</caption>`,
    `<thead><tr>${head}</tr></thead>`,
    ...standings.map((standing) => groupOf(standing, leads)),
    "</table></details>",
  ].join("\n");
}

/** The rows of one site; what is the site's own stands beside all of them. */
function groupOf({ site, state, said, streams, notes }: SiteStanding, leads: Known["leads"]): string {
  const span = streams.length > 1 ? ` rowspan="${streams.length}"` : "";
  const lock = lockOf(site.link);
  const security = `${lock === undefined ? "" : sign(lock)}${escaped(SECURITY_WORDS[site.link.security])}`;
  const why = [...(state === "proven" || state === "old" ? [] : [said]), ...notes].join("; ");
  const first = [
    `<th scope="rowgroup"${span}>${code(site.name)}<small>account ${code(site.account)}, ${escaped(placeWords(site))}</small></th>`,
    `<td${span}>${security}<small>dials ${code(site.link.dials)}</small></td>`,
  ].join("");
  const last = `<td${span}>${sign(state)}${escaped(STATE_WORDS[state])}${why === "" ? "" : `<small>${escaped(why)}</small>`}</td>`;
  const rows =
    streams.length === 0
      ? [`<tr>${first}<td colspan="5">no streams</td>${last}</tr>`]
      : streams.map((one, i) => `<tr>${i === 0 ? first : ""}${cellsOf(one, leads)}${i === 0 ? last : ""}</tr>`);
  return `<tbody data-site="${escaped(site.name)}" data-state="${state}">${rows.join("")}</tbody>`;
}

function cellsOf({ stream, proof }: StreamStanding, leads: Known["leads"]): string {
  const lead = leadWords(stream, leads);
  const isProven = proof?.status === "proven";
  return [
    `<td>${code(stream.name)}<small>${code(stream.subjects.join(", "))}</small></td>`,
    `<td>${code(collectedName(stream))}<small>${stream.collected.mode === "merged" ? "merged with other sites" : "in the site's own account"}${lead === "" ? "" : `; ${escaped(lead)}`}</small></td>`,
    `<td class="number">${isProven ? proof.messages : ""}</td>`,
    `<td class="number">${isProven ? escaped(latencyWords(proof.latencyMs)) : ""}</td>`,
    `<td class="time">${proof?.provenAt === undefined ? "" : escaped(timeWords(proof.provenAt))}</td>`,
  ].join("");
}

const code = (text: string): string => `<code>${escaped(text)}</code>`;
