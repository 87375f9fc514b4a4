import * as pulumi from "./sdk/pulumi";
import { sendReport } from "../machine/report";
import { Problem, describeProblem, describeProblems } from "../configs/problem";
import { judgedSettings } from "../configs/reading/read-settings";
import { judge } from "../configs/rules/rules";
import { SETTING_NAMES, Settings } from "../configs/settings";
import { SitesTable } from "../configs/reading/sites-table";
import { isByPassphrase } from "../configs/reading/secrets-provider";
import { givenPassphrase, stackEncryption } from "./passphrase";
import { readSitesFile } from "./sites-file";

/** The settings of the current stack, judged by every rule. Errors: a RunError that lists all problems. */
export function stackSettings(config = new pulumi.Config()): Settings {
  const raw = Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = rawValue(config, name);
      return value === undefined ? [] : [[name, name === "sites" ? withoutLeftOut(value) : value]];
    }),
  );
  const table = tableWithoutLeftOut(readSitesFile(raw.sitesFile));
  const { settings, problems } = judgedSettings(raw, table, { emptyPassphrase: hasEmptyPassphrase() });
  const all = [...unknownKeys(config), ...elsewhere(raw.state), ...problems];
  if (settings === undefined || all.length > 0) refuse(all);
  return settings;
}

/** Errors: a RunError that lists all problems. */
function refuse(problems: readonly Problem[]): never {
  for (const problem of problems)
    sendReport({ kind: "refused", values: { property: problem.where }, words: describeProblem(problem) });
  throw new pulumi.RunError(describeProblems(problems));
}

/** The settings, if no rule reports a problem. Errors: a RunError that lists all problems. */
export function judged(settings: Settings): Settings {
  const problems = judge(settings, { emptyPassphrase: hasEmptyPassphrase() });
  if (problems.length > 0) refuse(problems);
  return settings;
}

/**
 * Without the sites that `make up` leaves out of this run: they are not deployed yet, and their machines cannot be
 * reached.
 */
const withoutLeftOut = (sites: unknown): unknown => (Array.isArray(sites) ? sites.filter(isIncluded) : sites);

const tableWithoutLeftOut = (table: SitesTable | undefined): SitesTable | undefined =>
  table === undefined ? undefined : { ...table, sites: table.sites.filter(({ settings }) => isIncluded(settings)) };

function isIncluded(site: unknown): boolean {
  const names = (process.env.NATS_HUB_LEAF_LEFT_OUT ?? "").split(",");
  return !names.includes((site as { name?: string } | null)?.name ?? "");
}

/** A run that keeps its state elsewhere than the stack's would make all servers a second time. */
function elsewhere(state: unknown): Problem[] {
  if (state === undefined || state === process.env.PULUMI_BACKEND_URL) return [];
  const cure = `use 'make up' and the like, or set the environment first: eval "$(make -s env STACK=${pulumi.getStack()})"`;
  return [{ where: "state", problem: "is not where this run keeps its state (PULUMI_BACKEND_URL)", cure }];
}

/** Groups and lists are JSON in the config; every other setting is text. */
function rawValue(config: pulumi.Config, name: string): unknown {
  const text = config.get(name);
  if (text === undefined || !/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Misspelt top-level keys: Pulumi itself accepts any. */
function unknownKeys(config: pulumi.Config) {
  const prefix = `${config.name}:`;
  return Object.keys(pulumi.allConfig())
    .filter((key) => key.startsWith(prefix) && !SETTING_NAMES.includes(key.slice(prefix.length)))
    .map((key) => ({
      where: key.slice(prefix.length),
      problem: "is not a setting",
      cure: `use one of ${SETTING_NAMES.join(", ")}`,
    }));
}

/** Whether an empty passphrase encrypts this stack's secrets; one that this process cannot read is not empty. */
function hasEmptyPassphrase(): boolean {
  try {
    if (givenPassphrase(process.env) !== "") return false;
  } catch {
    return false;
  }
  return isByPassphrase(stackEncryption(pulumi.getStack()), process.env.PULUMI_BACKEND_URL);
}
