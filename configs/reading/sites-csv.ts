import { CsvError, parse } from "csv-parse/sync";
import { z } from "zod";
import { Problem } from "../problem";
import { siteSettings } from "../settings";
import { SitesTable, TableSite, unreadable } from "./sites-table";

// A table of sites as CSV: a header row with the names of site settings, a dot for one in a group (`ports.client`), and
// a row for each site. An empty cell is a setting that is not given.

type Kind = "number" | "text";

/** Every setting of a site, as a column is named. */
function columnsOf(schema: z.ZodType, name: string): [string, Kind][] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, item]) =>
      columnsOf(item, name === "" ? key : `${name}.${key}`),
    );
  }
  const isWrapped =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  if (isWrapped) return columnsOf(schema.unwrap() as z.ZodType, name);
  return [[name, schema instanceof z.ZodNumber ? "number" : "text"]];
}

export const SITE_COLUMNS: ReadonlyMap<string, Kind> = new Map(columnsOf(siteSettings, ""));

interface Row {
  line: number;
  cells: string[];
}

export function parseSitesCsv(file: string, text: string): SitesTable {
  const at = (line: number, column = ""): string => `${file} line ${line}${column === "" ? "" : `, column ${column}`}`;
  const read = rowsOf(text);
  if ("broken" in read) {
    const { line, problem, cure } = read.broken;
    return unreadable(file, { where: at(line), problem, cure });
  }
  const [header, ...rows] = read.rows;
  if (header === undefined) {
    return unreadable(file, {
      where: file,
      problem: "has no header row",
      cure: "begin it with the names of the columns: name,quota,…",
    });
  }
  if (!header.cells.includes("name")) {
    return unreadable(file, {
      where: at(header.line),
      problem: "the header has no column 'name'",
      cure: "begin the table with the names of its columns, separated by commas",
    });
  }
  const isTooShortOrLong = ({ cells }: Row) => cells.length !== header.cells.length;
  const whole = rows.filter((row) => !isTooShortOrLong(row));
  const uneven = rows.filter(isTooShortOrLong).map(({ line, cells }) => ({
    where: at(line),
    problem: `has ${cells.length} cells, but the header has ${header.cells.length}`,
    cure: "give each row a cell for every column, even if the cell is empty; quote a cell that holds a comma",
  }));
  return {
    file,
    problems: [...headerProblems(header, whole, at), ...uneven],
    sites: whole.map(({ line, cells }): TableSite => ({
      settings: siteOf(header.cells, cells),
      where: (setting) => at(line, setting),
    })),
  };
}

function headerProblems(header: Row, rows: readonly Row[], at: (line: number, column: string) => string): Problem[] {
  return header.cells.flatMap((name, index): Problem[] => {
    const where = at(header.line, name === "" ? `${index + 1}` : name);
    if (name === "") {
      // Spreadsheets leave empty columns behind.
      const isEmpty = rows.every(({ cells }) => cells[index] === "");
      return isEmpty
        ? []
        : [{ where, problem: "has cells but no name", cure: "name it in the header, or empty the column" }];
    }
    if (!SITE_COLUMNS.has(name)) {
      const cure = `use some of ${[...SITE_COLUMNS.keys()].join(", ")}`;
      return [{ where, problem: "is not a setting of a site", cure }];
    }
    return header.cells.indexOf(name) === index
      ? []
      : [{ where, problem: "is twice in the header", cure: "keep one of the two" }];
  });
}

/** The site's settings in the form of the stack config. */
function siteOf(columns: readonly string[], cells: readonly string[]): Record<string, unknown> {
  const site: Record<string, unknown> = {};
  columns.forEach((column, index) => {
    const kind = SITE_COLUMNS.get(column);
    const cell = cells[index] ?? "";
    if (kind === undefined || cell === "") return;
    const [name = "", inGroup] = column.split(".");
    // A cell that is not a number stays text; the schema says what is wrong with it.
    const value = kind === "number" && /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
    if (inGroup === undefined) site[name] = value;
    else site[name] = { ...(site[name] as object | undefined), [inGroup]: value };
  });
  return site;
}

/** Spreadsheets of many countries separate by semicolons. */
function delimiterOf(text: string): string {
  const header = text.split(/\r\n|\r|\n/).find((line) => line.trim() !== "" && !line.startsWith("#")) ?? "";
  return [",", ";", "\t"].find((one) => header.includes(one)) ?? ",";
}

function rowsOf(text: string): { rows: Row[] } | { broken: Omit<Problem, "where"> & { line: number } } {
  let lastGood = 0;
  try {
    const records = parse(text, {
      delimiter: delimiterOf(text),
      trim: true,
      comment: "#",
      comment_no_infix: true,
      relax_column_count: true,
      info: true,
      on_record: (record: string[], { lines }) => {
        lastGood = lines;
        return record;
      },
    }) as unknown as { record: string[]; info: { lines: number } }[];
    const rows = records.map(({ record: cells, info: { lines: line } }) => ({ line, cells }));
    return { rows: rows.filter(({ cells }) => cells.some((cell) => cell !== "")) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const isOpen = error.code === "CSV_QUOTE_NOT_CLOSED";
    // The parser names the last line then, which may be far away.
    const line = isOpen ? lastGood + 1 : Number(error.lines);
    const problem = isOpen ? "a quoted cell begins here, or soon after, but never ends" : "has a quote within a cell";
    return { broken: { line, problem, cure: 'quote whole cells: "…", and write a quote in one as ""' } };
  }
}
