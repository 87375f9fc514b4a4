import { maskOutput } from "./nats-server-binary";
import type { ServerHost } from "./server-host";

/** Why a server exited, from its log. */

/** Before the command that gives them back. */
export const FOREIGN_FILES = "its store has files of another user; give them back:";

/** Whether the server failed for its store. */
const STORE_REFUSED = /JetStream: .*(not writable|permission denied|read-only file system)/i;

const isError = (line: string): boolean => /\[(ERR|FTL)\]|nats-server: /.test(line);
const isFatal = (line: string): boolean => /\[FTL\]|nats-server: /.test(line);

/** The lines of a log since the server was started last; all of them where the start is not among them. */
export const sinceStart = (lines: readonly string[]): string[] =>
  lines.slice(lines.findLastIndex((line) => line.includes("Starting nats-server")) + 1);

const withoutTime = (line: string): string => line.replace(/^\[\d+\] [\d/]+ [\d:.]+ /, "");

const linesOf = async (host: ServerHost): Promise<string[]> => (await host.log()).split("\n");

/** The last errors that the server said since it was started, seeds masked; the cure of one that is known. */
export async function lastErrors(host: ServerHost): Promise<string> {
  const lines = await linesOf(host);
  // A server that is started again and again may have been stopped before it logged why.
  const errors = (sinceStart(lines).some(isError) ? sinceStart(lines) : lines).filter(isError).slice(-3);
  const words = errors.map(withoutTime);
  const said = maskOutput(words.length === 1 ? `: ${words.join("")}` : words.map((line) => `\n  ${line}`).join(""));
  return STORE_REFUSED.test(said) ? `${said}; ${host.storeCure}` : said;
}

/** Why the server exited at its last start; undefined when its log has no fatal line: then it was stopped from outside. */
export async function whyItEnded(host: ServerHost): Promise<{ said: string; cure?: string } | undefined> {
  const last = sinceStart(await linesOf(host)).findLast(isFatal);
  if (last === undefined) return undefined;
  const said = maskOutput(withoutTime(last));
  return STORE_REFUSED.test(said) ? { said, cure: host.storeCure } : { said };
}
