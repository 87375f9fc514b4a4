import { resolve } from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import { collectingAccount } from "../../configs/names";
import { hubServers, isCluster } from "../../configs/placement";
import { Settings, StreamSettings } from "../../configs/settings";
import { sideBySide } from "../../machine/side-by-side";
import { Refusal, messageOf } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import { JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { FleetAccess, SiteAccess, accessOf, atHub } from "../sourcing/collected";

/**
 * The lead of the hub's streams, before one of its servers is stopped on purpose. A server that leads a stream from now on
 * begins its sources 0.1 to 0.6 s later (nats-server 2.15.2, stream.go, subscribeToStream). If the site's link comes up at that
 * very server meanwhile, which it does when the one that stops had both, the sources begin at once (leafnode.go,
 * checkInternalSyncConsumers), and a second time when the 0.6 s are over, behind what is stored by then: what is on its way to
 * the copies is taken twice (measured: 1 and 22 messages). So the lead goes first, and the link a while later.
 */

type Fleet = Pick<Settings, "hub" | "sites" | "streams">;

/** A fleet as it is deployed. */
export interface Led {
  settings: Fleet;
  access: FleetAccess;
}

/**
 * How long a new leader takes until its sources have begun, and would begin again at once where a link is lost: not before 2 s
 * have passed (nats-server stream.go, sourceConsumerRetryThreshold). Stopped earlier, sourcing paused for up to 1.8 s.
 */
const BEGUN_MS = 3_000;
/** A lead that is handed over changes within some hundredths of a second; an election takes 4 to 8 s. */
const CHANGED_MS = 15_000;

interface LedStream {
  /** `OSLO/EVENTS`. */
  words: string;
  access: SiteAccess;
  stream: StreamSettings;
}

/** Each stream of the hub once: sites share those of merged collection. */
function streamsOf({ settings, access }: Led): LedStream[] {
  const all = settings.sites.flatMap(({ name, expect }) => {
    const own = accessOf(access, name, expect);
    return own === undefined
      ? []
      : settings.streams.map((stream): [string, LedStream] => {
          const words = `${collectingAccount(stream, name)}/${stream.name}`;
          return [words, { words, access: own, stream }];
        });
  });
  return [...new Map(all).values()];
}

type Group = NonNullable<StreamInfo["cluster"]>;

const groupOf = async (js: JetStream, stream: string): Promise<Group> => (await js.stream(stream))?.cluster ?? {};

const isCurrent = ({ current = true, offline = false }: NonNullable<Group["replicas"]>[number]): boolean =>
  current && !offline;

/** Resolves with whether the server had the lead. Errors: with what the servers say. */
async function leave({ access, stream }: LedStream, server: string, to: string | undefined): Promise<boolean> {
  const js = await atHub(access, stream);
  const { leader, replicas = [] } = await groupOf(js, stream.name);
  if (leader !== server) return false;
  const able = replicas.filter(isCurrent).map(({ name }) => name);
  const next = able.find((name) => name === to) ?? able[0];
  if (next === undefined) throw new Refusal("no other server has a complete copy");
  await js.stepDown(stream.name, next);
  const look = async () => (await groupOf(js, stream.name)).leader ?? "";
  const now = await lookUntil(look, (name) => name !== "" && name !== server, { within: CHANGED_MS, every: 25 });
  if (now === "" || now === server)
    throw new Refusal(`no other server has taken the lead after ${CHANGED_MS / 1000} s`);
  return true;
}

/**
 * Gives the lead of all streams that a server of the hub leads to others, and waits until their sources have begun. Does
 * nothing for a hub of one, and for what is no server of the hub.
 *
 * @param to the server that takes the lead, where it has a complete copy. Default: any that has one.
 *
 * Errors: a Refusal when the server keeps the lead of a stream; it must not be stopped then.
 */
export async function handOver(led: Led, server: string, to?: string): Promise<void> {
  if (!isCluster(led.settings.hub) || !hubServers(led.settings.hub).some(({ name }) => name === server)) return;
  const left = await sideBySide(streamsOf(led), async (stream) => {
    try {
      return await leave(stream, server, to);
    } catch (error) {
      throw new Refusal(
        `${server} is not stopped while it leads the stream ${stream.words}: ${messageOf(error)}; run 'make doctor', then this again`,
      );
    }
  });
  if (left.some(Boolean)) await rest(BEGUN_MS);
}

/** By the stack's folder: what was deployed when this process first saw it, and whose container changes, in their order. */
const known = new Map<string, Led & { replaced: readonly string[] }>();

/** Tells the resources of this process of the fleet that is deployed. */
export const declareLed = (root: string, led: Led, replaced: readonly string[]): void =>
  void known.set(resolve(root), { ...led, replaced });

/** The first server whose container is about to be replaced gives up its lead. */
export async function handOverFirst(root: string): Promise<void> {
  const led = known.get(resolve(root));
  const first = led?.replaced[0];
  if (led !== undefined && first !== undefined) await handOver(led, first);
}

/** A server that is about to be restarted gives up its lead. */
export async function handOverFrom(root: string, server: string): Promise<void> {
  const led = known.get(resolve(root));
  if (led !== undefined) await handOver(led, server);
}

/** The server after this one, whose container may be the next that is replaced, gives its lead to this one. */
export async function handOverTo(root: string, server: string): Promise<void> {
  const led = known.get(resolve(root));
  if (led === undefined) return;
  const names = hubServers(led.settings.hub).map(({ name }) => name);
  const next = names[names.indexOf(server) + 1];
  if (next !== undefined && names.includes(server)) await handOver(led, next, server);
}
