import { DoctorFinding } from "../facts/doctor-report";
import { ForeignSite } from "../../configs/reading/fleet-file";
import { linkCure } from "./links";

/** What to do about findings in a fleet of somebody else: without the commands of this program, which has no say there. */

const AGAIN = "(a stream that had no source for a moment may have got a duplicate_window: set it to 0)";

const CURES: Partial<Record<DoctorFinding["code"], string>> = {
  "hub-down": "start the hub, or correct hub.url; its log says why it went",
  "site-down": "start the site's server, or say expect: offline; its log says why it went",
  "link-down":
    "read the site's log: with 'Authorization Violation' the hub does not know the key; check that the remote has the seed in 'nkey' (not in 'credentials'), and the hub's leafnode port in 'urls'; where the link ends at a region, say via",
  "wrong-domain":
    "put back the domain in the site's server, or, where the new one is meant, change external.api of the source and 'domain' in the file",
  "stream-missing-at-site": "create it at the site, or correct its name in the file",
  "stream-missing-on-hub":
    "create it on the hub with the site as its source, or correct 'hub' and 'hubAccount' in the file",
  "source-missing": `add the site's stream to the sources of the hub's stream ${AGAIN}`,
  "source-wrong-api":
    "set external.api of the source to '$JS.<domain of the site>.API', or correct 'domain' in the file; where a region collects the stream, say via and at",
  "flow-control-blocked":
    "allow '$JS.FC.>' over the link: to the link's user on the hub (subscribe), and in exports and imports where the hub's stream stands in another account; then update the hub's stream without this source, and again with it",
  "hub-full":
    "raise the limit of the hub's stream, or let it discard old messages; its source goes on by itself within a minute",
  "hub-deduplicates": "set duplicate_window of the hub's stream to 0: the sources need none",
  "site-store-rolled-back":
    "publish nothing important there yet: store as many empty messages in the site's stream as it is behind, on a subject that nobody reads, and purge those; what it stored since the loss has to be stored anew after them; set sync_interval: always at the site",
};

/** Findings that a source cures which is taken off its stream and put back. */
const REARM: readonly DoctorFinding["code"][] = ["source-silent", "source-waiting", "backlog-stuck", "source-paused"];

/** Every place where one end is named, and no subject, file or name. */
const END = /(?<![\w./'"$-])(hub|site)(?![\w/-]|\.\w)/g;

/** The same of a stream that the site takes from the hub: what is said of one end holds of the other. */
const turned = (text: string, site: string): string =>
  text.replaceAll(`site ${site}`, "the site").replace(END, (end) => (end === "hub" ? "site" : "hub"));

/** The same of a stream that a region collects: it is in the place of the hub. */
const regional = (text: string): string => text.replace(END, (end) => (end === "hub" ? "region" : end));

/** The finding with a cure for its fleet; `downward`: streams that the site takes from the hub. */
export function inForeignWords(
  finding: DoctorFinding,
  { name, streams = [] }: ForeignSite,
  downward: ReadonlySet<string>,
): DoctorFinding {
  const next = cureOf(finding, streams);
  const { stream, symptom, cause, evidence } = finding;
  const described = streams.find((one) => one.name === stream);
  if (stream === undefined || described === undefined) return { ...finding, next };
  const isRegional = described.at !== undefined;
  if (!isRegional && !downward.has(stream)) return { ...finding, next };
  const inWords = (text: string): string => (isRegional ? regional(text) : turned(text, name));
  return {
    ...finding,
    symptom: inWords(symptom),
    cause: inWords(cause),
    evidence: inWords(evidence),
    next: inWords(next),
  };
}

function cureOf(
  { code, next, evidence, stream = "" }: DoctorFinding,
  streams: NonNullable<ForeignSite["streams"]>,
): string {
  const known = (code === "link-down" ? linkCure(evidence) : undefined) ?? CURES[code];
  if (known !== undefined) return known;
  if (REARM.includes(code)) {
    const onHub = streams.find(({ name }) => name === stream)?.hub ?? stream;
    return `after a restart wait 40 s; then update the hub's stream ${onHub} without this source, and again with it: its position is kept ${AGAIN}; a mirror starts anew with its server`;
  }
  return next.replace(/ \(run 'pulumi up'\)/g, "").replace(/^run 'pulumi up'.*$/, "correct it there");
}
