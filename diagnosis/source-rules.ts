import { StreamFacts } from "./facts";
import { StreamRule, UP } from "./finding";
import { pathOf, shownPath } from "./path";
import { sourceOf } from "./stream-rules";

/** Rules about the hub's source at work: its place in the site's stream, what it hears, and what became of the probes. */

/** A healthy source hears from its site each second. */
const HEARD_MS = 2_500;
/** The longest that the server waits between two attempts: 2 minutes, and 30 s for the answer (nats-server stream.go). */
const LONGEST_WAIT_MS = 150_000;

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

const isLost = ({ probe }: StreamFacts): boolean =>
  probe?.through === "real" && probe.sent > 0 && probe.arrived === 0 && probe.error === undefined;

const shownSource = (stream: StreamFacts): string => {
  const source = sourceOf(stream);
  if (source === undefined) return "source unknown";
  const active = source.activeMs < 0 ? "never" : `${source.activeMs} ms ago`;
  const error = source.error === undefined ? "" : `, error ${source.error.code}: ${source.error.text}`;
  return `source ${source.name}: active ${active}, lag ${source.lag}, sequence ${source.seq ?? "unknown"}${error}`;
};

const shownConsumer = ({ consumer }: StreamFacts): string =>
  consumer === undefined
    ? "its consumer at the site is unknown"
    : consumer === "missing"
      ? "it has no consumer at the site"
      : `${consumer.count} of its consumers at the site, the last sent ${consumer.sent} messages up to ${consumer.upTo}${consumer.bound ? "" : ", to nobody"}, ${consumer.pending} wait`;

export const SOURCE_RULES: readonly StreamRule[] = [
  {
    code: "site-store-rolled-back",
    by: "seen",
    find(stream, { site }) {
      const source = sourceOf(stream);
      const { atSite } = stream;
      if (source?.seq === undefined || atSite === undefined || atSite === "missing") return undefined;
      if (source.seq <= atSite.lastSeq || isNewAtSite(stream)) return undefined;
      return {
        cause: `site ${site} lost acknowledged messages: the hub is ahead of it and will skip the next ${source.seq - atSite.lastSeq} silently`,
        evidence: `the hub took sequence ${source.seq}, the site's last is ${atSite.lastSeq}`,
        next: `publish nothing important until the site's stream is purged up to the hub's sequence ('nats stream purge ${stream.name} --seq ${source.seq + 1}' at the site, as its operator); keep sync_interval: always`,
      };
    },
  },
  {
    code: "delivery-blocked",
    by: "inferred",
    find(stream, { site }) {
      const source = sourceOf(stream);
      const { consumer } = stream;
      if (source === undefined || consumer === undefined || consumer === "missing") return undefined;
      const isBehind = isLost(stream) && consumer.sent > 0 && consumer.upTo > (source.seq ?? 0);
      // A consumer that the hub listens to sends a sign of life each second.
      const isUnheard = consumer.bound && (source.activeMs < 0 || source.activeMs > HEARD_MS);
      if (!isBehind && !isUnheard) return undefined;
      return {
        cause: "the site answers the hub's source, and nothing of what it delivers arrives",
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `allow '$JS.S.>', and in merged mode '_source.${site}.>', to the link's key (publish) on the hub (run 'pulumi up')`,
      };
    },
  },
  {
    code: "source-waiting",
    by: "inferred",
    find(stream, { hub }) {
      const source = sourceOf(stream);
      const onHub = stream.onHub;
      if (source === undefined || onHub === undefined || onHub === "missing") return undefined;
      const quiet = source.activeMs >= 0 ? source.activeMs : Math.min(hub.upMs ?? Infinity, onHub.ageMs ?? Infinity);
      if (quiet < HEARD_MS || quiet > LONGEST_WAIT_MS) return undefined;
      return {
        severity: isLost(stream) ? "error" : "warning",
        cause: `the hub's source does not run yet: it was not heard for ${seconds(quiet)}, and the server tries again by itself within ${seconds(LONGEST_WAIT_MS - quiet)}`,
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `wait, or ${UP} (it starts the source at once)`,
      };
    },
  },
  {
    code: "source-silent",
    by: "inferred",
    find(stream) {
      const source = sourceOf(stream);
      if (source === undefined) return undefined;
      const isQuiet = source.activeMs < 0 ? true : source.activeMs > LONGEST_WAIT_MS;
      if (!isQuiet) return undefined;
      return {
        cause:
          source.activeMs < 0
            ? "the hub's source never heard from the site's stream, though the link is up in the right account"
            : "the hub's source lost the site's stream and has not found it again",
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `${UP} (it starts the source anew)`,
      };
    },
  },
  {
    code: "probes-doubled",
    by: "inferred",
    find: ({ probe }) =>
      probe === undefined || probe.doubled === 0
        ? undefined
        : {
            cause: "the hub stores messages of the site twice",
            evidence: `${probe.doubled} of ${probe.sent} probes stand twice in the hub's stream`,
            next: "look for a second way into the hub's stream: it must have no subjects of its own and one source for each site",
          },
  },
  {
    code: "probe-failed",
    by: "inferred",
    find: ({ probe, name }) =>
      probe?.error === undefined
        ? undefined
        : {
            cause: `probes could not be sent through stream ${name}`,
            evidence: probe.error,
            next: "cure what it names, then run 'pulumi up'",
          },
  },
  {
    code: "unknown",
    by: "inferred",
    find(stream, facts) {
      const { probe } = stream;
      if (probe === undefined || probe.arrived >= probe.sent) return undefined;
      const path = pathOf(stream, facts);
      const bad = path.find(({ state }) => state === "bad");
      const good = path
        .slice(0, bad === undefined ? undefined : path.indexOf(bad))
        .findLast((step) => step.state === "good");
      return {
        cause: `unknown: no rule fits. Last good step: ${good?.name ?? "none"}; first bad one: ${bad?.name ?? "none was seen"}`,
        evidence: `${probe.arrived} of ${probe.sent} probes arrived\n${shownPath(path)}`,
        next: "look at the first step that is not good, read the logs of both servers, and run 'pulumi up' again",
      };
    },
  },
];

/** Whether the site's stream is another one than the one that the hub's source knew. */
export function isNewAtSite({ atSite, onHub, before }: StreamFacts): boolean {
  if (atSite === undefined || atSite === "missing") return false;
  if (before?.siteCreated !== undefined) return before.siteCreated !== atSite.created;
  // Streams are made at the site first: one that is younger than the hub's was made anew.
  return onHub !== undefined && onHub !== "missing" && atSite.created > onHub.created;
}
