import * as fs from "node:fs";
import * as path from "node:path";
import type * as ParseSites from "../configs/reading/parse-sites";
import { SitesTable, unreadable } from "../configs/reading/sites-table";

/** The table that the setting `sitesFile` names; undefined when it names none. A mistake is in its `problems`. */
export function readSitesFile(sitesFile: unknown, projectFolder = findProjectFolder()): SitesTable | undefined {
  if (typeof sitesFile !== "string" || sitesFile === "") return undefined;
  let text: string;
  try {
    text = fs.readFileSync(path.resolve(projectFolder, sitesFile), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? `there is no file '${sitesFile}'` : `'${sitesFile}' cannot be read (${code})`;
    const cure = "give its path from the folder of Pulumi.yaml";
    return unreadable(sitesFile, { where: "sitesFile", problem, cure });
  }
  // Loaded only where there is a table: the parsers cost a tenth of a second at every preview.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { parseSitesTable } = require("../configs/reading/parse-sites") as typeof ParseSites;
  return parseSitesTable(sitesFile, text);
}

/** The nearest folder with a Pulumi.yaml: a program runs in the folder of its `main`, which may lie below. */
export function findProjectFolder(): string {
  const isProject = (folder: string) =>
    ["Pulumi.yaml", "Pulumi.yml"].some((file) => fs.existsSync(path.join(folder, file)));
  let folder = path.resolve();
  while (!isProject(folder) && folder !== path.dirname(folder)) folder = path.dirname(folder);
  return isProject(folder) ? folder : path.resolve();
}
