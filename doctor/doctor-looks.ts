import { diagnose } from "../diagnosis/diagnose";
import { findingOf } from "../diagnosis/facts/finding";
import { SiteFacts, StreamFacts } from "../diagnosis/facts/facts";
import { DoctorFinding, SiteReport, StreamReport, Unseen, Verdict } from "../diagnosis/facts/doctor-report";
import { SILENT_AFTER_MS } from "../fleet/sourcing/source";

/** What becomes of one site from look to look: one look cannot tell a backlog that is caught up from one that stands. */

export interface Seen {
  facts: SiteFacts;
  /** The accounts of the site's links on the hub; absent when the hub's system account was not asked. */
  links?: string[];
  /** Messages that the hub has still to take, by stream; absent when they could not be counted. */
  waiting: Record<string, number | undefined>;
  /** Findings of no rule of the diagnosis. */
  found?: DoctorFinding[];
  unseen: Unseen[];
  notGiven: string[];
}

interface Progress {
  seq: number;
  /** When it was first seen at this sequence. */
  since: number;
  /** How far it came since the look before; absent at the first one. */
  advanced?: number;
}

const keyOf = ({ code, stream = "" }: DoctorFinding): string => `${code} ${stream}`;

export const sourceOf = ({ onHub }: StreamFacts) =>
  onHub === undefined || onHub === "missing" ? undefined : onHub.source;

/** What a source does not do is no finding where the cause is known. */
const EFFECTS: readonly DoctorFinding["code"][] = ["source-waiting", "source-silent"];

