import { LineCounter, parseDocument } from "yaml";
import { SitesTable, TableSite, unreadable } from "./sites-table";

// A table of sites as YAML: the list that would stand below `sites`.

export function parseSitesYaml(file: string, text: string): SitesTable {
  const lines = new LineCounter();
  // Without "pretty" errors, which repeat the lines of the file.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => {
      const { line, col } = lines.linePos(pos[0]);
      return {
        where: `${file} line ${line}, column ${col}`,
        problem: `is not YAML: ${message}`,
        cure: "correct it there",
      };
    });
    return unreadable(file, ...problems);
  }
  const value = valueOf(document);
  if (!Array.isArray(value)) {
    const problem = value === undefined ? "has aliases that cannot be followed" : "is not a list of sites";
    return unreadable(file, { where: file, problem, cure: "write '- name: …' for each site, with its settings below" });
  }
  const lineOf = (path: readonly (string | number)[]): number => {
    const node = document.getIn(path, true) as { range?: readonly number[] | null } | undefined;
    const start = node?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
    return path.length === 0 ? 1 : lineOf(path.slice(0, -1));
  };
  const sites = value.map((settings: unknown, index): TableSite => ({
    settings,
    where: (setting) => {
      const line = lineOf([index, ...setting.split(".").filter((key) => key !== "")]);
      return `${file} line ${line}${setting === "" ? "" : `, ${setting}`}`;
    },
  }));
  return { file, sites, problems: [] };
}

/** undefined for aliases without end. */
function valueOf(document: { toJS: () => unknown }): unknown {
  try {
    return document.toJS();
  } catch {
    return undefined;
  }
}
