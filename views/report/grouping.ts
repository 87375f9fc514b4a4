/** Lists in which many sites have the same to say: one line for all of them. */

/** From how many on, what is alike but for its name stands once. */
export const GROUPED_FROM = 4;

/** More lines are only counted: GitHub takes no comment of more than 65,536 characters. */
const MOST_LINES = 60;

/**
 * Lines such as `oslo: waits` and `site oslo: waits`, in their order. From four on, those that say the same share one line,
 * with all their names, where the first of them stood.
 */
export function groupedLines(lines: readonly string[]): string[] {
  const split = lines.map((line) => /^(site )?([^\s:]+): ([^]*)$/.exec(line));
  const keyOf = (parts: RegExpExecArray | null | undefined) => JSON.stringify([parts?.[1] ?? "", parts?.[3]]);
  const names = new Map<string, string[]>();
  for (const parts of split)
    if (parts !== null) names.set(keyOf(parts), [...(names.get(keyOf(parts)) ?? []), parts[2] ?? ""]);
  const grouped = lines.flatMap((line, i): string[] => {
    const parts = split[i] ?? null;
    const all = parts === null ? [] : (names.get(keyOf(parts)) ?? []);
    if (parts === null || all.length < GROUPED_FROM) return [line];
    if (split.findIndex((other) => other !== null && keyOf(other) === keyOf(parts)) !== i) return [];
    return [`${all.length} sites: ${parts[3] ?? ""} (${all.join(", ")})`];
  });
  const rest = grouped.length - MOST_LINES;
  return rest <= 0 ? grouped : [...grouped.slice(0, MOST_LINES), `and ${rest} more, which 'make preview' shows`];
}
