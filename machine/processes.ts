import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { readJson, writePrivate } from "./folders";
import { lookUntil } from "./until";

/**
 * Detached server processes. A process is ours only if boot id, start time and command line match what was recorded
 * when it was started, or, when the record was lost to an interruption, if it runs exactly our command line.
 */

interface ProcessRecord {
  pid: number;
  bootId: string;
  /** In clock ticks since boot. */
  startTime: string;
  command: string[];
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}

/** Fields 3 and on of /proc/<pid>/stat; undefined for a process that is gone or only waits to be reaped. */
function statOf(pid: number): string[] | undefined {
  const stat = tryRead(`/proc/${pid}/stat`);
  // The command name, in parentheses, may hold blanks.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Field 20: while other threads of it still end, it holds its ports.
  return fields?.[0] === "Z" && Number(fields[17]) <= 1 ? undefined : fields;
}

const startTime = (pid: number): string | undefined => statOf(pid)?.[19];

/** Whether a signal or a debugger stopped the process. */
export const isFrozen = (pid: number): boolean => /^[Tt]$/.test(statOf(pid)?.[0] ?? "");

const commandOf = (pid: number): string[] | undefined => tryRead(`/proc/${pid}/cmdline`)?.split("\0").slice(0, -1);

const sameCommand = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && a.every((part, i) => part === b[i]);

function isOurs({ pid, bootId: boot, startTime: start, command }: ProcessRecord): boolean {
  return boot === bootId() && start === startTime(pid) && sameCommand(commandOf(pid), command);
}

/** A name that no other process has until the machine restarts. */
export const processName = (): string => `${process.pid}.${startTime(process.pid) ?? ""}`;

/** Whether the process of that name is there. */
export function isProcess(name: string): boolean {
  const [pid, start] = name.split(".");
  return start !== undefined && start === startTime(Number(pid));
}

/** The words of the command line `nats-server -c <config>`. */
const SERVER_WORDS = 3;

/** Every process whose command line has so many words and ends with `-c <config>`. */
function scan(config: string, words: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const command = commandOf(pid);
      return (
        command?.length === words && sameCommand(command.slice(-2), ["-c", config]) && startTime(pid) !== undefined
      );
    });
}

/** The pid of our running server of this configuration file, or undefined. Quick: reads the record only. */
export function recordedProcess(recordFile: string): number | undefined {
  const record = readJson<ProcessRecord>(recordFile);
  return record !== undefined && isOurs(record) ? record.pid : undefined;
}

/** Like `recordedProcess`, but also finds the process of an interrupted start, whose record was never written. */
export function findProcess(recordFile: string, config: string, words = SERVER_WORDS): number | undefined {
  const recorded = recordedProcess(recordFile);
  if (recorded !== undefined) return recorded;
  const [pid] = scan(config, words);
  if (pid !== undefined) record(recordFile, pid, commandOf(pid) ?? []);
  return pid;
}

/** Our server that was started with another configuration file than `config`: its folder was moved since, or renamed. */
export function movedProcess(recordFile: string, config: string): { pid: number; config: string } | undefined {
  const record = readJson<ProcessRecord>(recordFile);
  const started = record?.command.at(-1);
  if (record === undefined || started === undefined || started === config || !isOurs(record)) return undefined;
  return { pid: record.pid, config: started };
}

function record(file: string, pid: number, command: string[]): void {
  writePrivate(
    file,
    JSON.stringify({ pid, bootId: bootId(), startTime: startTime(pid) ?? "", command } satisfies ProcessRecord),
  );
}

/** The TCP ports that the process listens on; none when it is gone. */
export function listeningPorts(pid: number): number[] {
  const sockets = new Set(openFiles(pid).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  const tables = ["tcp", "tcp6"].flatMap((table) => (tryRead(`/proc/${pid}/net/${table}`) ?? "").split("\n").slice(1));
  return tables.flatMap((line) => {
    // sl, local address (hexadecimal), remote address, state (0A: listening), …, inode
    const fields = line.trim().split(/\s+/);
    const port = fields[1]?.split(":")[1];
    return fields[3] === "0A" && port !== undefined && sockets.has(fields[9] ?? "") ? [parseInt(port, 16)] : [];
  });
}

/** What the process's file descriptors lead to. */
function openFiles(pid: number): string[] {
  const orNone = (read: () => string[]): string[] => {
    try {
      return read();
    } catch {
      return []; // Closed, or the process ended, in between.
    }
  };
  const folder = `/proc/${pid}/fd`;
  return orNone(() => readdirSync(folder)).flatMap((file) => orNone(() => [readlinkSync(`${folder}/${file}`)]));
}

export interface Started {
  /** undefined when it could not be started. */
  pid: number | undefined;
  /** Resolves when the process ends, with its exit code. */
  ended: Promise<number>;
}

/**
 * Starts `<binary> <before> -c <config>` detached, so that it survives this process, in the folder of `output`, to which
 * what it says goes.
 */
export function startProcess(
  binary: string,
  config: string,
  files: { output: string; record: string },
  before: readonly string[] = [],
): Started {
  const args = [...before, "-c", config];
  const output = openSync(files.output, "w", 0o600);
  // Nothing of this process's environment: it holds the passphrase of the stack.
  // The server makes its log and its store readable to the group, unless this forbids it.
  const umask = process.umask(0o077);
  const child = spawn(binary, args, {
    detached: true,
    stdio: ["ignore", output, output],
    env: {},
    cwd: dirname(files.output),
  });
  process.umask(umask);
  closeSync(output);
  const ended = new Promise<number>((resolve) => {
    child.on("exit", (code) => resolve(code ?? -1));
    child.on("error", () => resolve(-1));
  });
  child.unref();
  if (child.pid !== undefined) record(files.record, child.pid, [binary, ...args]);
  return { pid: child.pid, ended };
}

const STOP_TIMEOUT_MS = 15_000;

/** Ends the process and waits until it is gone: SIGTERM first, SIGKILL after 15 s. */
export async function stopProcess(recordFile: string, config: string, words = SERVER_WORDS): Promise<void> {
  const pid = findProcess(recordFile, config, words);
  if (pid === undefined) return;
  const start = startTime(pid);
  const gone = (within: number): Promise<boolean> =>
    lookUntil(() => Promise.resolve(startTime(pid) !== start), Boolean, { within, every: 5 });
  signal(pid, "SIGTERM");
  // A frozen process exits only after it is resumed.
  if (isFrozen(pid)) signal(pid, "SIGCONT");
  if (await gone(STOP_TIMEOUT_MS)) return;
  signal(pid, "SIGKILL");
  await gone(STOP_TIMEOUT_MS);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It exited on its own in between.
  }
}
