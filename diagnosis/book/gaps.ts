import { Range, lengthOf } from "./runs";

/** Whose messages left the middle of the hub's stream, by the copies beside the places. */

/** Between two copies of a site that follow each other on the hub. */
export interface Gap {
  site: string;
  /** Where these copies stand on the hub. */
  after: number;
  before: number;
  /** The site's sequences between them that are not accounted for. */
  origins: Range[];
  /** How many more of an earlier stream of the site may have stood there, at most. */
  earlier: number;
  /** Where both copies are of one earlier stream: the sequences between them there that are not accounted for. */
  past?: { ident: string; origins: Range[] };
}

/** Each sequence of the hub's stream that lost its message, with a gap that can have held it. Others are left out. */
export function filled(empty: readonly Range[], gaps: readonly Gap[]): Map<Gap, number[]> {
  const found = new Map<Gap, number[]>();
  const later = [...gaps].sort((a, b) => b.after - a.after);
  let open: { gap: Gap; known: number; earlier: number; seqs: number[] }[] = [];
  for (const { first, last } of empty)
    for (let seq = first; seq <= last; seq++) {
      for (let next = later.at(-1); next !== undefined && next.after < seq; next = later.at(-1)) {
        const seqs: number[] = [];
        found.set(next, seqs);
        open.push({ gap: next, known: lengthOf(next.origins), earlier: next.earlier, seqs });
        later.pop();
        open.sort((a, b) => a.gap.before - b.gap.before);
      }
      open = open.filter(({ gap }) => gap.before > seq);
      // The gap that ends first: the others can still hold a later one.
      const one = open.find(({ known }) => known > 0) ?? open.find(({ earlier }) => earlier > 0);
      if (one === undefined) continue;
      if (one.known > 0) one.known--;
      else one.earlier--;
      one.seqs.push(seq);
    }
  return found;
}
