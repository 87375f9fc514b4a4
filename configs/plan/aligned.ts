/** Text in aligned columns, without colours or borders: it is read in terminals, logs and comments alike. */

const GAP = "  ";
const WIDTH = 110;

const linesOf = (cell: string): string[] => cell.split("\n");

/** Rows of cells as lines, every column as wide as its widest cell. A cell may have several lines. */
export function aligned(rows: readonly (readonly string[])[], indent = GAP): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, ...linesOf(cell).map((line) => line.length))));
  }
  const lines = rows.flatMap((row) => {
    const cells = row.map(linesOf);
    const height = Math.max(...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, line) =>
      cells.map((cell, i) => (cell[line] ?? "").padEnd(widths[i] ?? 0)).join(GAP),
    );
  });
  return lines.map((line) => `${indent}${line}`.trimEnd()).join("\n");
}

/** Words with commas between them, in as many lines as they need. */
export function wrapped(words: readonly string[], indent = GAP): string {
  const lines: string[] = [];
  words.forEach((word, i) => {
    const piece = i < words.length - 1 ? `${word},` : word;
    const longer = `${lines.at(-1) ?? ""} ${piece}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${piece}`);
  });
  return lines.join("\n");
}
