import { parseSitesCsv } from "./sites-csv";
import { SitesTable, unreadable } from "./sites-table";
import { parseSitesYaml } from "./sites-yaml";

/** Reads the text of a table file: CSV or YAML, by the ending of its name. */
export function parseSitesTable(file: string, text: string): SitesTable {
  if (text.includes("\0") || text.includes("\uFFFD")) {
    return unreadable(file, { where: file, problem: "is not UTF-8 text", cure: 'save it as "CSV UTF-8"' });
  }
  const withoutMark = text.replace(/^\uFEFF/, "");
  if (/\.csv$/i.test(file)) return parseSitesCsv(file, withoutMark);
  if (/\.ya?ml$/i.test(file)) return parseSitesYaml(file, withoutMark);
  return unreadable(file, {
    where: "sitesFile",
    problem: `'${file}' is not a table of sites`,
    cure: "name a file that ends in .csv or .yaml",
  });
}