function withOwn(found: readonly DoctorFinding[], own: readonly DoctorFinding[]): DoctorFinding[] {
  const isExplained = ({ stream, code }: DoctorFinding): boolean =>
    EFFECTS.includes(code) && own.some((one) => one.stream === stream && one.severity === "error");
  return [...own, ...found.filter((one) => !isExplained(one))];
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export class SiteLooks {
  private seen: Seen | undefined;
  private count = 0;
  private findings: DoctorFinding[] = [];
  /** Whether a source was not heard of for a while, and no other cause is known. */
  private isQuiet = false;
  private readonly since = new Map<string, number>();
  private readonly progress = new Map<string, Progress>();

  constructor(
    private readonly site: string,
    private readonly isPending: boolean,
  ) {}

  add(seen: Seen, now: number): void {
    this.seen = seen;
    this.count++;
    for (const stream of seen.facts.streams) this.follow(stream, now);
    const found = withOwn(diagnose(seen.facts), seen.found ?? []);
    this.findings = this.isPending
      ? found.filter(({ code }) => code === "hub-down")
      : [...found, ...this.notMoving(found, now)];
    const keys = new Set(this.findings.map(keyOf));
    for (const key of this.since.keys()) if (!keys.has(key)) this.since.delete(key);
    for (const key of keys) if (!this.since.has(key)) this.since.set(key, now);
  }

  /**
   * Whether another look would tell nothing new: everything is good, or has been wrong for so long. A source that lost
   * its site is looked at for as long as there is time: the server itself takes up to 40 s to find it again.
   */
  isSettled = (now: number, standsMs: number): boolean =>
    !this.isQuiet &&
    (this.count > 1 || this.seen?.unseen.length === 0) &&
    this.findings.every((finding) => now - (this.since.get(keyOf(finding)) ?? now) >= standsMs);

  private follow(stream: StreamFacts, now: number): void {
    const source = sourceOf(stream);
    if (source === undefined) return;
    const seq = source.seq ?? 0;
    const before = this.progress.get(stream.name);
    const advanced = before === undefined ? {} : { advanced: Math.max(0, seq - before.seq) };
    // A stream that went back in time begins anew as well.
    const since = before?.seq === seq ? before.since : now;
    this.progress.set(stream.name, { seq, since, ...advanced });
  }

  /** What the diagnosis of a single moment cannot see. */
  private notMoving(found: readonly DoctorFinding[], now: number): DoctorFinding[] {
    this.isQuiet = false;
    const { facts, waiting } = this.seen ?? { facts: undefined, waiting: {} };
    if (facts === undefined || found.some(({ stream }) => stream === undefined)) return [];
    return facts.streams.flatMap((stream): DoctorFinding[] => {
      const source = sourceOf(stream);
      this.isQuiet ||= source !== undefined && source.activeMs >= SILENT_AFTER_MS;
      const isKnown = found.some(
        ({ stream: of, severity, code }) => of === stream.name && (severity === "error" || code === "source-waiting"),
      );
      const count = waiting[stream.name] ?? 0;
      const { since = now, advanced = 0, seq = 0 } = this.progress.get(stream.name) ?? {};
      if (source === undefined || isKnown || count === 0 || advanced > 0) return [];
      const start = `start it anew with 'make repair SITE=${this.site} STREAM=${stream.name}'`;
      return [
        findingOf(
          "backlog-stuck",
          {
            cause: `up to ${count} messages wait at the site, and the hub's source takes none of them`,
            evidence: `source ${source.name}: last heard of ${seconds(source.activeMs)} ago, at sequence ${seq} for ${seconds(now - since)}`,
            next: `after a restart wait 40 s; then ${start}; when it stops again, 'make up' proves the path and names the cause`,
          },
          { site: this.site, stream: stream.name, symptom: `stream ${stream.name} does not reach the hub` },
        ),
      ];
    });
  }

  report(why: string): SiteReport {
    const { site, isPending, seen, findings } = this;
    if (seen === undefined) {
      const unseen = [{ what: "everything", why }];
      const verdict = "unknown";
      return { site, link: "unknown", accounts: [], verdict, streams: [], findings: [], unseen, notGiven: [] };
    }
    const { facts, links } = seen;
    const unseen = isPending ? [] : seen.unseen;
    const isHubDown = facts.hub.unreachable !== undefined;
    const link = links === undefined || isHubDown ? "unknown" : links.length > 0 ? "up" : "down";
    const streams = facts.streams.map((stream) => this.streamReport(stream));
    return {
      site,
      link: isPending && link === "down" ? "pending" : link,
      accounts: links ?? [],
      verdict: worst([this.verdictOf(findings), ...streams.map(({ verdict }) => verdict)]),
      streams,
      findings,
      unseen,
      notGiven: seen.notGiven,
    };
  }

  private verdictOf(findings: readonly DoctorFinding[]): Verdict {
    if (findings.some(({ severity }) => severity === "error")) return "error";
    if (this.isPending) return "pending";
    if ((this.seen?.unseen.length ?? 0) > 0) return "unknown";
    if (findings.length > 0) return "warning";
    return (this.seen?.notGiven.length ?? 0) > 0 ? "partial" : "good";
  }

  private streamReport(stream: StreamFacts): StreamReport {
    const report: StreamReport = { stream: stream.name, collected: stream.collectedAs, verdict: "good" };
    const source = sourceOf(stream);
    if (source !== undefined) {
      report.activeMs = source.activeMs;
      report.lag = source.lag;
      if (source.seq !== undefined) report.sourceSeq = source.seq;
    }
    if (stream.atSite !== undefined && stream.atSite !== "missing") report.siteSeq = stream.atSite.lastSeq;
    const waiting = this.seen?.waiting[stream.name];
    if (waiting !== undefined) report.waiting = waiting;
    if (stream.book !== undefined) report.book = stream.book.balance;
    const own = this.findings.filter((finding) => finding.stream === undefined || finding.stream === stream.name);
    report.verdict = this.verdictOf(own);
    // What came in since the look before is on its way; more than that is a backlog.
    const advanced = this.progress.get(stream.name)?.advanced ?? 0;
    if (report.verdict === "good" && (waiting ?? 0) > advanced) report.verdict = "catching up";
    return report;
  }
}

const BY_WEIGHT: readonly Verdict[] = ["good", "catching up", "partial", "pending", "warning", "unknown", "error"];

const worst = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((one, other) => (BY_WEIGHT.indexOf(other) > BY_WEIGHT.indexOf(one) ? other : one), "good");
