import { escaped } from "./fitting";
import { STATES, STATE_WORDS, SiteStanding, State } from "./standing";
import { lockOf } from "./cards";

/** Signs and colours. A colour never says anything alone: each state has a sign of its own shape, and a word. */

const COLOURS: Record<"light" | "dark", Record<string, string>> = {
  light: {
    ...{ ground: "#f5f7fb", card: "#ffffff", edge: "#d3dce9", ink: "#15202f", muted: "#52617a", link: "#7d97bd" },
    ...{ hub: "#1f3a5f", "hub-ink": "#ffffff", "hub-muted": "#c6d6ec" },
    ...{ proven: "#177a3c", old: "#8a6100", unproven: "#bd3a0c", pending: "#5d6879", none: "#5d6879" },
  },
  dark: {
    ...{ ground: "#0d1420", card: "#172234", edge: "#2c3c55", ink: "#e9eff8", muted: "#a3b3ca", link: "#5f7fae" },
    ...{ hub: "#274a78", "hub-ink": "#ffffff", "hub-muted": "#c9d9ef" },
    ...{ proven: "#4fc67d", old: "#e3b341", unproven: "#ff8f63", pending: "#a3b0c2", none: "#a3b0c2" },
  },
};

const variables = (of: Record<string, string>): string =>
  Object.entries(of)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");

const SANS = `system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif`;
const MONO = `ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace`;

/** The style of the drawing. `scope` is the element that holds its colours. */
export const drawingStyle = (scope: string): string => `
${scope}{${variables(COLOURS.light)};color-scheme:light dark}
@media (prefers-color-scheme:dark){${scope}{${variables(COLOURS.dark)}}}
.fleet text{font-family:${SANS};white-space:pre}
.fleet .mono{font-family:${MONO}}
.fleet .bold{font-weight:600}
.fleet .ink{fill:var(--ink)}.fleet .muted{fill:var(--muted)}
.fleet .hub-ink{fill:var(--hub-ink)}.fleet .hub-muted{fill:var(--hub-muted)}
.fleet .ground{fill:var(--ground)}
.fleet .card{fill:var(--card);stroke:var(--edge)}
.fleet .hub{fill:var(--hub)}
.fleet .rule{stroke:var(--edge);fill:none}
.fleet .link{stroke:var(--link);stroke-width:2;fill:none;stroke-linecap:round}
.fleet .way{fill:var(--link)}
.fleet .badge{fill:var(--ground);stroke:var(--link);stroke-width:1.5}
${STATES.map((state) => `.fleet .${state} .state{fill:var(--${state})}`).join("")}
.fleet .pending .link{stroke:var(--pending);stroke-dasharray:2 5}.fleet .pending .way{fill:var(--pending)}
.fleet .pending .card{stroke-dasharray:5 4;stroke:var(--pending)}
.fleet .unproven .link{stroke:var(--unproven);stroke-dasharray:7 5}.fleet .unproven .way{fill:var(--unproven)}
.fleet .unproven .card{stroke:var(--unproven);stroke-width:2}
.fleet .site:hover .card{stroke:var(--link);stroke-width:2}
.glyph-stroke{fill:none;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}`;

type Sign = State | "tls" | "plain";

/** Each in a square of 16. */
const SIGNS: Record<Sign, string> = {
  proven:
    '<circle cx="8" cy="8" r="7.6" fill="var(--proven)"/><path class="glyph-stroke" stroke="var(--card)" d="M4.6 8.3l2.3 2.3 4.6-4.8"/>',
  old: '<g class="glyph-stroke" stroke="var(--old)"><circle cx="8" cy="8" r="6.8"/><path d="M8 4.4V8l2.5 1.7"/></g>',
  unproven:
    '<path fill="var(--unproven)" stroke="var(--unproven)" stroke-linejoin="round" stroke-width="1.6" d="M8 1.6L15 14H1Z"/><path class="glyph-stroke" stroke="var(--card)" d="M8 6v3.4M8 12v.01"/>',
  pending:
    '<g class="glyph-stroke" stroke="var(--pending)"><circle cx="8" cy="8" r="6.8" stroke-dasharray="2.4 3"/><path d="M6.3 5.8v4.4M9.7 5.8v4.4"/></g>',
  none: '<circle class="glyph-stroke" stroke="var(--none)" cx="8" cy="8" r="6.4"/>',
  tls: '<rect x="3" y="7" width="10" height="7.4" rx="1.6" fill="var(--muted)"/><path class="glyph-stroke" stroke="var(--muted)" d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2"/>',
  plain:
    '<rect x="3" y="7" width="10" height="7.4" rx="1.6" fill="var(--unproven)"/><path class="glyph-stroke" stroke="var(--unproven)" d="M5.2 7V4.4a2.8 2.8 0 0 1 5.3-1.2"/>',
};

export const symbols = (): string =>
  `<defs>${Object.entries(SIGNS)
    .map(([name, drawing]) => `<symbol id="g-${name}" viewBox="0 0 16 16">${drawing}</symbol>`)
    .join("")}</defs>`;

/** How many sites are in each state that occurs, the worst first. */
export const tally = (standings: readonly SiteStanding[]): { state: State; count: number; word: string }[] =>
  STATES.map((state) => ({
    state,
    word: escaped(STATE_WORDS[state]),
    count: standings.filter((one) => one.state === state).length,
  })).filter(({ count }) => count > 0);

/** What the signs of this drawing mean. */
export function legend(standings: readonly SiteStanding[]): { sign: Sign; words: string }[] {
  const locks = new Set(standings.map(({ site }) => lockOf(site.link)));
  return [
    ...tally(standings).map(({ state, word }) => ({ sign: state, words: word })),
    ...(locks.has("tls") ? [{ sign: "tls" as const, words: "link with TLS" }] : []),
    ...(locks.has("plain") ? [{ sign: "plain" as const, words: "link in plain text over the network" }] : []),
  ];
}
