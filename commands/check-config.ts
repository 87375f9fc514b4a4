import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ConfigSyntaxError, ConfigWorld, readConfig } from "../configs/format/parse";
import { maskSeeds } from "../configs/seeds";
import { ConfigFinding, describeConfigFinding, masked } from "../diagnosis/files/finding";
import { readServer } from "../diagnosis/files/reading";
import { judgeConfigs } from "../diagnosis/files/rules/judge";
import type { ConfigServer } from "../diagnosis/files/server";
import { askServers } from "./files/ask-servers";
import { Refusal, messageOf } from "../machine/refusal";
import { type Call, parsed } from "./parse";

// What `make check-config` and `nats-hub-leaf check-config` do: findings over nats-server configuration files that were
// written by hand, without deploying anything, and without a stack or the Pulumi CLI.

/** Exit codes, for scripts. */
const EXIT = { fine: 0, warnings: 1, errors: 2, unreadable: 3 } as const;

export interface ConfigReport {
  files: readonly string[];
  findings: ConfigFinding[];
  notes: string[];
  /** Why files could not be judged. */
  problems: string[];
}

/** Runs the command, and returns its exit code. Never throws. */
export async function run(args: readonly string[]): Promise<number> {
  let call: Call;
  try {
    call = parsed("check-config", args);
    if (call.words.length === 0) throw new Refusal("check-config: no file given");
  } catch (error) {
    console.error(messageOf(error));
    return EXIT.unreadable;
  }
  const { words, values } = call;
  const maps = [values.map ?? []].flat().map(String);
  const report = await checkConfigs(withoutRepeats(words), { asksServer: values["no-server"] !== true, maps });
  console.log(maskSeeds(values.json === true ? JSON.stringify(report, null, 2) : describeReport(report)));
  return exitCode(report);
}

export interface CheckOptions {
  /** Whether real servers are asked: with -t, and by a rehearsal. Default true. */
  asksServer?: boolean;
  /** What variables are taken from. Default: the environment of this process. */
  env?: Readonly<Record<string, string | undefined>>;
  /** `host=file` for each name of the network that only the deployed fleet resolves. */
  maps?: readonly string[];
}

export async function checkConfigs(
  files: readonly string[],
  { asksServer = true, maps = [], env = process.env }: CheckOptions = {},
): Promise<ConfigReport> {
  const problems: string[] = [];
  const servers: ConfigServer[] = [];
  const world: ConfigWorld = { readFile: readOrNothing, env: (name) => env[name] };
  const find = ({ file }: ConfigServer, named: string): string | undefined => fileNamed(file, named, env);
  for (const file of files) {
    try {
      // A pipe can be read only once, and reading one without a writer never ends.
      if (!fs.statSync(file).isFile())
        throw new Error("is not a regular file; save its content to a file, and check that");
      servers.push(readServer(readConfig(fs.readFileSync(file, "utf8"), file, world), file));
    } catch (error) {
      problems.push(error instanceof ConfigSyntaxError ? error.message : `${file}: ${unreadable(error)}`);
    }
  }
  const hosts = hostsOf(maps, files, problems);
  // Half a fleet would be judged wrongly: the hub of a leaf server would seem to be missing.
  if (problems.length > 0) return { files, findings: [], notes: [], problems };
  const readNamed = (named: string): string | undefined => {
    const there = servers.map((server) => find(server, named)).find((path) => path !== undefined);
    return there === undefined ? undefined : readOrNothing(there);
  };
  const asked = asksServer ? await askServers(servers, { hosts, find, readNamed, env }) : { refusals: [], notes: [] };
  const { findings, notes } = judgeConfigs(servers, readNamed, { hosts, shown: asked.shown, now: Date.now() });
  return { files, findings: [...findings, ...asked.refusals], notes: [...notes, ...asked.notes].map(masked), problems };
}

function readOrNothing(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function hostsOf(maps: readonly string[], files: readonly string[], problems: string[]): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const map of maps) {
    const [, host = "", file = ""] = /^([^=]+)=(.+)$/.exec(map) ?? [];
    const given = files.find((one) => path.resolve(one) === path.resolve(file));
    if (host === "") problems.push(`--map ${map}: write it as host=file`);
    else if (given === undefined) problems.push(`--map ${map}: ${file} is not one of the files`);
    else hosts.set(host, given);
  }
  return hosts;
}

/** Each file once, by whatever names it is given. */
function withoutRepeats(files: readonly string[]): string[] {
  const real = (file: string): string => {
    try {
      return fs.realpathSync(file);
    } catch {
      return file;
    }
  };
  return [...new Map(files.map((file) => [real(file), file] as const).reverse()).values()].reverse();
}

/** Where a file is that a configuration names, as nats-server expands the path; a relative one also beside the configuration. */
function fileNamed(file: string, named: string, env: NonNullable<CheckOptions["env"]>): string | undefined {
  const expanded = named
    .replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced?: string, plain?: string) => env[braced ?? plain ?? ""] ?? "")
    .replace(/^~/, os.homedir());
  const places = [path.dirname(file), process.cwd()].map((folder) => path.resolve(folder, expanded));
  return places.find((one) => fs.existsSync(one) && fs.statSync(one).isFile());
}

const unreadable = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : messageOf(error);

function exitCode({ problems, findings }: ConfigReport): number {
  if (problems.length > 0) return EXIT.unreadable;
  if (findings.some(({ severity }) => severity === "error")) return EXIT.errors;
  return findings.length > 0 ? EXIT.warnings : EXIT.fine;
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function describeReport({ files, findings, notes, problems }: ConfigReport): string {
  const blocks = [
    ...problems,
    ...findings.map(describeConfigFinding),
    ...(notes.length === 0 ? [] : [notes.map((note) => `note: ${note}`).join("\n")]),
  ];
  const end =
    problems.length > 0
      ? `${plural(files.length, "file")}, ${problems.length} of them unreadable: nothing was checked`
      : `${plural(files.length, "file")}, ${plural(findings.length, "finding")}`;
  return [...blocks, end].join("\n\n");
}
