import { join } from "node:path";
import { CaseFile, casesIn, readCase } from "./case-files";
import { Trust } from "./trust";

/**
 * Fleets that somebody else deployed, with a known verdict of `doctor --fleet`: one text file a case, under
 * test/cases/fleets, in the form of the cases of `check-config` (`Case`).
 *
 *   what: the fleet; for a mistake, what is wrong
 *   real: what the servers do
 *   right: error link-down          (severity, and the codes of which at least one is told and no other; or: good)
 *   about: a word that the report contains (zero or more lines, all of them)
 *   never: a word that the report does not contain (zero or more lines): a cure that breaks what works
 *   -- hub.conf --                  (one file a server, named after it)
 *   -- fleet.yaml --
 *   -- steps.json --                (what happens before the doctor looks; see `Step`)
 *   -- cure.json --                 (what the doctor says to do; then the fleet must be good)
 *   -- op --                        (any other file, such as a password)
 *
 * Ports from 21000 to 28999 stand for free ones, and `<STORE>` for the server's store. `Trust` has the other placeholders.
 */
export interface FleetCase {
  kind: string;
  what: string;
  real: string;
  right: FleetRight;
  about: string[];
  never: string[];
  files: CaseFile[];
  trust: Trust;
}

export type FleetRight = { verdict: "good" } | { verdict: "error" | "warning"; codes: string[] };

const FOLDER = join(__dirname, "../../cases/fleets");

export const fleetCasesOf = (kind: "good" | "mistakes"): FleetCase[] => casesIn(join(FOLDER, kind), loadFleetCase);

/** Throws when the file is not in the form of a case. */
export function loadFleetCase(file: string): FleetCase {
  const { all, only, common } = readCase(file, ["what", "real", "right", "about", "never"]);
  const right = readRight(only("right"));
  if (right === undefined) throw new Error(`${file}: '${only("right")}' is no verdict`);
  for (const path of ["fleet.yaml", "steps.json"])
    if (!common.files.some((one) => one.path === path)) throw new Error(`${file}: there is no ${path}`);
  return { ...common, right, never: all("never") };
}

function readRight(text: string): FleetRight | undefined {
  const [verdict, ...codes] = text.split(/\s+/);
  if (verdict === "good") return codes.length === 0 ? { verdict } : undefined;
  if (verdict !== "error" && verdict !== "warning") return undefined;
  return codes.length > 0 ? { verdict, codes } : undefined;
}
