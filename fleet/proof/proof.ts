import { accountOf, siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { collectedName } from "../../configs/streams";
import { Finding } from "../../diagnosis/diagnose";
import { ProbeFacts } from "../../diagnosis/facts/facts";

/** One row of the proof: one stream of one site. */
export interface ProofRow {
  site: string;
  link: "up" | "pending";
  account: string;
  stream: string;
  /** Account and name of the hub's stream. */
  collected: string;
  /** Probes that arrived, each exactly once. */
  messages: number;
  /** From publishing the first probe at the site to finding it in the hub's stream. */
  latencyMs: number;
  status: "proven" | "pending";
  note: string;
  /** When it was proven last, in UTC: "2026-11-03T10:11:12Z". Absent until it was. */
  provenAt?: string;
}

/** The rows of one site; without `proved`, of a site that is declared offline, or away. */
export function rowsOf(
  { site, throughHub }: { site: string; throughHub?: true },
  streams: readonly StreamSettings[],
  proved?: { probes: Record<string, ProbeFacts>; findings: readonly Finding[] },
  away = false,
): ProofRow[] {
  return streams.map((stream): ProofRow => {
    const name = siteStreamName(stream, site);
    const row = { site, account: accountOf(site), stream: name, collected: collectedName(stream, site) };
    if (proved === undefined) {
      const note = away
        ? "its machine cannot be reached: left as it is"
        : "declared offline: the hub is ready, the site is not deployed";
      return { ...row, link: "pending", messages: 0, latencyMs: 0, status: "pending", note };
    }
    const { arrived = 0, latencyMs = 0, why, real } = proved.probes[name] ?? {};
    const itsOwn = real === undefined ? "" : `; the stream's own source is at ${real.after}${realWords(real)}`;
    const standIn = why === undefined ? [] : [`through a probe stream: ${why}${itsOwn}`];
    const byHub = throughHub === true ? ["through the hub: isolation at the site's own port was not attacked"] : [];
    const note = [...standIn, ...byHub, ...proved.findings.map((finding) => finding.cause)].join("; ");
    return { ...row, link: "up", messages: arrived, latencyMs, status: "proven", note };
  });
}

/** That the real source delivers, shown by its position. */
const realWords = ({ before, after, waits }: NonNullable<ProbeFacts["real"]>): string =>
  waits ? `, ${after - before} further than before` : ", and nothing waits";

/** The rows with the time of each one's last proof: now, or for what is pending that of its row before. */
export const timed = (rows: readonly ProofRow[], now: string, before: readonly ProofRow[] = []): ProofRow[] =>
  rows.map((row) => {
    const last = before.find(({ site, stream }) => site === row.site && stream === row.stream)?.provenAt;
    const provenAt = row.status === "proven" ? now : last;
    return provenAt === undefined ? row : { ...row, provenAt };
  });
