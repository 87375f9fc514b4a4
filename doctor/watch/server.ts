import type { NatsConnection } from "nats";
import { LINK_EVENTS } from "../../configs/watch/watch";
import { joinUrls } from "../../configs/text/address";
import { Access, isTimeout, shared } from "../../servers/nats/connection";
import type { LeafLink } from "../../servers/nats/system";

/** What a server says of a connection that came or went. */
export interface LinkEvent {
  server: { id: string; name: string };
  client: { kind?: string; name?: string; acc: string; host?: string; user?: string };
  /** Why it went; absent when it came. */
  reason?: string;
}

/** A server whose last answer is no older is asked before the others. */
const ANSWERS_MS = 3_000;

/** One server of the hub, on a connection of its own: the links that end there. */
export class WatchedServer {
  /** When it answered last, in milliseconds since 1970; 0 for never. */
  answered = 0;
  /** Its name, once it was reached. */
  name: string | undefined;
  private heardOn: NatsConnection | undefined;

  /** @param ask asks the server for its own links. */
  constructor(
    readonly access: Access,
    private readonly ask: (connection: NatsConnection) => Promise<LeafLink[]>,
  ) {}

  /** The links that it has. Tells of each one that comes or goes, as long as the connection lives. */
  async links(heard: (event: LinkEvent) => void): Promise<LeafLink[]> {
    const connection = await shared(this.access);
    if (connection !== this.heardOn) {
      hearLinks(connection, heard);
      await connection.flush();
      this.heardOn = connection;
      this.name = connection.info?.server_name;
    }
    const found = await this.ask(connection);
    this.answered = Date.now();
    return found;
  }
}

/** Calls `heard` for each leaf link that comes to the server of the connection, or goes; others of its cluster tell of theirs. */
function hearLinks(connection: NatsConnection, heard: (event: LinkEvent) => void): void {
  const callback = (error: Error | null, { data }: { data: Uint8Array }): void => {
    if (error !== null) return;
    const event = JSON.parse(Buffer.from(data).toString()) as LinkEvent;
    if (event.client.kind === "Leafnode" && event.server.id === connection.info?.server_id) heard(event);
  };
  for (const subject of LINK_EVENTS) connection.subscribe(subject, { callback });
}

/** The addresses of all servers, those that answer first: one that is frozen takes a connection and never answers. */
export function urlsOf(servers: readonly WatchedServer[]): string {
  const isFresh = ({ answered }: WatchedServer): boolean => Date.now() - answered < ANSWERS_MS;
  const ordered = [...servers.filter(isFresh), ...servers.filter((one) => !isFresh(one))];
  return joinUrls(ordered.map(({ access }) => access.url));
}

/** Whether a server that failed so has no links: it is gone, and not only late. */
export const isGone = (error: unknown): boolean => !isTimeout(error);
