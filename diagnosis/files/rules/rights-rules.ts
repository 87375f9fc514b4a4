import type { Position } from "../../../configs/format/parse";
import { covers, overlaps } from "../../../configs/subjects";
import { draft } from "../finding";
import { Link, accountOf } from "../links";
import { Rule, hasHub, place } from "../rule";
import { ConfigServer, Exchange, SubjectRights, hasJetStream, isCoreOnly, ownAccounts } from "../server";

/**
 * Rules over what sourcing needs of a leaf link. On the hub `publish` is what flows from the site, `subscribe` what the
 * site may receive. Rights that name a stream may be intended: only rights that match none of the subjects are a
 * mistake.
 */

const CONSUMER_ANSWER = "$JSC.R.>";
const FLOW_CONTROL = "$JS.FC.>";
/** Where a source without a deliver prefix gets its messages. */
const DELIVERY = "$JS.S.>";
/** Where a mirror without a deliver prefix does. */
const MIRROR_DELIVERY = "$JS.M.>";
const OF_THE_SERVERS = ["$JS.>", "$JSC.>", "_R_.>", "_INBOX.>", "$SYS.>"];

const consumerApi = (domain: string): string => `$JS.${domain}.API.CONSUMER.CREATE.>`;

export const allows = ({ allow, deny }: SubjectRights, subject: string): boolean =>
  (allow === undefined || allow.some((pattern) => overlaps(pattern, subject))) &&
  !deny.some((pattern) => covers(pattern, subject));

/** Whether messages can come: by the server's own subject, or by a prefix that the source may have. */
const delivers = (rights: SubjectRights): boolean =>
  allows(rights, DELIVERY) ||
  allows(rights, MIRROR_DELIVERY) ||
  (rights.allow ?? []).some(
    (pattern) => allows(rights, pattern) && !OF_THE_SERVERS.some((known) => covers(known, pattern)),
  );

/** A link without streams, such as the system account's, or one to a hub without JetStream, needs none of it. */
export const carriesStreams = ({ leaf, local, hub }: Link): boolean =>
  (hasJetStream(leaf, local) || leaf.accountsElsewhere === "JWTs") && !(hub !== undefined && isCoreOnly(hub));

export const linkRights: Rule<Link> = function* (link) {
  const { landing, hub, leaf } = link;
  const domain = leaf.jetstream?.domain?.value;
  if (!hasHub(link) || hub === undefined || landing.is !== "user" || !carriesStreams(link)) return;
  const { publish, subscribe, id, at } = landing.user;
  const blocked = [
    ...(allows(publish, CONSUMER_ANSWER) ? [] : [`publish ${CONSUMER_ANSWER}`]),
    ...(delivers(publish) ? [] : [`publish ${DELIVERY}`]),
    ...undelivered(hub, landing.account, publish),
    ...(domain === undefined || allows(subscribe, consumerApi(domain))
      ? []
      : [`subscribe $JS.${domain}.API.CONSUMER.>`]),
  ];
  if (blocked.length > 0) {
    const where: Position = (blocked[0]?.startsWith("publish") ? publish.at : subscribe.at) ?? at;
    yield draft("sourcing-blocked", hub, where, {
      cause: "the permissions of the link's user forbid what sourcing needs",
      evidence: `${id} of ${leaf.label} may not ${blocked.join(", nor ")}`,
      next: `allow it to ${blocked.join(", and to ")}`,
    });
  }
  if (!allows(subscribe, FLOW_CONTROL)) {
    yield draft("flow-control-blocked", hub, subscribe.at ?? at, {
      evidence: `${id} of ${leaf.label} may not subscribe ${FLOW_CONTROL}`,
      next: `allow it to subscribe ${FLOW_CONTROL}`,
    });
  }
};

/** An account that imports the consumer API of a site, and what it imports besides: flow control, and deliveries. */
export interface Importer {
  name: string;
  request: Exchange;
  imports: Exchange[];
}

