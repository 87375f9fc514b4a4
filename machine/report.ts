import { AsyncLocalStorage } from "node:async_hooks";
import { appendFileSync } from "node:fs";

const captured = new AsyncLocalStorage<string[]>();

/** What a line is about, for programs: they read this, and never the words. */
export interface ReportAbout {
  /**
   * "fate": what `up` does to a server. "wrong": a server is not as it was left (`what`; `isDead`: it does not run).
   * "due": the time asks for another certificate, of a server or of the CA. "proof": what the smoke test does, `what`.
   * "rehearsed": a rehearsal that passed. "refused": why nothing is done. "found": anything else worth a look.
   */
  kind: "fate" | "wrong" | "due" | "proof" | "rehearsed" | "refused" | "found";
  /** The hub or the site that it is about. */
  server?: string;
  values?: Readonly<Record<string, string | boolean>>;
}

/** A line, with the words that people read. */
export interface Report extends ReportAbout {
  words: string;
}

/** What is wrong with a server, as in "it is not running". */
export interface Fault {
  what: string;
  /** Whether it does not run. */
  isDead: boolean;
}

/** A server that is not as it was left; `up` repairs it. */
export const faultReport = (server: string, { what, isDead }: Fault): ReportAbout => ({
  kind: "wrong",
  server,
  values: { what, isDead },
});

export const NOT_RUNNING: Fault = { what: "is not running", isDead: true };

/** Names the file into which every report is also written, one line of JSON each, for `preview-report`. */
export const TOLD_FILE = "NATS_HUB_LEAF_TOLD";

/** Lines for the person who watches `pulumi preview` or `pulumi up`; the CLI shows them while the work goes on. */
export function report(words: string, about: ReportAbout = { kind: "found" }): void {
  const lines = captured.getStore();
  if (lines !== undefined) {
    lines.push(words);
    return;
  }
  console.log(words);
  sendReport({ ...about, words });
}

/** Reports something that is shown in another way, such as an error. */
export function sendReport(told: Report): void {
  const file = process.env.NATS_HUB_LEAF_TOLD ?? "";
  if (file !== "" && captured.getStore() === undefined)
    appendFileSync(file, `${JSON.stringify(told)}\n`, { mode: 0o600 });
}

/** Does the work with its reports kept in `lines`: reports of a scratch fleet say nothing about the real one. */
export const captureReports = <T>(lines: string[], work: () => Promise<T>): Promise<T> => captured.run(lines, work);
