import * as fs from "node:fs";
import * as path from "node:path";
import { createUser } from "@nats-io/nkeys";
import { LineCounter, parseDocument } from "yaml";
import type { Passphrase } from "../../configs/plan/fleet-plan";
import type { Problem } from "../../configs/problem";
import { readSitesFile } from "../../components/sites-file";
import type { SitesTable } from "../../configs/reading/sites-table";
import { isByPassphrase } from "../../configs/reading/secrets-provider";
import { maskSeeds } from "../../configs/seeds";
import { SETTING_NAMES } from "../../configs/settings";
import { isOfPassphrase } from "./passphrase";
import { Refusal } from "../../machine/refusal";
import { TRIAL_STACKS } from "./stack-environment";
import { readStackFile } from "./stack-file";

// A stack's config as the program would get it, read from the project's files alone: no Pulumi CLI, no state, no
// passphrase. What is encrypted stays so.

type Values = Record<string, unknown>;

export interface StackConfig {
  /** What `readSettings` takes. Every encrypted seed is replaced by an invented one, which belongs to no one. */
  raw: Values;
  /** The sites of the table that the settings name. */
  table: SitesTable | undefined;
  /** What only these files show: names that are no settings, and what is encrypted but has to be known. */
  problems: Problem[];
  /** Whether all `keys` are encrypted as one. */
  keysAreHidden: boolean;
  passphrase: Passphrase;
  notes: string[];
}

/** Errors: a Refusal, when there is nothing that could be read. */
export function readStackConfig(projectFolder: string, stack: string): StackConfig {
  const project = readYaml(projectFolder, "Pulumi.yaml", "restore it");
  const file = `Pulumi.${stack}.yaml`;
  const ofStack = readYaml(projectFolder, file, cureOfMissing(projectFolder));
  if (typeof project.name !== "string") throw new Refusal("Pulumi.yaml: the project has no name; restore the name");
  const prefix = `${project.name}:`;
  const given = withoutPrefix(group(ofStack.config, file), prefix);
  if (Object.keys(given).length === 0) {
    throw new Refusal(
      `${file}: it has no settings of this program; write them below 'config:', each with ` +
        `'${prefix}' in front (docs/settings.md)`,
    );
  }
  const { values, problems, notes, keysAreHidden } = withoutSecrets({ ...defaultsOf(project, prefix), ...given });
  if (ofStack.environment !== undefined) {
    notes.push("environment: what it adds to the config is not known here, and not in this plan");
  }
  const raw = Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      SETTING_NAMES.includes(name) ? [[name, asPulumiGives(value)]] : [],
    ),
  );
  return {
    raw,
    table: readSitesFile(raw.sitesFile, projectFolder),
    problems: [...unknownNames(Object.keys(given)), ...problems],
    keysAreHidden,
    // Half a second of processor time, which only `plan` needs.
    get passphrase() {
      const isByOne = isByPassphrase(readStackFile(projectFolder, stack), String(raw.state));
      return isByOne ? passphraseOf(ofStack, stack) : "keyService";
    },
    notes,
  };
}

function readYaml(folder: string, file: string, cureOfMissing: string): Values {
  let text: string;
  try {
    text = fs.readFileSync(path.join(folder, file), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refusal(
      `${file}: ${code === "ENOENT" ? "there is no such file" : `cannot be read (${code})`}; ${cureOfMissing}`,
    );
  }
  const lineCounter = new LineCounter();
  // Without "pretty" errors, which repeat the lines of the file: a seed may stand there.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new Refusal(`${file}:${line}:${col}: is not YAML: ${maskSeeds(error.message)}; correct it there`);
  }
  try {
    return group(document.toJS() ?? {}, file);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${file}: its aliases cannot be followed: ${(error as Error).message}; write them out`);
  }
}

function group(value: unknown, file: string): Values {
  if (value === undefined || value === null) return {};
  if (isGroup(value)) return value;
  throw new Refusal(`${file}: expected a group of settings, and found another value; see docs/settings.md`);
}

const isGroup = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function cureOfMissing(folder: string): string {
  const stacks = fs.existsSync(folder)
    ? fs.readdirSync(folder).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    : [];
  const others = stacks.length === 0 ? "" : `, or name a stack that has one: ${stacks.sort().join(", ")}`;
  return `write it (docs/settings.md)${others}`;
}

/** The settings of this project; a name without a project prefix is a setting too; those of other programs are left out. */
const withoutPrefix = (config: Values, prefix: string): Values =>
  Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const name = key.startsWith(prefix) ? key.slice(prefix.length).replace(/^config:/, "") : key;
      return name.includes(":") ? [] : [[name, value]];
    }),
  );

/** Pulumi.yaml gives a default itself, or in a group that says more about the setting. */
const defaultsOf = (project: Values, prefix: string): Values =>
  Object.fromEntries(
    Object.entries(withoutPrefix(group(project.config, "Pulumi.yaml"), prefix)).flatMap(([name, entry]) => {
      const value = isGroup(entry) ? (entry.value ?? entry.default) : entry;
      return value === undefined ? [] : [[name, value]];
    }),
  );

const unknownNames = (names: string[]): Problem[] =>
  names
    .filter((name) => !SETTING_NAMES.includes(name))
    .map((where) => ({ where, problem: "is not a setting", cure: `use one of ${SETTING_NAMES.join(", ")}` }));

const isEncrypted = (value: unknown): boolean =>
  isGroup(value) && Object.keys(value).length === 1 && typeof value.secure === "string";

const SEED = /^keys\.[^.]+\.[^.]+$/;

function withoutSecrets(values: Values) {
  const problems: Problem[] = [];
  const notes: string[] = [];
  function visit(value: unknown, where: string): unknown {
    if (isEncrypted(value)) {
      // The rules on seeds cannot judge what is encrypted, so a valid seed stands for it.
      if (SEED.test(where)) return new TextDecoder().decode(createUser().getSeed());
      problems.push({
        where,
        problem: "is encrypted, but the plan depends on it",
        cure: "store it in plain text (only 'keys' are secret), or use 'make preview', which has the passphrase",
      });
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, i) => visit(item, `${where}[${i}]`));
    if (isGroup(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, `${where}.${key}`)]));
    }
    if (SEED.test(where)) {
      notes.push(`${where} is in plain text in the stack file: set it with 'pulumi config set --secret'`);
    }
    return value;
  }
  const keysAreHidden = isEncrypted(values.keys);
  const shown = Object.entries(values).filter(([name]) => !(keysAreHidden && name === "keys"));
  const visited = Object.fromEntries(shown.map(([name, value]) => [name, visit(value, name)]));
  return { values: visited, problems, notes, keysAreHidden };
}

/**
 * Pulumi passes every value other than a group or list as text, and text in the form of JSON becomes a group or list
 * again.
 */
function asPulumiGives(value: unknown): unknown {
  if (value === undefined || (typeof value === "object" && value !== null)) return value;
  if (typeof value !== "string") return value === null ? "" : JSON.stringify(value);
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function passphraseOf({ encryptionsalt }: Values, stack: string): Exclude<Passphrase, "keyService"> {
  if (typeof encryptionsalt === "string") {
    const isEmpty = isOfPassphrase(encryptionsalt, "");
    if (isEmpty !== undefined) return isEmpty ? "empty" : "set";
  }
  // The first `make up` of this stack makes its salt, with an empty passphrase.
  return TRIAL_STACKS.includes(stack) ? "empty" : "unknown";
}
