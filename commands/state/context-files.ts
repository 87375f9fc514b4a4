import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { NatsContext, contextText } from "../../views/outputs/contexts";
import type { Deployed } from "./deployed-fleet";
import { Refusal } from "../../machine/refusal";

// The files of NATS CLI contexts. The seeds lie in a folder of their own, `nats-hub-leaf/<prefix>` beside the CLI's
// contexts, with a note of the project that wrote them: a context is this program's when its key lies there.

type Environment = Readonly<Record<string, string | undefined>>;

/** Which project and stack wrote the contexts. */
export interface Writer {
  project: string;
  stack: string;
}

const NOTE = "written-by.json";

/** The folder of the `nats` CLI, as it finds it. */
const cliFolder = (env: Environment): string =>
  path.join(env.XDG_CONFIG_HOME || path.join(os.homedir(), ".config"), "nats");

const contextFolder = (env: Environment): string => path.join(cliFolder(env), "context");
const keyHome = (env: Environment): string => path.join(cliFolder(env), "nats-hub-leaf");

/** What a folder of keys says of its writer; undefined when it says nothing. */
function writerOf(folder: string): Writer | undefined {
  try {
    const { project, stack } = JSON.parse(fs.readFileSync(path.join(folder, NOTE), "utf8")) as Partial<Writer>;
    return project === undefined || stack === undefined ? undefined : { project, stack };
  } catch {
    return undefined;
  }
}

const isSame = (one: Writer | undefined, other: Writer): boolean =>
  one?.project === other.project && one.stack === other.stack;

const entriesOf = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder).sort() : []);

/** The prefixes under which the stack has contexts on this machine. */
export const prefixesOf = (writer: Writer, env: Environment): string[] =>
  entriesOf(keyHome(env)).filter((prefix) => isSame(writerOf(path.join(keyHome(env), prefix)), writer));

const nameOf = (file: string): string => path.basename(file, ".json");

/** The names of contexts whose key lies in the folder. */
function contextsWithKeysIn(folder: string, env: Environment): string[] {
  return entriesOf(contextFolder(env))
    .filter(
      (name) => name.endsWith(".json") && keyOf(path.join(contextFolder(env), name)).startsWith(folder + path.sep),
    )
    .map(nameOf);
}

function keyOf(file: string): string {
  try {
    const { nkey } = JSON.parse(fs.readFileSync(file, "utf8")) as { nkey?: unknown };
    return typeof nkey === "string" ? nkey : "";
  } catch {
    return "";
  }
}

/** Why the contexts cannot be written, every reason at once. */
function problems(contexts: readonly NatsContext[], folder: string, writer: Writer, env: Environment): string[] {
  if (fs.existsSync(folder) && !isSame(writerOf(folder), writer)) {
    const other = writerOf(folder);
    const whose = other === undefined ? "somebody else" : `stack '${other.stack}' of the project in ${other.project}`;
    const cure =
      other === undefined || !fs.existsSync(other.project)
        ? "remove that folder"
        : "remove them there ('make down', or 'make contexts REMOVE=1')";
    return [`${folder}: belongs to ${whose}; ${cure}, or choose other names with PREFIX=…`];
  }
  const own = new Set(contextsWithKeysIn(folder, env));
  return contexts
    .filter(({ name }) => fs.existsSync(fileOf(name, env)) && !own.has(name))
    .map(
      ({ name }) =>
        `${fileOf(name, env)}: this program did not write that context; keep it under another name ` +
        `('nats context copy ${name} …', then 'nats context rm ${name}'), or choose other names with PREFIX=…`,
    );
}

const fileOf = (name: string, env: Environment): string => path.join(contextFolder(env), `${name}.json`);

/** In one step: the `nats` CLI reads the old text or the new one. */
function write(file: string, text: string): void {
  const unfinished = `${file}.unfinished`;
  fs.writeFileSync(unfinished, text, { mode: 0o600 });
  fs.chmodSync(unfinished, 0o600);
  fs.renameSync(unfinished, file);
}

/**
 * Writes the contexts, and removes those that the stack no longer has under this prefix. Returns the names of the
 * latter. Errors: a Refusal, before anything is written, when a context is someone else's.
 */
export function writeContexts(
  { fleet, seeds }: Deployed,
  contexts: readonly NatsContext[],
  prefix: string,
  project: string,
  env: Environment,
): string[] {
  const writer = { project, stack: fleet.stack };
  const folder = path.join(keyHome(env), prefix);
  const reasons = problems(contexts, folder, writer, env);
  if (reasons.length > 0) throw new Refusal(reasons.join("\n"));

  for (const made of [folder, contextFolder(env)]) fs.mkdirSync(made, { recursive: true, mode: 0o700 });
  fs.chmodSync(folder, 0o700);
  write(path.join(folder, NOTE), `${JSON.stringify(writer, null, 2)}\n`);
  const stale = contextsWithKeysIn(folder, env).filter((name) => !contexts.some((context) => context.name === name));
  const keys = new Set<string>([NOTE]);
  for (const context of contexts) {
    const { owner, role } = context.key;
    const seed = seeds[owner]?.[role];
    if (seed === undefined) throw new Error(`the state has no key '${role}' of ${owner}`);
    const key = `${owner}.${role}.nk`;
    keys.add(key);
    write(path.join(folder, key), `${seed}\n`);
    write(fileOf(context.name, env), contextText(context, fleet.stack, path.join(folder, key)));
  }
  remove(stale, env);
  for (const name of entriesOf(folder)) if (!keys.has(name)) removeKey(folder, name);
  return stale;
}

/** Takes away contexts; one that the CLI has selected is no longer selected, for every `nats` command would fail. */
function remove(names: readonly string[], env: Environment): void {
  for (const name of names) fs.rmSync(fileOf(name, env), { force: true });
  for (const selection of ["context.txt", "previous-context.txt"].map((file) => path.join(cliFolder(env), file))) {
    if (fs.existsSync(selection) && names.includes(fs.readFileSync(selection, "utf8").trim())) fs.rmSync(selection);
  }
}

/** Removes only what this program writes: another file in the folder stays, and so does the folder. */
function removeKey(folder: string, name: string): void {
  if (name === NOTE || name.endsWith(".nk") || name.endsWith(".unfinished")) fs.rmSync(path.join(folder, name));
}

function removeEmpty(folder: string): void {
  if (fs.existsSync(folder) && fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
}

/** Takes away everything that was written for the stack. Returns the names of the contexts. */
export function removeContexts(writer: Writer, env: Environment): string[] {
  const removed = prefixesOf(writer, env).flatMap((prefix) => {
    const folder = path.join(keyHome(env), prefix);
    const names = contextsWithKeysIn(folder, env);
    remove(names, env);
    for (const name of entriesOf(folder)) removeKey(folder, name);
    removeEmpty(folder);
    return names;
  });
  removeEmpty(keyHome(env));
  return removed;
}
