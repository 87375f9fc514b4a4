import { maskSeeds } from "../../configs/seeds";

/** Text that fits where it is drawn, whatever font the reader's machine has, and that stays text. */

/** How a text is set. Names are in a fixed-width font. */
export interface Type {
  readonly size: number;
  readonly mono?: boolean;
}

/** Of the widest fonts that the font lists may end at, in parts of the size. */
const MONO_WIDTH = 0.62;
const NARROW = /[ijlI.,:;|'!()[\] ft/·-]/;
const WIDE = /[mwMW@%…→—]/;
const CAPITAL = /[A-HJ-LN-VX-Z&<>=+~]/;

function charWidth(character: string): number {
  if (NARROW.test(character)) return 0.41;
  if (WIDE.test(character) || character > "\u00ff") return 1;
  return CAPITAL.test(character) ? 0.78 : 0.64;
}

/** The most that the text may take. */
export function widthOf(text: string, { size, mono = false }: Type): number {
  const characters = [...text];
  if (mono)
    return characters.reduce((sum, one) => sum + (one > "\u00ff" && !/[…→]/.test(one) ? 1.3 : MONO_WIDTH), 0) * size;
  return characters.reduce((sum, one) => sum + charWidth(one), 0) * size;
}

/** The text, or as much of its beginning as fits, with "…". */
export function fitted(text: string, type: Type, width: number): string {
  if (widthOf(text, type) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && widthOf(`${characters.join("")}…`, type) > width) characters.pop();
  return characters.length === 0 ? "" : `${characters.join("").trimEnd()}…`;
}

/** Text for HTML and SVG, between tags and in quoted attributes. */
export const escaped = (text: string): string =>
  maskSeeds(text)
    // Neither XML nor a reader has a use for them.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
