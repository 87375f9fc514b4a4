import { NatsConnection } from "nats";
import { Unseen } from "../diagnosis/facts/doctor-report";
import { ClosedLink } from "../diagnosis/foreign/links";
import { messageOf } from "../machine/refusal";
import { closedLinksOfCluster, otherNames } from "../servers/nats/cluster";
import { ServerInfo, isAuthorizationError, isNoResponders, serverInfo } from "../servers/nats/connection";
import { JetStream, StreamInfo } from "../servers/nats/jetstream";
import { LeafLink, jetStreamConfig, leafLinks, varz } from "../servers/nats/system";
import { Login } from "../configs/reading/fleet-file";
import { Endpoint, Logins } from "./doctor-logins";

/** Asks the servers of a foreign fleet, and notes what could not be asked. Read-only. */

/** What one server says of itself, and of its cluster. */
export interface ServerSeen {
  unreachable?: string;
  domain?: string;
  /** Milliseconds since it started; absent when its system account was not asked. */
  upMs?: number;
  /** Names of the servers of its cluster, as far as they are known. */
  names: string[];
  /** Whether those are all. */
  hasAllNames: boolean;
  /** Absent when its system account was not asked. */
  links?: LeafLink[];
  closed?: ClosedLink[];
}

export interface StreamSeen {
  js: JetStream;
  info: StreamInfo;
}

const NOTHING: ServerSeen = { names: [], hasAllNames: false };

const INFO_TIMEOUT_MS = 2_000;

export class Asking {
  readonly unseen: Unseen[] = [];
  readonly notGiven: string[] = [];

  constructor(private readonly logins: Logins) {}

  /** What no access is given for. */
  lacks(what: string): undefined {
    if (!this.notGiven.includes(what)) this.notGiven.push(what);
    return undefined;
  }

  private fails(what: string, error: unknown): undefined {
    const why = isAuthorizationError(error) ? "the login is refused" : messageOf(error);
    this.unseen.push({ what, why });
    return undefined;
  }

  connection = (endpoint: Endpoint, login: Login): Promise<NatsConnection> => this.logins.connection(endpoint, login);

  /** `what`: what its system account is asked for. */
  async server(who: string, what: string, endpoint: Endpoint, system: Login | undefined): Promise<ServerSeen> {
    if (system === undefined) this.lacks(what);
    else {
      try {
        return await this.asSystem(await this.connection(endpoint, system));
      } catch (error) {
        const info = await firstInfo(endpoint);
        if (info === undefined) return unreachable(endpoint);
        this.fails(`the system account of ${who}`, error);
        return serverFromInfo(info);
      }
    }
    const info = await firstInfo(endpoint);
    return info === undefined ? unreachable(endpoint) : serverFromInfo(info);
  }

  private async asSystem(connection: NatsConnection): Promise<ServerSeen> {
    const [links, jetStream, others, closed, { now, start }] = await Promise.all([
      leafLinks(connection),
      jetStreamConfig(connection),
      otherNames(connection),
      closedLinksOfCluster(connection).catch(() => []),
      varz(connection),
    ]);
    const upMs = Date.parse(now) - Date.parse(start);
    const name = connection.info?.server_name ?? "";
    return { links, closed, upMs, domain: jetStream?.domain ?? "", names: [name, ...others], hasAllNames: true };
  }

  /** undefined when it cannot be seen; `explain` says what an error means that is no lack of access. */
  async stream(
    what: string,
    { endpoint, login, domain }: Place,
    name: string,
    explain: () => Promise<boolean> = () => Promise.resolve(false),
  ): Promise<StreamSeen | "missing" | undefined> {
    try {
      const js = new JetStream(await this.connection(endpoint, login), domain);
      const info = await js.stream(name);
      return info === undefined ? "missing" : { js, info };
    } catch (error) {
      // The rights of a link need not let it through: that is no mistake.
      if (domain !== undefined && isNoResponders(error))
        return this.lacks(`${what} (nobody answers $JS.${domain}.API over the hub; give url and login)`);
      return (await explain().catch(() => false)) ? undefined : this.fails(what, error);
    }
  }
}

/** Where a stream is asked for; with a domain: over the link of the server that answers. */
export interface Place {
  endpoint: Endpoint;
  login: Login;
  domain?: string;
}

const unreachable = ({ urls }: Endpoint): ServerSeen => ({
  ...NOTHING,
  unreachable: `${urls.join(", ")}: nothing answers as a NATS server`,
});

/** A server that is alone says its own name as that of its cluster. */
const serverFromInfo = ({ server_name: name, cluster }: ServerInfo): ServerSeen => ({
  names: [name],
  hasAllNames: cluster === undefined || cluster === name,
});

async function firstInfo({ urls }: Endpoint): Promise<ServerInfo | undefined> {
  for (const url of urls) {
    const info = await serverInfo(url, INFO_TIMEOUT_MS);
    if (info !== undefined) return info;
  }
  return undefined;
}
