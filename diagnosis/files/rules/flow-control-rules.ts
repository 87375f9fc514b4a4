import { FlowControlForm, flowControlSubjects, overlaps } from "../../../configs/subjects";
import { ConfigDraft, draft } from "../finding";
import { Link, LinkedFleet, accountOf } from "../links";
import { allows, carriesStreams, sourcedBy } from "./rights-rules";
import { Rule, hasHub } from "../rule";
import type { ConfigServer } from "../server";

/**
 * Rules over the two forms of flow control subjects: rights for one of them work until the site's server uses the other
 * one. What has neither is judged with the other rights.
 */

const FORMS: readonly FlowControlForm[] = ["v1", "v2"];
const USED_BY: Record<FlowControlForm, string> = {
  v1: "which nats-server up to 2.15 uses",
  v2: "which nats-server is to use by default from 2.16 on",
};

/** The subject of one consumer, which ends with stream, consumer and a random word. */
const SUBJECT: Record<FlowControlForm, (domain: string, stream: string) => string> = {
  v1: (_, stream) => `$JS.FC.${stream}.*.*`,
  v2: (domain, stream) => `$JS.FC.${domain}.*.${stream}.*.*`,
};

/** The streams whose flow control a pattern takes in this form: `*` for all of them. */
function streamsOf(patterns: readonly string[], form: FlowControlForm, domain: string): string[] {
  const named = patterns
    .filter((pattern) => overlaps(pattern, SUBJECT[form](domain, "*")))
    .map((pattern) => pattern.split(".")[form === "v1" ? 2 : 4] ?? "*")
    .map((token) => (token === ">" ? "*" : token));
  return [...new Set(named)];
}

interface OneForm {
  lacks: FlowControlForm;
  /** Patterns that are there, and those that are not. */
  has: string[];
  missing: string[];
}

/** Streams with rights for flow control in the other form only; `isThere` judges a subject. */
function oneForm(
  patterns: readonly string[],
  { domain, domains }: { domain: string; domains: readonly string[] },
  isThere: (subject: string) => boolean,
  uses: FlowControlForm | undefined,
): OneForm[] {
  return FORMS.filter((form) => uses === undefined || uses === form).flatMap((lacks) => {
    const other = lacks === "v1" ? "v2" : "v1";
    const streams = streamsOf(patterns, other, domain).filter(
      (stream) =>
        // `$JS.FC.<domain>.>` is meant for the second form.
        !domains.includes(stream) &&
        isThere(SUBJECT[other](domain, stream)) &&
        !isThere(SUBJECT[lacks](domain, stream)),
    );
    if (streams.length === 0) return [];
    const shown = (form: FlowControlForm) => streams.map((stream) => flowControlSubjects(domain, stream)[form]);
    return [{ lacks, has: shown(other), missing: shown(lacks) }];
  });
}

/**
 * Only a warning, because sourcing works today: the second form is needed later, unless the leaf server's file has its
 * flag.
 */
function problemOf(
  hub: ConfigServer,
  at: ConfigDraft["at"],
  { lacks, missing }: OneForm,
  uses: FlowControlForm | undefined,
  { evidence, ...more }: Pick<ConfigDraft, "evidence" | "next"> & Partial<Pick<ConfigDraft, "cause">>,
): ConfigDraft {
  const why = uses === lacks ? "which the leaf server uses by its flag js_ack_fc_v2" : USED_BY[lacks];
  return draft(uses === lacks || lacks === "v1" ? "flow-control-blocked" : "flow-control-one-form", hub, at, {
    evidence: `${evidence} ${missing.join(", ")}, ${why}`,
    ...more,
  });
}

const domainOf = ({ jetstream }: ConfigServer): string | undefined => jetstream?.domain?.value;

const domainsOf = ({ servers }: LinkedFleet): string[] => servers.flatMap((server) => domainOf(server) ?? []);

export const flowControlForms: Rule<Link> = function* (link, { fleet }) {
  const { landing, hub, leaf } = link;
  const domain = domainOf(leaf);
  if (!hasHub(link) || hub === undefined || landing.is !== "user" || !carriesStreams(link)) return;
  // Without a domain it is not sourced from at all.
  if (domain === undefined) return;
  const { subscribe, id, at } = landing.user;
  const isThere = (subject: string): boolean => allows(subscribe, subject);
  for (const one of oneForm(
    subscribe.allow ?? [">"],
    { domain, domains: domainsOf(fleet) },
    isThere,
    leaf.flowControl,
  )) {
    yield problemOf(hub, subscribe.at ?? at, one, leaf.flowControl, {
      evidence: `${id} of ${leaf.label} may subscribe ${one.has.join(", ")} and not`,
      next: `allow it to subscribe ${one.missing.join(", ")} too`,
    });
  }
};

/** The domain that a request for a consumer names; `*` where it may be any. */
const domainIn = (request: string): string => request.split(".")[1] ?? "*";

export const importedForms: Rule<ConfigServer> = function* (hub, { fleet }) {
  const links = fleet.links.filter((link) => link.hub === hub);
  for (const account of new Set(links.flatMap((link) => accountOf(link) ?? []))) {
    for (const { name, request, imports } of sourcedBy(hub, account)) {
      const domain = domainIn(request.subject);
      const patterns = imports.filter(({ kind }) => kind === "service").map(({ subject }) => subject);
      const isThere = (subject: string): boolean => patterns.some((pattern) => overlaps(pattern, subject));
      const [uses, ...others] = new Set(
        links.flatMap((link) =>
          accountOf(link) === account && domainOf(link.leaf) === domain ? [link.leaf.flowControl] : [],
        ),
      );
      const known = others.length === 0 ? uses : undefined;
      for (const one of oneForm(patterns, { domain, domains: domainsOf(fleet) }, isThere, known)) {
        yield problemOf(hub, request.at, one, known, {
          cause: `account ${name} imports flow control of ${account} in one form only`,
          evidence: `${name} imports ${one.has.join(", ")} of ${account} and not`,
          next: `export the service ${one.missing.join(", ")} in ${account} and import it in ${name}`,
        });
      }
    }
  }
};
