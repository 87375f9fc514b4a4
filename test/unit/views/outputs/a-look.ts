import { DoctorFinding, DoctorReport, SiteReport } from "../../../../diagnosis/facts/doctor-report";

const FINDING: DoctorFinding = {
  code: "link-down",
  severity: "error",
  site: "bergen",
  symptom: "s",
  cause: "c",
  evidence: "e",
  next: "n",
} as unknown as DoctorFinding;

/** A site as it should be. */
export const GOOD: SiteReport = {
  site: "oslo",
  link: "up",
  accounts: ["OSLO"],
  verdict: "good",
  streams: [
    {
      stream: "EVENTS",
      collected: "OSLO/EVENTS",
      activeMs: 412,
      lag: 0,
      sourceSeq: 80,
      siteSeq: 81,
      waiting: 1,
      verdict: "good",
    },
  ],
  findings: [],
  unseen: [],
  notGiven: [],
};

const BAD: SiteReport = {
  ...GOOD,
  site: "bergen",
  link: "down",
  verdict: "error",
  streams: [{ stream: "EVENTS", collected: "BERGEN/EVENTS", activeMs: -1, verdict: "error" }],
  findings: [FINDING, FINDING, { ...FINDING, code: "backlog-stuck", stream: "EVENTS" }],
  unseen: [{ what: "this", why: "that" }],
};

const REPORT: DoctorReport = { status: "error", sites: [GOOD, BAD] };
/** A look of the doctor at a good site and a bad one. */
export const LOOKED = { stack: "dev", exitCode: 2, timestamp: 1_700_000_000, report: REPORT };
