import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ConfigSyntaxError, ConfigWorld, readConfig } from "../configs/format/parse";
import { maskSeeds } from "../configs/seeds";
import { ConfigFinding, describeConfigFinding, draft, finished } from "../diagnosis/files/finding";
import { readServer } from "../diagnosis/files/reading";
import { judgeConfigs } from "../diagnosis/files/rules";
import type { ConfigServer } from "../diagnosis/files/server";
import { NatsServer, checkConfig, findNatsServer } from "../servers/nats-server-binary";
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
    if (call.words.length === 0) throw new Refusal("check-config: no file is given");
  } catch (error) {
    console.error(messageOf(error));
    return EXIT.unreadable;
  }
  const { words, values } = call;
  const report = await checkConfigs([...new Set(words)], { asksServer: values["no-server"] !== true });
  console.log(maskSeeds(values.json === true ? JSON.stringify(report, null, 2) : describeReport(report)));
  return exitCode(report);
}

export async function checkConfigs(files: readonly string[], { asksServer = true } = {}): Promise<ConfigReport> {
  const problems: string[] = [];
  const servers: ConfigServer[] = [];
  for (const file of files) {
    try {
      servers.push(readServer(readConfig(fs.readFileSync(file, "utf8"), file, WORLD), file));
    } catch (error) {
      problems.push(error instanceof ConfigSyntaxError ? error.message : `${file}: ${unreadable(error)}`);
    }
  }
  // Half a fleet would be judged wrongly: a leaf server's hub would seem to be missing.
  if (problems.length > 0) return { files, findings: [], notes: [], problems };
  const { findings, notes } = judgeConfigs(servers, (named) => readNamed(named, files));
  const asked = asksServer ? await askServer(servers) : { findings: [], notes: [] };
  return { files, findings: [...findings, ...asked.findings], notes: [...notes, ...asked.notes], problems };
}

const WORLD: ConfigWorld = { readFile: readOrNothing, env: (name) => process.env[name] };

function readOrNothing(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** A file that a configuration names, as nats-server expands the path; a relative one also beside the configurations. */
function readNamed(named: string, files: readonly string[]): string | undefined {
  const expanded = named
    .replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced?: string, plain?: string) => process.env[braced ?? plain ?? ""] ?? "")
    .replace(/^~/, os.homedir());
  const folders = [process.cwd(), ...files.map((file) => path.dirname(file))];
  return folders.map((folder) => readOrNothing(path.resolve(folder, expanded))).find((text) => text !== undefined);
}

const unreadable = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : messageOf(error);

/** What nats-server itself says of each file. */
async function askServer(servers: readonly ConfigServer[]): Promise<Pick<ConfigReport, "findings" | "notes">> {
  let natsServer: NatsServer;
  try {
    natsServer = await findNatsServer();
  } catch (error) {
    return { findings: [], notes: [`nats-server -t was not asked: ${messageOf(error)}`] };
  }
  const findings: ConfigFinding[] = [];
  for (const server of servers) {
    try {
      await checkConfig(natsServer, path.resolve(server.file));
    } catch (error) {
      const said = messageOf(error).replaceAll("nats-server.conf", server.file);
      const line = Number(/:(\d+):\d+:/.exec(said)?.[1] ?? 1);
      const at = { file: server.file, line };
      findings.push(finished(draft("server-refuses", server, at, { evidence: said.replace(/\s+/g, " ") })));
    }
  }
  return { findings, notes: [] };
}

function exitCode({ problems, findings }: ConfigReport): number {
  if (problems.length > 0) return EXIT.unreadable;
  if (findings.some(({ severity }) => severity === "error")) return EXIT.errors;
  return findings.length > 0 ? EXIT.warnings : EXIT.fine;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function describeReport({ files, findings, notes, problems }: ConfigReport): string {
  const blocks = [
    ...problems,
    ...findings.map(describeConfigFinding),
    ...(notes.length === 0 ? [] : [notes.map((note) => `note: ${note}`).join("\n")]),
  ];
  const end =
    problems.length > 0
      ? `${counted(files.length, "file")}, ${problems.length} of them unreadable: nothing was judged`
      : `${counted(files.length, "file")}, ${counted(findings.length, "finding")}`;
  return [...blocks, end].join("\n\n");
}
