import { covers, flowControlSubjects, overlaps } from "../configs/subjects";
import { HubStreamFacts, LinkFacts, SiteFacts, StreamFacts } from "./facts/facts";
import { StreamRule, UP, putBack } from "./facts/finding";

/** Rules on the way from a stream of the site to its stream on the hub: what must be there, and what the link carries. */

const onHubOf = ({ onHub }: StreamFacts): HubStreamFacts | undefined => (onHub === "missing" ? undefined : onHub);

export const sourceOf = (stream: StreamFacts) => onHubOf(stream)?.source;

/** What the site wants from the hub, when it can be read of its one link. */
const wanted = ({ hub }: SiteFacts): LinkFacts["subjects"] =>
  hub.links.length === 1 ? hub.links[0]?.subjects : undefined;

/** Whether one of the patterns takes the subject. Wildcards of applications, such as `>`, show no right to it. */
const takes = (subjects: readonly string[], subject: string): boolean =>
  subjects.some((pattern) => pattern.startsWith("$JS.") && covers(pattern, subject));

/** The flow control of the stream's consumers, in the form that the site's server uses. */
const flowControlOf = (name: string, { declared, leaf }: SiteFacts): string =>
  flowControlSubjects(declared.domain, name)[leaf.flowControl ?? "v1"];

/** Whether the site takes the flow control of its stream's consumers over the link. */
const carriesFlowControl = (name: string, facts: SiteFacts): boolean =>
  wanted(facts)?.some((subject) => subject.startsWith("$JS.FC.") && overlaps(subject, flowControlOf(name, facts))) ===
  true;

/** A healthy source hears from its site each second. */
export const HEARD_MS = 2_500;

/** Flow control blocks after about 2.1 MB; what is smaller passes even when it is blocked. */
const FLOW_CONTROL_ERROR = 10228;
const FLOW_CONTROL_CAUSE = "flow control does not reach the site, so sourcing stalls after about 2 MB";
const FLOW_CONTROL_CURE =
  "allow '$JS.FC.>' to the site's link key (subscribe), and export and import it in merged mode (run 'pulumi up')";

