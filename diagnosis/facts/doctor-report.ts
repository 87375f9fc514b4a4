import { Balance } from "../book/facts";
import { Finding } from "./finding";
import { DoctorCode, FindingCode } from "../reference/reference";

/** What the doctor says of a fleet. A value that is absent is unknown, never good. */

export type DoctorFinding = Omit<Finding, "code"> & { code: FindingCode | DoctorCode };

/**
 * "partial": nothing wrong was seen, and not everything could be seen with the access that was given.
 * "unknown": something that was to be looked at could not be.
 */
export type Verdict = "good" | "catching up" | "partial" | "warning" | "error" | "pending" | "unknown";

/** One stream of a site. */
export interface StreamReport {
  /** Name at the site. */
  stream: string;
  /** Account and name on the hub. */
  collected: string;
  /** Milliseconds since the hub's source heard of the site; -1 when it never did. */
  activeMs?: number;
  lag?: number;
  /** Last sequence that the hub took. */
  sourceSeq?: number;
  /** Last sequence at the site. */
  siteSeq?: number;
  /** Messages that the hub has still to take. */
  waiting?: number;
  verdict: Verdict;
  /** What the account book says of it; absent where the book has not begun, or is not kept. */
  book?: Balance;
}

export interface Unseen {
  what: string;
  why: string;
}

export interface SiteReport {
  site: string;
  link: "up" | "down" | "pending" | "unknown";
  /** The accounts that the site's links are in, on the hub. */
  accounts: string[];
  verdict: Verdict;
  streams: StreamReport[];
  findings: DoctorFinding[];
  /** What was to be looked at and could not be. */
  unseen: Unseen[];
  /** What no access was given for. */
  notGiven: string[];
}

export type Status = "good" | "partial" | "warning" | "error" | "unknown";

export interface DoctorReport {
  status: Status;
  sites: SiteReport[];
}

/** In the manner of Nagios plugins. */
export const EXIT_CODES: Readonly<Record<Status, number>> = { good: 0, partial: 0, warning: 1, error: 2, unknown: 3 };

/** What could not be looked at counts more than a warning: it may hide an error. */
export function statusOf(sites: readonly SiteReport[]): Status {
  const findings = sites.flatMap((site) => site.findings);
  if (findings.some(({ severity }) => severity === "error")) return "error";
  if (sites.some(({ unseen }) => unseen.length > 0)) return "unknown";
  if (findings.length > 0) return "warning";
  return sites.some(({ notGiven }) => notGiven.length > 0) ? "partial" : "good";
}
