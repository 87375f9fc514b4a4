import { StreamFacts } from "./facts";
import { StreamRule, UP } from "./finding";

/** Rules on the way from a stream of the site to its stream on the hub. */

const sourceOf = (stream: StreamFacts) =>
  stream.onHub === undefined || stream.onHub === "missing" ? undefined : stream.onHub.source;

/** Flow control blocks after about 2.1 MB; what is smaller passes even when it is blocked. */
const FLOW_CONTROL_ERROR = 10228;

export const STREAM_RULES: readonly StreamRule[] = [
  ({ name, atSite }) =>
    atSite === "missing"
      ? {
          code: "stream-missing-at-site",
          cause: `the site has no stream ${name}`,
          evidence: `$JS.API.STREAM.INFO.${name} at the site: stream not found`,
          next: UP,
        }
      : undefined,

  ({ collectedAs, onHub }) =>
    onHub === "missing"
      ? {
          code: "stream-missing-on-hub",
          cause: `the hub has no stream ${collectedAs}`,
          evidence: "JetStream of the hub: stream not found",
          next: UP,
        }
      : undefined,

  (stream) =>
    stream.onHub !== undefined && stream.onHub !== "missing" && stream.onHub.source === undefined
      ? {
          code: "source-missing",
          cause: `the hub's stream ${stream.collectedAs} does not source the site`,
          evidence: "its sources name no stream of the site",
          next: UP,
        }
      : undefined,

  (stream) => {
    const source = sourceOf(stream);
    if (source?.api === undefined || source.api === stream.api) return undefined;
    return {
      code: "source-wrong-api",
      cause: `the hub's source asks '${source.api}', where no site answers`,
      evidence: `source ${source.name}: external.api '${source.api}', declared '${stream.api}'`,
      next: UP,
    };
  },

  (stream) => {
    const source = sourceOf(stream);
    const probe = stream.probe;
    const stalled = source?.error?.code === FLOW_CONTROL_ERROR;
    // Small probes arrived, the burst stopped on its way.
    const cut =
      probe !== undefined &&
      probe.burst > 0 &&
      probe.arrived > 0 &&
      probe.arrived < probe.sent &&
      probe.error === undefined;
    if (!stalled && !cut) return undefined;
    return {
      code: "flow-control-blocked",
      cause: "flow control does not get from the hub to the site, so that sourcing stalls after about 2 MB",
      evidence: stalled
        ? `source error ${FLOW_CONTROL_ERROR}: ${source.error?.text ?? ""}`
        : `${probe?.arrived ?? 0} of ${probe?.sent ?? 0} probes arrived, the rest of the burst did not`,
      next: "allow '$JS.FC.>' to the site's link key (subscribe), and export and import it in merged mode (run 'pulumi up')",
    };
  },

  (stream, facts) => {
    const source = sourceOf(stream);
    const { atSite } = stream;
    if (source?.seq === undefined || atSite === undefined || atSite === "missing" || source.seq <= atSite.lastSeq)
      return undefined;
    return {
      code: "site-store-rolled-back",
      cause: `site ${facts.site} lost acknowledged messages: the hub is ahead of it and will skip the next ${source.seq - atSite.lastSeq} silently`,
      evidence: `the hub took sequence ${source.seq}, the site's last is ${atSite.lastSeq}`,
      next: `publish nothing important until the site's stream is purged up to the hub's sequence ('nats stream purge ${stream.name} --seq ${source.seq + 1}' at the site, as its operator); keep sync_interval: always`,
    };
  },

  (stream) => {
    const source = sourceOf(stream);
    if (source === undefined || source.activeMs >= 0) return undefined;
    return {
      code: "source-never-active",
      cause: "the hub's source never heard from the site's stream, though the link is up in the right account",
      evidence: `source ${source.name}: active never, lag ${source.lag}${source.error === undefined ? "" : `, error ${source.error.text}`}`,
      next: "check that the link's key may subscribe to '$JS.<site>.API.CONSUMER.>' and publish '$JSC.R.>' and '$JS.S.>' on the hub (run 'pulumi up')",
    };
  },

  (stream, { site }) => {
    const { probe } = stream;
    const source = sourceOf(stream);
    const isSilent = probe?.through === "real" && probe.sent > 0 && probe.arrived === 0 && probe.error === undefined;
    if (source === undefined || source.seq !== undefined || !isSilent) return undefined;
    return {
      code: "source-never-active",
      cause: "the site answers the hub's source, and nothing of what it delivers arrives",
      evidence: `source ${source.name}: active ${source.activeMs} ms ago, and it never took a message`,
      next: `check that the link's key may publish '$JS.S.>', and in merged mode '_source.${site}.>', on the hub (run 'pulumi up')`,
    };
  },

  (stream) => {
    const source = sourceOf(stream);
    if (source === undefined || source.activeMs < 15_000) return undefined;
    return {
      code: "source-silent",
      cause: "the hub's source lost the site's stream and has not found it again",
      evidence: `source ${source.name}: last heard of ${Math.round(source.activeMs / 1000)} s ago`,
      next: `${UP} (it re-arms the source)`,
    };
  },

  ({ probe }) =>
    probe === undefined || probe.doubled === 0
      ? undefined
      : {
          code: "probes-doubled",
          cause: "the hub stores messages of the site twice",
          evidence: `${probe.doubled} of ${probe.sent} probes stand twice in the hub's stream`,
          next: "look for a second way into the hub's stream: it must have no subjects of its own and one source for each site",
        },

  ({ probe, name }) =>
    probe?.error === undefined
      ? undefined
      : {
          code: "probe-failed",
          cause: `probes could not be sent through stream ${name}`,
          evidence: probe.error,
          next: "cure what it names, then run 'pulumi up'",
        },

  (stream) => {
    const { probe } = stream;
    if (probe === undefined || probe.arrived >= probe.sent) return undefined;
    const source = sourceOf(stream);
    const seen =
      source === undefined
        ? "source unknown"
        : `source active ${source.activeMs} ms ago, lag ${source.lag}, sequence ${source.seq ?? "unknown"}`;
    return {
      code: "probes-lost",
      cause: "unknown: link, accounts, domains, streams and source look right",
      evidence: `${probe.arrived} of ${probe.sent} probes arrived; ${seen}`,
      next: "read the logs of both servers, and run 'pulumi up' again",
    };
  },
];

/** Losses that leave sourcing itself intact. */
export const LOSS_RULES: readonly StreamRule[] = [
  ({ before, onHub, collectedAs }) => {
    if (before === undefined || onHub === undefined || onHub === "missing" || onHub.created === before.hubCreated)
      return undefined;
    const recovered = `${onHub.messages} of ${before.hubMessages} messages are there`;
    return {
      code: "hub-store-lost",
      severity: "warning",
      cause: `the hub lost its stream ${collectedAs} and has a new one`,
      evidence: `created ${onHub.created}, was ${before.hubCreated}; ${recovered} (the site delivers again what it still holds)`,
      next: "compare with a backup; what the sites no longer hold is gone",
    };
  },
  ({ before, onHub, collectedAs }) => {
    if (before === undefined || onHub === undefined || onHub === "missing") return undefined;
    if (onHub.created !== before.hubCreated || onHub.lastSeq >= before.hubLastSeq) return undefined;
    return {
      code: "hub-store-rolled-back",
      severity: "warning",
      cause: `the hub's stream ${collectedAs} went back in time`,
      evidence: `its last sequence is ${onHub.lastSeq}, was ${before.hubLastSeq}`,
      next: "the site delivers again what it still holds; compare with a backup, and keep sync_interval: always",
    };
  },
];
