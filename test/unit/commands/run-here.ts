import { COMMANDS } from "../../../commands/parse";

/** What a command left: its exit code, and what it printed. */
export interface Printed {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Where {
  folder: string;
  /** The whole environment of the command. */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a command like `nats-hub-leaf` does, in this process: a process of its own takes a quarter of a second. Tests of one
 * file run one after the other, so nobody else sees the folder and the environment.
 */
export async function runHere(name: string, args: readonly string[], { folder, env }: Where): Promise<Printed> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  const { run } = (await import(`../../../commands/${command.module}`)) as {
    run(args: readonly string[], name: string): Promise<number>;
  };
  const before = { folder: process.cwd(), env: { ...process.env } };
  const { log, error } = console;
  const [stdout, stderr]: [string[], string[]] = [[], []];
  process.chdir(folder);
  setEnvironment(env);
  console.log = (...words: unknown[]) => void stdout.push(`${words.map(String).join(" ")}\n`);
  console.error = (...words: unknown[]) => void stderr.push(`${words.map(String).join(" ")}\n`);
  try {
    const code = await run(args, name);
    return { code, stdout: stdout.join(""), stderr: stderr.join("") };
  } finally {
    Object.assign(console, { log, error });
    setEnvironment(before.env);
    process.chdir(before.folder);
  }
}

/** In place: `os.homedir()` reads the environment of the process itself. */
function setEnvironment(env: Where["env"]): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
}