export function sourcedBy(hub: ConfigServer, account: string): Importer[] {
  return ownAccounts(hub).flatMap(({ name, imports }) => {
    const from = imports.filter(({ accounts = [] }) => name !== account && accounts.includes(account));
    const request = from.find(
      ({ kind, subject }) =>
        kind === "service" && overlaps(subject, consumerApi("*")) && !overlaps(subject, FLOW_CONTROL),
    );
    return request === undefined ? [] : [{ name, request, imports: from }];
  });
}

/** The first subject that delivers to another account and that the link may not publish, when it may publish none. */
function undelivered(hub: ConfigServer, account: string, publish: SubjectRights): string[] {
  return sourcedBy(hub, account).flatMap(({ imports }) => {
    const [first, ...more] = imports.filter(({ kind }) => kind === "stream").map(({ subject }) => subject);
    return first === undefined || [first, ...more].some((subject) => allows(publish, subject))
      ? []
      : [`publish ${first}`];
  });
}

/** What the leaf server itself blocks on its link. */
export const denials: Rule<Link> = function* (link) {
  const { leaf, remote } = link;
  const domain = leaf.jetstream?.domain?.value;
  if (!carriesStreams(link)) return;
  const found = [
    ...remote.denyExports.map((denied) => ({ ...denied, list: "deny_exports", needs: [CONSUMER_ANSWER, DELIVERY] })),
    ...remote.denyImports.map((denied) => ({
      ...denied,
      list: "deny_imports",
      needs: domain === undefined ? [] : [consumerApi(domain)],
    })),
  ];
  for (const { value, at, list, needs } of found) {
    const kept = needs.filter((subject) => covers(value, subject));
    if (kept.length > 0) {
      yield draft("sourcing-blocked", leaf, at, {
        cause: `${list} of the leaf remote forbids what sourcing needs`,
        evidence: `${list} has ${value}, and sourcing needs ${kept.join(", ")}`,
        next: `remove ${value} from ${list}`,
      });
    }
    if (list === "deny_imports" && covers(value, FLOW_CONTROL)) {
      yield draft("flow-control-blocked", leaf, at, {
        evidence: `${list} has ${value}, and flow control comes by ${FLOW_CONTROL}`,
        next: `remove ${value} from ${list}`,
      });
    }
  }
};

/** An account of the hub that sources a site of another account needs its flow control and its deliveries too. */
export const importedSources: Rule<ConfigServer> = function* (hub, { fleet }) {
  const linked = new Set(fleet.links.filter((link) => link.hub === hub).flatMap((link) => accountOf(link) ?? []));
  for (const account of linked) {
    for (const { name, request, imports } of sourcedBy(hub, account)) {
      const has = (kind: Exchange["kind"], subject: string): boolean =>
        imports.some((one) => one.kind === kind && overlaps(one.subject, subject));
      if (!has("service", FLOW_CONTROL)) {
        const exported = hub.accounts
          .find((other) => other.name === account)
          ?.exports.find(({ kind, subject }) => kind === "service" && overlaps(subject, FLOW_CONTROL));
        const end =
          exported === undefined
            ? `${account} does not export it either`
            : `${account} exports it at ${place(exported.at)}`;
        yield draft("flow-control-blocked", hub, request.at, {
          cause: `account ${name} sources from ${account} but does not import its flow control`,
          evidence: `${name} imports ${request.subject} and no ${FLOW_CONTROL} of ${account}; ${end}`,
          next: `export the services $JS.FC.<stream>.> and $JS.FC.<domain>.*.<stream>.> in ${account} and import them in ${name}`,
        });
      }
      if (!has("stream", ">")) {
        yield draft("sourcing-blocked", hub, request.at, {
          cause: `account ${name} sources from ${account} but does not import its deliveries`,
          evidence: `${name} imports ${request.subject} and no stream of ${account}`,
          next: `export the stream <prefix>.> in ${account}, import it in ${name}, and use the prefix as the source's deliver`,
        });
      }
    }
  }
};
