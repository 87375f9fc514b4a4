import { SiteFacts } from "./facts/facts";
import { SiteRule, UP } from "./facts/finding";

/** Rules about what keeps applications from publishing at their own site. Sourcing may still work. */

const SYMPTOM = "applications are refused at the site";

const USED_UP = /maximum .*connections/i;

/** The words with which the site's server refuses a connection, of an application or of this program. */
const refusalOf = ({ leaf }: SiteFacts): string | undefined =>
  leaf.application?.refused ?? (USED_UP.test(leaf.unreachable ?? "") ? leaf.unreachable : undefined);

export const APPLICATION_RULES: readonly SiteRule[] = [
  {
    code: "connections-used-up",
    by: "seen",
    find(facts) {
      const refused = refusalOf(facts);
      if (refused === undefined || !USED_UP.test(refused)) return undefined;
      const where = /account/i.test(refused) ? `account ${facts.declared.account} of the site` : "the site's server";
      return {
        symptom: SYMPTOM,
        cause: `${where} accepts no more connections`,
        evidence: `a login with the key of the applications: ${refused}`,
        next: "close the connections that are not needed; 'pulumi up' removes a limit that was set by hand: it restores the configuration and restarts the server if needed",
      };
    },
  },
  {
    code: "application-refused",
    by: "seen",
    unless: ["connections-used-up"],
    find({ leaf }) {
      const { refused, denied = [] } = leaf.application ?? {};
      if (refused === undefined && denied.length === 0) return undefined;
      return {
        symptom: SYMPTOM,
        cause:
          refused === undefined
            ? `the key of the applications may not publish on ${denied.join(", ")}`
            : "the site's server does not let the key of the applications in",
        evidence:
          refused === undefined
            ? `the server's USER.INFO: it may not publish on ${denied.join(", ")}`
            : `a login with the key of the applications: ${refused}`,
        next: UP,
      };
    },
  },
  {
    code: "payload-lowered",
    by: "seen",
    find({ leaf, declared }) {
      const { maxPayload: takes } = leaf.application ?? {};
      if (takes === undefined || declared.maxPayload === undefined || takes >= declared.maxPayload) return undefined;
      return {
        symptom: SYMPTOM,
        cause: "the site accepts smaller messages than declared: it refuses larger ones from applications",
        evidence: `max_payload: ${takes} bytes for the key of the applications, declared ${declared.maxPayload}`,
        next: UP,
      };
    },
  },
];
