import { Problem } from "../problem";

/** The sites of a table file: its content becomes the content of `sites`, for the same schema and rules. */
export interface SitesTable {
  /** As `sitesFile` names it. */
  file: string;
  /** None when the file as a whole cannot be read. */
  sites: TableSite[];
  /** What is wrong with the file itself; what is wrong with a site, the schema and the rules say. */
  problems: Problem[];
}

export interface TableSite {
  settings: unknown;
  /** Where one of its settings stands, such as "ports.client"; "" is the site as a whole. */
  where: (setting: string) => string;
}

/** A table of which nothing can be read. */
export const unreadable = (file: string, ...problems: Problem[]): SitesTable => ({ file, sites: [], problems });

/** A problem of `sites[12].quota` in the words of the table: there it is a line and a column. */
export function inTable(table: SitesTable | undefined): (problem: Problem) => Problem {
  if (table === undefined) return (problem) => problem;
  const placed = (text: string): string =>
    text.replace(/\bsites\[(\d+)\]((?:\.\w+|\[\d+\])*)/g, (whole, index: string, path: string) => {
      return table.sites[Number(index)]?.where(path.replace(/^\./, "")) ?? whole;
    });
  return ({ where, problem, cure }) => ({
    where: where === "sites" ? table.file : placed(where),
    problem: placed(problem),
    cure: placed(cure),
  });
}
