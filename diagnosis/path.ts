import { SiteFacts, StreamFacts } from "./facts/facts";

/** The path of a message from the site to the hub's stream, as far as it was seen; shown when no rule explains a failure. */

export interface Step {
  name: string;
  state: "good" | "bad" | "unknown";
  value: string;
}

/** What a step shows: undefined for unknown. */
type Seen = [isGood: boolean, value: string] | undefined;

const all = (...seen: Seen[]): Seen => {
  const known = seen.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : [known.every(([isGood]) => isGood), known.map(([, text]) => text).join(", ")];
};

const equal = (what: string, value: string | undefined, wanted: string): Seen =>
  value === undefined ? undefined : [value === wanted, `${what} ${value === "" ? "none" : value}`];

const list = (subjects: readonly string[]): string => subjects.join(" ") || "nothing";

const STEPS: Record<string, (stream: StreamFacts, facts: SiteFacts) => Seen> = {
  server: (_, { hub, leaf }) =>
    all(
      [hub.unreachable === undefined, `hub ${hub.unreachable ?? "answers"}`],
      [leaf.unreachable === undefined, `site ${leaf.unreachable ?? "answers"}`],
      hub.jetStream === undefined ? undefined : [hub.jetStream === "on", `JetStream of the hub ${hub.jetStream}`],
      leaf.jetStream === undefined ? undefined : [leaf.jetStream === "on", `of the site ${leaf.jetStream}`],
    ),
  link: (_, { hub, leaf, unanswered: lost }) =>
    all(
      hub.unreachable === undefined
        ? [
            hub.links.length === 1,
            `${hub.links.length} on the hub${hub.links[0]?.rtt === undefined ? "" : ` (${hub.links[0].rtt})`}`,
          ]
        : undefined,
      leaf.unreachable === undefined ? [leaf.links.length === 1, `${leaf.links.length} at the site`] : undefined,
      lost === undefined
        ? undefined
        : [
            (lost.hubSent === 0 || lost.siteReceived > 0) && (lost.siteSent === 0 || lost.hubReceived > 0),
            `to the site ${lost.hubSent} sent ${lost.siteReceived} received, to the hub ${lost.siteSent} sent ${lost.hubReceived} received`,
          ],
    ),
  "message size": (_, { hub, leaf }) =>
    hub.maxPayload === undefined || leaf.maxPayload === undefined
      ? undefined
      : [hub.maxPayload >= leaf.maxPayload, `max_payload ${leaf.maxPayload} at the site, ${hub.maxPayload} on the hub`],
  account: (_, { hub, leaf, declared }) =>
    all(
      equal("on the hub", hub.links[0]?.account, declared.account),
      equal("at the site", leaf.links[0]?.account, declared.account),
    ),
  domain: (_, { hub, leaf, declared }) =>
    all(equal("of the site", leaf.domain, declared.domain), equal("of the hub", hub.domain, declared.hubDomain)),
  permission: ({ asked, notPassedOn = [] }, { hub }) =>
    all(
      asked === undefined ? undefined : [asked === "answered", `the source's request over the link: ${asked}`],
      notPassedOn.length === 0 ? undefined : [false, notPassedOn.join(" ")],
      hub.links[0]?.subjects === undefined ? undefined : [true, `the site takes ${list(hub.links[0].subjects)}`],
    ),
  stream: ({ atSite, name }) =>
    atSite === undefined
      ? undefined
      : atSite === "missing"
        ? [false, `${name} is missing`]
        : [
            atSite.full === undefined,
            `${name} holds ${atSite.messages}, last ${atSite.lastSeq}${atSite.full === undefined ? "" : `, ${atSite.full}`}`,
          ],
  consumer: ({ consumer }) =>
    consumer === undefined
      ? undefined
      : consumer === "missing"
        ? [false, "the source has none at the site"]
        : [true, `exists at the site, ${consumer.pending} wait`],
  delivery: ({ consumer, onHub }) => {
    const source = onHub === undefined || onHub === "missing" ? undefined : onHub.source;
    if (source === undefined) return undefined;
    const at = consumer === undefined || consumer === "missing" ? undefined : consumer;
    const isHeard = source.activeMs >= 0 && source.activeMs < 2_500;
    const isThere = at === undefined || at.sent === 0 || (source.seq ?? 0) >= at.upTo;
    return [
      isHeard && isThere,
      `source heard ${source.activeMs < 0 ? "never" : `${source.activeMs} ms ago`}, took ${source.seq ?? "nothing"}; the consumer sent ${at?.sent ?? "an unknown number of"} messages`,
    ];
  },
  "flow control": ({ name, onHub }, { hub }) => {
    const error = onHub === undefined || onHub === "missing" ? undefined : onHub.source?.error;
    const taken = hub.links[0]?.subjects?.filter((subject) => subject.startsWith("$JS.FC."));
    return all(
      error === undefined ? undefined : [false, `source error ${error.code}: ${error.text}`],
      taken === undefined
        ? undefined
        : [taken.length > 0, `the site takes ${taken.length} subjects of $JS.FC for ${name}`],
    );
  },
  "hub stream": ({ onHub, collectedAs }) =>
    onHub === undefined
      ? undefined
      : onHub === "missing"
        ? [false, `${collectedAs} is missing`]
        : [
            onHub.full === undefined,
            `${collectedAs} holds ${onHub.messages}, last ${onHub.lastSeq}${onHub.full === undefined ? "" : `, ${onHub.full}`}`,
          ],
};

/** Every step of the way, in its order. */
export const pathOf = (stream: StreamFacts, facts: SiteFacts): Step[] =>
  Object.entries(STEPS).map(([name, look]) => {
    const seen = look(stream, facts);
    return seen === undefined
      ? { name, state: "unknown", value: "it could not be read" }
      : { name, state: seen[0] ? "good" : "bad", value: seen[1] };
  });

/** One line a step. */
export const shownPath = (path: readonly Step[]): string =>
  path.map(({ name, state, value }) => `${name.padEnd(12)}  ${state.padEnd(7)}  ${value}`).join("\n");
