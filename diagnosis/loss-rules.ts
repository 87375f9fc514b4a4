import { probeSubjects } from "../configs/permissions";
import { StreamRule } from "./facts/finding";
import { isNewAtSite } from "./source-rules";
import { sourceOf } from "./stream-rules";

/** Losses that leave sourcing itself intact, and what is about to lose something. */
export const LOSS_RULES: readonly StreamRule[] = [
  {
    code: "hub-store-lost",
    by: "seen",
    find({ before, onHub, collectedAs }) {
      if (before === undefined || onHub === undefined || onHub === "missing" || onHub.created === before.hubCreated)
        return undefined;
      const recovered = `${onHub.messages} of ${before.hubMessages} messages are there`;
      return {
        cause: `the hub lost its stream ${collectedAs} and has a new one`,
        evidence: `created ${onHub.created}, was ${before.hubCreated}; ${recovered} (the site delivers again what it still holds)`,
        next: "compare with a backup: 'make restore FROM=…' brings back what it has (docs/backup.md); what the sites no longer hold is gone otherwise",
      };
    },
  },
  {
    code: "hub-store-rolled-back",
    by: "seen",
    find({ before, onHub, collectedAs }) {
      if (before === undefined || onHub === undefined || onHub === "missing") return undefined;
      if (onHub.created !== before.hubCreated || onHub.lastSeq >= before.hubLastSeq) return undefined;
      return {
        cause: `the hub's stream ${collectedAs} went back in time`,
        evidence: `its last sequence is ${onHub.lastSeq}, was ${before.hubLastSeq}`,
        next: "the site delivers again what it still holds; compare with a backup, and keep sync_interval: always",
      };
    },
  },
  {
    code: "site-store-lost",
    by: "seen",
    find(stream, { site }) {
      const { atSite, before, name } = stream;
      if (atSite === undefined || atSite === "missing" || !isNewAtSite(stream)) return undefined;
      const seq = sourceOf(stream)?.seq;
      return {
        cause: `site ${site} lost its stream ${name} and has a new one; messages that the old stream had not delivered are gone`,
        evidence: `created ${atSite.created}${before?.siteCreated === undefined ? "" : `, was ${before.siteCreated}`}; its last sequence is ${atSite.lastSeq}, the hub took ${seq ?? "none"}`,
        next: "nothing to repair: the hub reads the new stream from its beginning within half a minute; find out what removed the old one",
      };
    },
  },
  {
    code: "probe-subjects-used",
    by: "seen",
    find({ probe, name }) {
      if (probe?.foreign === undefined) return undefined;
      const { site, hub } = probe.foreign;
      return {
        symptom: `stream ${name} holds messages where only probes belong`,
        cause: `${Math.max(site, hub)} messages on the probes' subjects of stream ${name} are not from this program; they are kept`,
        evidence: `on ${probeSubjects(name)}: ${site} at the site and ${hub} on the hub without the program's mark`,
        next: `read them; if they are not needed, purge them as operator at both ends ('nats stream purge --subject')`,
      };
    },
  },
  {
    code: "site-full",
    by: "seen",
    find({ atSite, name }, { site }) {
      const full = atSite === "missing" ? undefined : atSite?.full;
      return full === undefined
        ? undefined
        : {
            cause: `stream ${name} of site ${site} accepts no more messages: applications are refused`,
            evidence: full,
            next: "raise maxBytes of the stream, or quota of the site, in the settings, shorten maxAge, or let the stream discard old messages (discard: old), then run 'pulumi up'; if the limit was lowered by hand, 'pulumi up' alone restores it",
          };
    },
  },
];
