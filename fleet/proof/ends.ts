import { accountOf, collectingAccount, siteStreamName } from "../../configs/names";
import { probeSubjects } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { collectedName, collectedSubject } from "../../configs/streams";
import { SiteAccess, atHub, atSite, systemAccess } from "../sourcing/collected";
import { Access, shared } from "../../servers/nats/connection";
import { JetStream } from "../../servers/nats/jetstream";
import { Jsz, SourceConsumer, jszOf, sourceConsumersIn } from "../../servers/nats/system";
import { readable } from "../observation/observe-server";
import { End } from "./room";

/** Looks at both ends of a stream for what bears on whether it may carry probes. Read-only. */

export interface Fleet {
  hubDomain: string;
  /** Seed of the system account. */
  system: string;
}

/** What the servers say of their accounts, asked once in a run. */
export class AccountLooks {
  private readonly looks = new Map<string, Promise<Jsz | undefined>>();

  of(access: Access, account: string): Promise<Jsz | undefined> {
    const key = `${access.url} ${access.site ?? ""} ${account}`;
    const look = this.looks.get(key) ?? readable(shared(access).then((connection) => jszOf(connection, account)));
    this.looks.set(key, look);
    return look;
  }
}

/** A stream that sources another one, as the consumer of the source names it. */
interface Collector {
  stream: string;
  account: string;
  domain: string;
}

/** Whose consumer it is, in words; undefined for that of `own`. */
function copier({ config }: SourceConsumer, own: Collector | undefined): string | undefined {
  const { "_nats.src.stream": stream, "_nats.src.acc": account, "_nats.src.domain": domain } = config?.metadata ?? {};
  if (own !== undefined && stream === own.stream && account === own.account && domain === own.domain) return undefined;
  return stream === undefined ? "another stream" : `stream ${stream} of account ${account ?? "?"}`;
}

interface Where extends Pick<End, "where" | "stream" | "account" | "server" | "accountName" | "probes"> {
  js: JetStream;
  name: string;
  jsz: Jsz | undefined;
  /** Who may source the stream. */
  own?: Collector;
}

async function endOf({ js, name, jsz, own, ...where }: Where): Promise<End | undefined> {
  const info = await js.stream(name);
  if (info === undefined) return undefined;
  const [accountInfo, consumers] = await Promise.all([js.account(), js.consumers(name)]);
  // If it is unknown who copies the stream, someone may.
  const copiedBy =
    jsz === undefined
      ? ["perhaps another stream"]
      : sourceConsumersIn(jsz, where.accountName, name).flatMap((consumer) => copier(consumer, own) ?? []);
  const { storage: held, config: { max_storage: limit } = {} } = jsz ?? {};
  const serverFiles = held === undefined || limit === undefined ? {} : { serverFiles: { held, limit } };
  return { ...where, info, accountInfo, consumers, copiedBy, ...serverFiles };
}

/** Both ends of one stream of a site, the site's first; undefined when one of them is missing. */
export async function endsOf(
  access: SiteAccess,
  stream: StreamSettings,
  { hubDomain, system }: Fleet,
  looks: AccountLooks,
): Promise<[End, End] | undefined> {
  const { site } = access;
  const name = siteStreamName(stream, site);
  const servers = systemAccess(access, system);
  const [own, collecting] = [accountOf(site), collectingAccount(stream, site)];
  const [atTheSite, onTheHub] = await Promise.all([
    Promise.all([atSite(access), looks.of(servers.leaf, own)]).then(([js, jsz]) =>
      endOf({
        js,
        name,
        jsz,
        where: "at the site",
        stream: `site ${site}/${name}`,
        account: `site ${site}`,
        server: `server ${site}`,
        accountName: own,
        probes: probeSubjects(name),
        own: { stream: stream.name, account: collecting, domain: hubDomain },
      }),
    ),
    Promise.all([atHub(access, stream), looks.of(servers.hub, collecting)]).then(([js, jsz]) =>
      endOf({
        js,
        name: stream.name,
        jsz,
        where: "on the hub",
        stream: `hub ${collectedName(stream, site)}`,
        account: `hub ${collecting}`,
        server: "hub",
        accountName: collecting,
        probes: collectedSubject(stream, site, probeSubjects(name)),
      }),
    ),
  ]);
  return atTheSite === undefined || onTheHub === undefined ? undefined : [atTheSite, onTheHub];
}
