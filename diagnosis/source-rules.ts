import { SiteFacts, StreamFacts } from "./facts/facts";
import { StreamRule, UP } from "./facts/finding";
import { pathOf, shownPath } from "./path";
import { HEARD_MS, sourceOf } from "./stream-rules";

/** Rules about the hub's source at work: its place in the site's stream, what it hears, and what became of the probes. */

/** The longest that the server waits between two attempts: 2 minutes, and 30 s for the answer (nats-server stream.go). */
const LONGEST_WAIT_MS = 150_000;

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** For how long the source was silent, by the servers' own clocks; Infinity when unknown. */
function quietMs(stream: StreamFacts, { hub }: SiteFacts): number {
  const onHub = stream.onHub === "missing" ? undefined : stream.onHub;
  const activeMs = onHub?.source?.activeMs ?? -1;
  return activeMs >= 0 ? activeMs : Math.min(hub.upMs ?? Infinity, onHub?.ageMs ?? Infinity);
}

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
      : `${consumer.count} of its consumers at the site, the last sent ${consumer.sent} messages up to ${consumer.upTo}${consumer.bound ? "" : ", to no one"}, ${consumer.pending} wait`;

export const SOURCE_RULES: readonly StreamRule[] = [
  {
    code: "site-store-rolled-back",
    by: "seen",
    find(stream, { site }) {
      const source = sourceOf(stream);
      const { atSite, overrun } = stream;
      if (overrun !== undefined)
        return {
          cause: `site ${site} lost acknowledged messages, and the hub silently skipped what it stored in their place`,
          evidence: `the hub took sequences ${overrun.first} to ${overrun.last} before the site's server started; the site has since stored others under them`,
          next: `make repair SITE=${site} STREAM=${stream.name}, which shows what was skipped and can deliver it; keep sync_interval: always`,
        };
      if (source?.seq === undefined || atSite === undefined || atSite === "missing") return undefined;
      if (source.seq <= atSite.lastSeq || isNewAtSite(stream)) return undefined;
      return {
        cause: `site ${site} lost acknowledged messages: the hub is ahead of it and will skip the next ${source.seq - atSite.lastSeq} silently`,
        evidence: `the hub took sequence ${source.seq}, the site's last is ${atSite.lastSeq}`,
        next: `publish nothing important before 'make repair SITE=${site} STREAM=${stream.name}', which shows what was lost and moves the site's stream past the hub's position; keep sync_interval: always`,
      };
    },
  },
  {
    code: "source-paused",
    by: "seen",
    find(stream, { site }) {
      const { consumer } = stream;
      if (consumer === undefined || consumer === "missing" || consumer.pausedMs === undefined) return undefined;
      return {
        cause: `someone paused the consumer of the hub's source at the site, for ${seconds(consumer.pausedMs)} more: until then nothing of the stream is delivered`,
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `restart it with 'make repair SITE=${site} STREAM=${stream.name}'`,
      };
    },
  },
  {
    code: "backlog",
    by: "inferred",
    find(stream) {
      const source = sourceOf(stream);
      const { consumer, probe } = stream;
      if (source?.seq === undefined || source.activeMs < 0 || source.activeMs > HEARD_MS) return undefined;
      if (probe === undefined || probe.error !== undefined || probe.arrived >= probe.sent) return undefined;
      if (consumer === undefined || consumer === "missing" || consumer.pending + source.lag === 0) return undefined;
      return {
        cause: `the hub is still catching up: about ${Math.max(consumer.pending, source.lag)} messages of the site come before the probes`,
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: "wait until the hub has caught up, then run 'pulumi up'",
      };
    },
  },
  {
    code: "delivery-blocked",
    by: "inferred",
    find(stream, { site, leaf }) {
      const source = sourceOf(stream);
      const { consumer, deliver } = stream;
      if (source === undefined || consumer === undefined || consumer === "missing") return undefined;
      const isBehind = isLost(stream) && consumer.sent > 0 && consumer.upTo > (source.seq ?? 0);
      // The hub asks the site only for what it may publish: without the right the consumer delivers to no one.
      const wanted = leaf.links.length === 1 ? leaf.links[0]?.subjects : undefined;
      const isUnwanted =
        source.activeMs >= 0 &&
        !consumer.bound &&
        wanted !== undefined &&
        !wanted.some((subject) => subject.startsWith(`${deliver}.`));
      if (!isBehind && !isUnwanted) return undefined;
      return {
        cause: "the site answers the hub's source, but nothing that it delivers arrives",
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `allow '$JS.S.>', and in merged mode '_source.${site}.>', to the link's key (publish) on the hub (run 'pulumi up')`,
      };
    },
  },
  {
    code: "source-waiting",
    by: "inferred",
    find(stream, facts) {
      const quiet = quietMs(stream, facts);
      // A source that was never heard from may just have been created: nothing is wrong with it yet.
      if (sourceOf(stream) === undefined || quiet < HEARD_MS || quiet > LONGEST_WAIT_MS) return undefined;
      return {
        severity: isLost(stream) ? "error" : "warning",
        cause: `the hub's source does not run yet: it was not heard for ${seconds(quiet)}, and the server retries on its own within ${seconds(LONGEST_WAIT_MS - quiet)}`,
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `wait, or ${UP} (it starts the source immediately)`,
      };
    },
  },
  {
    code: "source-silent",
    by: "inferred",
    find(stream, facts) {
      const source = sourceOf(stream);
      if (source === undefined || quietMs(stream, facts) <= LONGEST_WAIT_MS) return undefined;
      return {
        cause:
          source.activeMs < 0
            ? "the hub's source never heard from the site's stream, though the link is up in the right account"
            : "the hub's source lost the site's stream and has not found it again",
        evidence: `${shownSource(stream)}; ${shownConsumer(stream)}`,
        next: `${UP} (it restarts the source)`,
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
            evidence: `${probe.doubled} of ${probe.sent} probes are twice in the hub's stream`,
            next: "look for a second way into the hub's stream: it must have no subjects of its own and one source for each site",
          },
  },
  {
    code: "source-at-rest",
    by: "inferred",
    find(stream, { site }) {
      const { probe } = stream;
      const { real } = probe ?? {};
      if (probe === undefined || real === undefined || probe.error !== undefined || probe.arrived < probe.sent)
        return undefined;
      if (!real.waits || real.after > real.before) return undefined;
      return {
        cause:
          "the probes passed through a probe stream, but the stream's own source takes nothing of what waits at the site",
        evidence: `through a probe stream: ${probe.why ?? ""}; ${shownSource(stream)}, no further than before the probes; ${shownConsumer(stream)}`,
        next: `restart it with 'make repair SITE=${site} STREAM=${stream.name}'`,
      };
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
            next: "fix what it names, then run 'pulumi up'",
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

/** Whether the site's stream was recreated since the hub's source last read from it. */
export function isNewAtSite({ atSite, before, remade = false }: StreamFacts): boolean {
  if (atSite === undefined || atSite === "missing") return false;
  return before?.siteCreated === undefined ? remade : before.siteCreated !== atSite.created;
}
