import { engineOf, hubServers, isCluster, isInContainers, routesLeave } from "../../configs/placement";
import { absence } from "../../servers/docker/whereabouts";
import { collectingAccount } from "../../configs/names";
import { Settings, SiteSettings, StreamSettings } from "../../configs/settings";
import { splitUrls } from "../../configs/text/address";
import { same } from "../../configs/values";
import { sideBySide } from "../../machine/side-by-side";
import { Refusal, messageOf } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import { shared } from "../../servers/nats/connection";
import { FleetAccess, SiteAccess, accessOf, atHub } from "../sourcing/collected";
import { Failure, failure } from "./moves";

/** Copies of collected streams, before containers of the hub's servers are replaced one after the other. */

type Fleet = Omit<Settings, "keys">;

interface Deployed {
  settings: Fleet;
  access: FleetAccess;
}

/** What the container of each server of the hub is made of, by the server's name. */
const madeOf = ({ docker, hub }: Fleet): Record<string, object> =>
  Object.fromEntries(
    hubServers(hub).map(({ name, engine = "", host, ports, logs }) => [name, { docker, engine, host, ports, logs }]),
  );

/** What is wrong with the copies of a stream on the hub, in words. */
async function troublesOf(access: SiteAccess, stream: StreamSettings): Promise<string[]> {
  const name = `${collectingAccount(stream, access.site)}/${stream.name}`;
  try {
    const { cluster } = (await (await atHub(access, stream)).stream(stream.name)) ?? {};
    if (cluster === undefined) return [];
    const behind = (cluster.replicas ?? []).filter(({ current = true, offline = false }) => !current || offline);
    return behind.map((server) => `${server.name} lacks its copy of ${name}`);
  } catch (error) {
    return [`${name} cannot be looked at (${messageOf(error)})`];
  }
}

/** The others notice only after some seconds that a server is gone. */
async function goneServers({ settings, access }: Deployed): Promise<string[]> {
  const [seed] = Object.values(access.sites).map(({ operator }) => operator);
  if (seed === undefined) return [];
  const urls = splitUrls(access.hubUrl);
  const asked = hubServers(settings.hub).map(async ({ name }, i) => {
    const connection = await shared({ url: urls[i] ?? "", seed }).catch(() => undefined);
    return connection === undefined ? [`${name} does not answer`] : [];
  });
  return (await Promise.all(asked)).flat();
}

/** What is wrong with the hub, but for the server that is `replaced`. */
async function troublesNow(deployed: Deployed, replaced: string): Promise<string[]> {
  const { settings, access } = deployed;
  const gone = await goneServers(deployed);
  const all = settings.sites.flatMap((site: SiteSettings) => {
    const own = accessOf(access, site.name, site.expect);
    return own === undefined ? [] : settings.streams.map((stream) => [own, stream] as const);
  });
  const found = gone.length > 0 ? gone : (await sideBySide(all, ([own, stream]) => troublesOf(own, stream))).flat();
  return [...new Set(found)].filter((trouble) => !trouble.startsWith(`${replaced} `));
}

/** A copy that lacks nothing but the last messages, and an election, take some seconds. */
const PREVIEW_MS = 10_000;
const UPGRADE_MS = 60_000;

/** Why the next container of the hub may not be replaced. */
async function incomplete(deployed: Deployed, within: number, replaced = ""): Promise<string | undefined> {
  const look = () => troublesNow(deployed, replaced);
  const troubles = await lookUntil(look, (found) => found.length === 0, { within, every: 250 });
  if (troubles.length === 0) return undefined;
  const more = troubles.length > MOST_SHOWN ? `, and ${troubles.length - MOST_SHOWN} more` : "";
  return (
    `the hub is not complete: ${troubles.slice(0, MOST_SHOWN).join("; ")}${more}. Set the change back and run 'make up', ` +
    "which repairs the hub; then make the change"
  );
}

const MOST_SHOWN = 3;

const isOfContainers = (settings: Fleet): boolean =>
  isCluster(settings.hub) && isInContainers({ ...settings, keys: {} });

/** The servers of a hub of several whose containers are replaced by a change, in the order in which that happens. */
export function replacedBy(olds: Fleet, news: Fleet): string[] {
  if (!isOfContainers(olds)) return [];
  const [before, after] = [madeOf(olds), madeOf(news)];
  return Object.keys(after).filter((name) => before[name] !== undefined && !same(before[name], after[name]));
}

/** Other containers for all servers of a hub while one of them is not complete: with the next one it would stop. */
export async function refuseReplacing(olds: Deployed, news: { settings: Fleet }): Promise<Failure[]> {
  const changed = replacedBy(olds.settings, news.settings);
  const [only = "", ...more] = changed;
  if (only === "") return [];
  // One server alone may be replaced because it is lost.
  const why = await incomplete(olds, PREVIEW_MS, more.length === 0 ? only : "");
  const who =
    more.length === 0
      ? only
      : changed.length === hubServers(news.settings.hub).length
        ? "every server"
        : changed.join(", ");
  const what = `${who} gets another container by this change, one at a time, but`;
  return why === undefined ? [] : [failure("hub", `${what} ${why}`)];
}

/**
 * A server that gets another engine while its old one answers. Pulumi would leave its volumes there, and keep them in the
 * state as those of the new one.
 */
export async function refuseMovingOff(olds: { settings: Fleet }, news: { settings: Fleet }): Promise<Failure[]> {
  if (!routesLeave({ ...olds.settings, keys: {} })) return [];
  const found = hubServers(news.settings.hub).map(async ({ name, engine }): Promise<Failure[]> => {
    const old = hubServers(olds.settings.hub).find((server) => server.name === name);
    if (old === undefined || old.engine === engine || (await absence(engineOf(old))) !== undefined) return [];
    const from = old.engine ?? "this machine";
    const reason =
      `${name} moves to another engine while the one on ${from} answers: stop that engine with its containers, then run ` +
      "'make up'; the server starts at its new place, and the others fill it";
    return [failure("hub.servers", reason)];
  });
  return (await Promise.all(found)).flat();
}

/** The same for one of them, when they get another image. Errors: a Refusal. One that was interrupted may be away itself. */
export async function refuseUpgrading(deployed: Deployed, server: string): Promise<void> {
  if (!isOfContainers(deployed.settings)) return;
  if (!hubServers(deployed.settings.hub).some(({ name }) => name === server)) return;
  const why = await incomplete(deployed, UPGRADE_MS, server);
  if (why !== undefined) throw new Refusal(`${server} is not upgraded: ${why}`);
}
