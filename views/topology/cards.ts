import { count } from "../../configs/plan/plan-facts";
import { Type, escaped, fitted, widthOf } from "./fitting";
import { collectedName, machineOf, placeWords } from "./mermaid";
import { STATE_WORDS, SiteStanding, latencyWords } from "./standing";
import { TopologyLink } from "./topology";

/** The card of one site: lines of text, more of them where there are few sites. */

export type Density = "large" | "medium" | "small";

export interface Piece extends Type {
  readonly text: string;
  /** The colour: of ordinary text, of what matters less, or of the site's state; the hub has its own. */
  readonly tone: "ink" | "muted" | "state" | "hub-ink" | "hub-muted";
  readonly bold?: boolean;
}

interface Line {
  readonly height: number;
  readonly left: Piece;
  readonly right?: Piece;
  /** Whether a rule stands above it. */
  readonly isRuled?: boolean;
}

interface Style {
  readonly padding: number;
  readonly name: number;
  readonly glyph: number;
  /** Streams that are named on a card; the table has them all. */
  readonly streams: number;
  /** Widest and narrowest card. */
  readonly widest: number;
  readonly narrowest: number;
}

export const STYLES: Record<Density, Style> = {
  large: { padding: 20, name: 18, glyph: 20, streams: 4, widest: 420, narrowest: 250 },
  medium: { padding: 14, name: 14, glyph: 16, streams: 3, widest: 330, narrowest: 230 },
  small: { padding: 9, name: 12.5, glyph: 13, streams: 0, widest: 280, narrowest: 164 },
};

/** Between glyph and name. */
const GLYPH_GAP = 8;
const LOCK = 14;
const LOCK_GAP = 4;
/** Before what stands at the right end of a line. */
const RIGHT_GAP = 12;
/** Size of the word for a site's state. */
const WORD = 13;

export const SECURITY_WORDS: Record<TopologyLink["security"], string> = {
  tls: "TLS",
  bridge: "inside Docker's network",
  loopback: "inside this machine",
  plain: "plain text over the network",
};

/** The width that a card needs to show its site's whole name, beside the longest word for a state where it has one. */
export function neededWidth({ site }: SiteStanding, density: Density): number {
  const { padding, name, glyph, narrowest } = STYLES[density];
  const beside = density === "large" ? widthOf("unproven", { size: WORD }) + RIGHT_GAP : LOCK + LOCK_GAP;
  const needed = 2 * padding + glyph + GLYPH_GAP + widthOf(site.name, { size: name, mono: true }) + beside;
  return Math.max(narrowest, Math.ceil(needed));
}

const sans = (text: string, size: number, tone: Piece["tone"]): Piece => ({ text, size, tone });
const mono = (text: string, size: number, tone: Piece["tone"]): Piece => ({ text, size, tone, mono: true });

function linesOf(standing: SiteStanding, density: Density): Line[] {
  const { site, state, streams, said, latency, when } = standing;
  const name: Piece = { ...mono(site.name, STYLES[density].name, "ink"), bold: true };
  const word = STATE_WORDS[state];
  if (density === "small") {
    const tone = isGood(state) ? "ink" : "state";
    const last = state === "pending" && when !== "" ? `last proof ${when}` : when;
    return [
      { height: 18, left: name },
      { height: 16, left: sans(said, 11.5, tone), right: sans(latency, 11.5, tone) },
      { height: 16, left: sans(last, 11, "muted") },
    ];
  }
  const isLarge = density === "large";
  const { streams: most } = STYLES[density];
  const shown = streams.slice(0, streams.length > most ? most - 1 : most);
  const more = streams.length - shown.length;
  const where = site.engine === undefined ? ` · ${placeWords(site)}` : ` on ${machineOf(site.engine)}`;
  const about = isLarge ? `account ${site.account} · ${placeWords(site)}` : `${site.account}${where}`;
  return [
    {
      height: isLarge ? 26 : 20,
      left: name,
      ...(isLarge ? { right: { ...sans(word, WORD, "state"), bold: true } } : {}),
    },
    { height: isLarge ? 22 : 18, left: sans(about, isLarge ? 13 : 12, "muted") },
    ...(isLarge ? [{ height: 20, left: sans(linkWords(site.link), 13, "muted") }] : []),
    ...shown.flatMap(({ stream, proof }, i): Line[] => {
      const figures = proof === undefined || proof.status === "pending" ? "" : figuresOf(proof, isLarge);
      const rule = i === 0 ? { isRuled: true } : {};
      if (!isLarge)
        return [{ height: 19, left: mono(stream.name, 12, "ink"), right: sans(figures, 12, "ink"), ...rule }];
      return [
        { height: 22, left: mono(`${stream.name} → ${collectedName(stream)}`, 13, "ink"), ...rule },
        { height: 22, left: mono(stream.subjects.join(", "), 12, "muted"), right: sans(figures, 13, "ink") },
      ];
    }),
    ...(more === 0 ? [] : [{ height: 19, left: sans(`and ${count(more, "more stream")}`, 12, "muted") }]),
    { height: isLarge ? 24 : 18, ...footOf(standing, isLarge), isRuled: true },
  ];
}

