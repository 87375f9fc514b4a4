import { isCluster } from "../placement";
import { toProblem } from "./issues";
import { Problem } from "../problem";
import { RuleContext } from "../rules/rule";
import { judge } from "../rules/rules";
import { salvage } from "./salvage";
import { withoutSeeds } from "../seeds";
import { Settings, fleetSettings, stackConfig } from "../settings";
import { SitesTable, inTable } from "./sites-table";

/**
 * Reads the raw stack config, with the table of sites that it names. Every mistake of shape is in `problems`;
 * `settings` is what may be deployed, present only when there is no problem; `judged` is what the rules can still
 * judge.
 */
export function readSettings(
  raw: unknown,
  table?: SitesTable,
): { settings?: Settings; judged?: Settings; problems: Problem[] } {
  const whole = withReplicas(
    table === undefined ? raw : { ...(raw as object), sites: table.sites.map((site) => site.settings) },
  );
  const ofTable = tableProblems(raw, table);
  const result = stackConfig.safeParse(whole);
  if (result.success) {
    const judged = fleetOnly(result.data);
    return { ...(ofTable.length === 0 ? { settings: judged } : {}), judged, problems: ofTable };
  }
  const { issues } = result.error;
  const ofShape = issues.map((issue) => inTable(table)(toProblem(issue, whole)));
  const rest = stackConfig.safeParse(salvage(whole, issues));
  const problems = [...ofTable, ...ofShape.map(withoutSeeds)];
  return rest.success ? { judged: fleetOnly(rest.data), problems } : { problems };
}

/** Reads the raw stack config and judges it by every rule: all mistakes at once. */
export function judgedSettings(
  raw: unknown,
  table: SitesTable | undefined,
  context: RuleContext,
): { settings?: Settings; problems: Problem[] } {
  const { settings, judged, problems } = readSettings(raw, table);
  // A table that cannot be read as a whole would be a fleet without sites.
  const isComplete = judged !== undefined && !(table?.sites.length === 0 && table.problems.length > 0);
  const all = [...problems, ...(isComplete ? judge(judged, context).map(inTable(table)) : [])];
  return settings === undefined || all.length > 0 ? { problems: all } : { settings, problems: [] };
}

/** The place of the settings and of the state is not part of the fleet. */
function fleetOnly(config: ReturnType<typeof stackConfig.parse>): Settings {
  const { servers: _one, ...alone } = config.hub;
  const all = { ...config, hub: isCluster(config.hub) ? config.hub : alone };
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in fleetSettings.shape)) as Settings;
}

const SPREAD = 3;

/** The settings in which streams have three copies where the hub has several servers and nothing else is said. */
function withReplicas(raw: unknown): unknown {
  const { hub, streams } = (raw ?? {}) as { hub?: { servers?: unknown }; streams?: unknown };
  const { servers } = hub ?? {};
  const count = Array.isArray(servers) ? servers.length : servers;
  if (typeof count !== "number" || count < SPREAD || !Array.isArray(streams)) return raw;
  const isGroup = (value: unknown): value is object => typeof value === "object" && value !== null;
  return {
    ...(raw as object),
    streams: streams.map((stream: unknown) => {
      const { collect = {} } = (stream ?? {}) as { collect?: unknown };
      if (!isGroup(stream) || !isGroup(collect)) return stream;
      return { ...stream, collect: { replicas: SPREAD, ...collect } };
    }),
  };
}

function tableProblems(raw: unknown, table: SitesTable | undefined): Problem[] {
  const { sites, sitesFile } = (raw ?? {}) as { sites?: unknown; sitesFile?: unknown };
  const isGiven = Array.isArray(sites) ? sites.length > 0 : sites !== undefined;
  if (table === undefined) {
    return typeof sitesFile !== "string" || sitesFile === ""
      ? []
      : [
          {
            where: "sitesFile",
            problem: "has not been read",
            cure: "pass what readSitesFile() gives to readSettings()",
          },
        ];
  }
  const twofold = {
    where: "sites",
    problem: `are set here and in ${table.file}`,
    cure: "move them all there, or remove sitesFile",
  };
  return [...table.problems, ...(isGiven ? [twofold] : [])].map(withoutSeeds);
}