export const STREAM_RULES: readonly StreamRule[] = [
  {
    code: "export-missing",
    by: "seen",
    find: ({ notPassedOn = [], collectedAs }, { declared }) =>
      notPassedOn.length === 0
        ? undefined
        : {
            cause: `account ${declared.account} and the account of ${collectedAs} do not pass on what sourcing needs`,
            evidence: notPassedOn.join("; "),
            next: `restore exports and imports of the hub's accounts (${UP})`,
          },
  },
  {
    code: "requests-blocked",
    by: "inferred",
    find({ api, name, asked }, facts) {
      const request = `${api}.CONSUMER.CREATE.${name}`;
      const subjects = wanted(facts);
      if (subjects === undefined || takes(subjects, request) || takes(subjects, `${request}.x`)) return undefined;
      return {
        cause: "the link does not carry the source's requests from the hub to the site",
        evidence: `hub /leafz: the site takes ${subjects.join(", ") || "nothing"}, but not ${request}${asked === undefined ? "" : `; asked over the link: ${asked}`}`,
        next: `allow '${api}.CONSUMER.>' to the site's link key (subscribe) on the hub (run 'pulumi up')`,
      };
    },
  },
  {
    code: "replies-blocked",
    by: "inferred",
    find(stream, { unanswered }) {
      const { asked, api, name } = stream;
      const activeMs = sourceOf(stream)?.activeMs ?? -1;
      // On a slow link the answer may be on its way: a source that is heard was answered before, and what the site sent
      // has not all arrived.
      if (asked !== "no answer" || (activeMs >= 0 && activeMs < HEARD_MS)) return undefined;
      if (unanswered !== undefined && unanswered.siteSent > unanswered.hubReceived) return undefined;
      const counted =
        unanswered === undefined
          ? ""
          : `; meanwhile the site received ${unanswered.siteReceived} messages over the link and sent ${unanswered.siteSent}`;
      return {
        cause: "the site's answers to the source's requests do not come back over the link",
        evidence: `${api}.CONSUMER.NAMES.${name} from the hub, with an answer to $JSC.R: none${counted}`,
        next: "allow '$JSC.R.>', and in merged mode '_R_.>', to the site's link key (publish) on the hub (run 'pulumi up')",
      };
    },
  },
  {
    code: "stream-missing-at-site",
    by: "seen",
    unless: ["step-failed"],
    find: ({ name, atSite }) =>
      atSite === "missing"
        ? {
            cause: `the site has no stream ${name}`,
            evidence: `$JS.API.STREAM.INFO.${name} at the site: stream not found`,
            next: UP,
          }
        : undefined,
  },
  {
    code: "stream-missing-on-hub",
    by: "seen",
    unless: ["step-failed"],
    find: ({ collectedAs, onHub }) =>
      onHub === "missing"
        ? {
            cause: `the hub has no stream ${collectedAs}`,
            evidence: "JetStream of the hub: stream not found",
            next: UP,
          }
        : undefined,
  },
  {
    code: "source-missing",
    by: "seen",
    find(stream, { site }) {
      const onHub = onHubOf(stream);
      return onHub === undefined || onHub.source !== undefined
        ? undefined
        : {
            cause: `the hub's stream ${stream.collectedAs} does not source the site`,
            evidence: "its sources name no stream of the site",
            next: putBack(site, onHubOf(stream)?.doubles),
          };
    },
  },
  {
    code: "source-wrong-api",
    by: "seen",
    find(stream, { site }) {
      const source = sourceOf(stream);
      if (source?.api === undefined || source.api === stream.api) return undefined;
      return {
        cause: `the hub's source asks '${source.api}', where no site answers`,
        evidence: `source ${source.name}: external.api '${source.api}', declared '${stream.api}'`,
        next: putBack(site, onHubOf(stream)?.doubles),
      };
    },
  },
  {
    code: "source-wrong-stream",
    by: "seen",
    find(stream, { site }) {
      const source = sourceOf(stream);
      if (source === undefined || source.name === stream.name) return undefined;
      return {
        cause: `the hub's source reads stream ${source.name}, but the site's stream is ${stream.name}`,
        evidence: `source name '${source.name}', declared '${stream.name}'${source.error === undefined ? "" : `; error ${source.error.code}: ${source.error.text}`}`,
        next: putBack(site, onHubOf(stream)?.doubles),
      };
    },
  },
  {
    code: "source-altered",
    by: "seen",
    unless: ["source-wrong-api", "source-wrong-stream"],
    find(stream, { site }) {
      const source = sourceOf(stream);
      if (source?.altered === undefined) return undefined;
      return {
        cause: `the hub's source of ${stream.name} is not as declared: it takes other messages, or stores them elsewhere`,
        evidence: `source ${source.name}: ${source.altered}`,
        next: putBack(site, onHubOf(stream)?.doubles),
      };
    },
  },
  {
    code: "hub-full",
    by: "seen",
    find(stream) {
      const full = onHubOf(stream)?.full;
      return full === undefined
        ? undefined
        : {
            cause: `the hub's stream ${stream.collectedAs} accepts no more messages`,
            evidence: full,
            next: "raise collect.maxBytes of the stream in the settings by at least what is missing, or let it discard old messages (collect.discard: old), then run 'pulumi up'; if the limit was lowered by hand, 'pulumi up' alone restores it",
          };
    },
  },
  {
    code: "flow-control-blocked",
    by: "inferred",
    find({ name, consumer }, facts) {
      const subjects = wanted(facts);
      // The site takes flow control of a consumer that is there, and of no other.
      if (subjects === undefined || consumer === undefined || consumer === "missing") return undefined;
      if (carriesFlowControl(name, facts)) return undefined;
      return {
        cause: FLOW_CONTROL_CAUSE,
        evidence: `hub /leafz: the site takes ${subjects.join(", ") || "nothing"}, but nothing of ${flowControlOf(name, facts)}`,
        next: FLOW_CONTROL_CURE,
      };
    },
  },
  {
    code: "payload-limits",
    by: "inferred",
    find({ probe }, { leaf }) {
      const refusal = leaf.errors.findLast((line) => /Maximum Payload/i.test(line));
      if (refusal === undefined || probe === undefined || probe.arrived >= probe.sent) return undefined;
      return {
        cause: "the hub refuses large messages of the site, and each of them breaks the link",
        evidence: `${probe.arrived} of ${probe.sent} probes arrived; the site logs: ${refusal}`,
        next: `raise max_payload of the site's account on the hub to the site's (${UP})`,
      };
    },
  },
  {
    code: "flow-control-blocked",
    by: "inferred",
    find(stream, facts) {
      const source = sourceOf(stream);
      const { error } = source ?? {};
      const { probe, consumer } = stream;
      // A slow network stalls flow control too; then the source is heard, and goes on.
      const isPending = consumer !== undefined && consumer !== "missing" && consumer.pending > 0;
      const isHeard = source !== undefined && source.activeMs >= 0 && source.activeMs <= HEARD_MS;
      if (isPending && isHeard && carriesFlowControl(stream.name, facts)) return undefined;
      // Small probes arrived, the burst stopped on its way, and it cannot be seen whether the link carries flow control.
      const cut =
        (wanted(facts) === undefined || stream.consumer === undefined) &&
        probe !== undefined &&
        probe.burst > 0 &&
        probe.arrived > 0 &&
        probe.arrived < probe.sent &&
        probe.error === undefined;
      if (error?.code !== FLOW_CONTROL_ERROR && !cut) return undefined;
      return {
        cause: FLOW_CONTROL_CAUSE,
        evidence:
          error?.code === FLOW_CONTROL_ERROR
            ? `source error ${FLOW_CONTROL_ERROR}: ${error.text}`
            : `${probe?.arrived ?? 0} of ${probe?.sent ?? 0} probes arrived, the rest of the burst did not`,
        next: FLOW_CONTROL_CURE,
      };
    },
  },
];