const isGood = (state: SiteStanding["state"]): boolean => state === "proven" || state === "old";

function footOf({ state, said, when }: SiteStanding, isLarge: boolean): Pick<Line, "left" | "right"> {
  if (isLarge) {
    const left = isGood(state) ? sans("last proof", 13, "muted") : sans(said, 13, "state");
    return { left, right: sans(when, 13, "muted") };
  }
  const [day = ""] = when.split(",");
  const words = isGood(state) ? [STATE_WORDS[state], when] : [said, ...(state === "unproven" ? [day] : [])];
  return { left: sans(words.join(" "), 11.5, "state") };
}

const figuresOf = ({ messages, latencyMs }: { messages: number; latencyMs: number }, isLarge: boolean): string =>
  `${isLarge ? count(messages, "message") : messages} · ${latencyWords(latencyMs)}`;

export const linkWords = ({ dials, security }: TopologyLink): string => `dials ${dials}, ${SECURITY_WORDS[security]}`;

/** How high the cards of all sites must be. */
export const cardHeight = (standings: readonly SiteStanding[], density: Density): number =>
  Math.max(...standings.map((one) => heightOf(linesOf(one, density)))) + 2 * STYLES[density].padding;

const RULE_GAP = 12;
const heightOf = (lines: readonly Line[]): number =>
  lines.reduce((sum, { height, isRuled = false }) => sum + height + (isRuled ? RULE_GAP : 0), 0);

/** How far below the card's upper edge its link arrives: at the height of the name. */
export const linkOffset = (density: Density): number => STYLES[density].padding + 10;

/** The card as SVG, its upper left corner at 0, 0. The last line is at the bottom. */
export function cardSvg(standing: SiteStanding, density: Density, width: number, height: number): string {
  const { padding, glyph, name } = STYLES[density];
  const lines = linesOf(standing, density);
  const spare = height - 2 * padding - heightOf(lines);
  const parts = [
    `<rect class="card" width="${width}" height="${height}" rx="${density === "small" ? 8 : 12}"/>`,
    `<use href="#g-${standing.state}" x="${padding}" y="${padding + name * 0.62 - glyph / 2}" width="${glyph}" height="${glyph}"/>`,
  ];
  const lock = lockOf(standing.site.link);
  const hasLock = lock !== undefined && density !== "large";
  if (hasLock) {
    parts.push(
      `<use href="#g-${lock}" x="${width - padding - LOCK}" y="${padding + name * 0.62 - LOCK / 2}" width="${LOCK}" height="${LOCK}"/>`,
    );
  }
  let y = padding;
  lines.forEach(({ height: own, left, right, isRuled = false }, i) => {
    if (i === lines.length - 1) y += spare;
    if (isRuled) {
      parts.push(`<path class="rule" d="M${padding} ${y + RULE_GAP / 2}H${width - padding}"/>`);
      y += RULE_GAP;
    }
    const from = i === 0 ? padding + glyph + GLYPH_GAP : padding;
    const to = width - padding - (i === 0 && hasLock ? LOCK + LOCK_GAP : 0);
    const ofRight = right === undefined || right.text === "" ? 0 : widthOf(right.text, right) + RIGHT_GAP;
    // Where a line stands in its height: the letters in the middle.
    const baseline = y + (i === 0 ? name * 0.62 + left.size * 0.35 : own / 2 + left.size * 0.35);
    parts.push(textSvg(left, from, baseline, to - from - ofRight));
    if (right !== undefined) parts.push(textSvg(right, to, baseline, to - from, "end"));
    y += own;
  });
  return parts.join("");
}

/** The glyph of a link that leaves its machine. */
export function lockOf({ security }: TopologyLink): "tls" | "plain" | undefined {
  return security === "tls" || security === "plain" ? security : undefined;
}

/** One line of text, cut to the width. */
export function textSvg(piece: Piece, x: number, y: number, width: number, anchor?: "end" | "middle"): string {
  const text = fitted(piece.text, piece, width);
  if (text === "") return "";
  const classes = [piece.tone, ...(piece.mono === true ? ["mono"] : []), ...(piece.bold === true ? ["bold"] : [])];
  const place = `x="${rounded(x)}" y="${rounded(y)}"${anchor === undefined ? "" : ` text-anchor="${anchor}"`}`;
  return `<text class="${classes.join(" ")}" ${place} font-size="${piece.size}">${escaped(text)}</text>`;
}

export const rounded = (value: number): number => Math.round(value * 10) / 10;
