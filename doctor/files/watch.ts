import { type ConfigServer, type Remote, areOne } from "../../diagnosis/files/server";
import { readText, serverFiles } from "../../machine/folders";
import { lookUntil } from "../../machine/until";
import { maskOutput } from "../../servers/nats-server-binary";
import type { LaidServer, Way } from "./layout";

/** What real servers show about hand-written files: which servers started, and which links are up, seen from both ends. */

/** How long a link may take from the moment when its servers run; shared by the ways of a remote that has several. */
const LINK_MS = 5_000;
/** How long it may take on a machine so busy that the leaf server has not dialled before. */
const BUSY_MS = 15_000;
/** How long a connection must last to be a link: one that is refused lasts for some milliseconds. */
const LASTING_MS = 300;
/** After this many connections that were all closed, none will last. */
const TRIES = 3;

interface Leafz {
  leafs?: { account: string; port: number }[] | null;
}

/** A page of a server's monitoring; undefined while it does not answer. */
export async function monitored<T>({ ports }: LaidServer, page: string): Promise<T | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${ports.monitor}/${page}`, { signal: AbortSignal.timeout(1_000) });
    return (await answer.json()) as T;
  } catch {
    return undefined;
  }
}

/** One remote, and what was seen of it. */
export interface Watched {
  leaf: LaidServer;
  remote: Remote;
  ways: Way[];
  up?: { hub: LaidServer; account: string; way: Way; port: number };
  /** Ways on which no link came while it came on another one. */
  refused: Way[];
}

/** Looks at every link until it lasts, or will not come: at each server that its remote names, one after the other. */
export async function watchLinks(links: readonly Watched[], laid: readonly LaidServer[]): Promise<void> {
  const rounds = Math.max(0, ...links.map(({ ways }) => ways.length));
  const ups = new Map<Watched, Way[]>(links.map((link) => [link, []]));
  for (let round = 0; round < rounds; round++) {
    const looked = links.flatMap((link) => {
      const way = link.ways[round];
      return way === undefined ? [] : [{ link, way }];
    });
    await watchWays(looked, laid, LINK_MS / Math.max(1, rounds - 1));
    for (const { link, way } of looked) ups.get(link)?.push(...(link.up === undefined ? [] : [way]));
  }
  // What is proven afterwards needs the link where it came.
  const again = links.flatMap((link) => {
    const [way] = ups.get(link) ?? [];
    link.refused = way === undefined ? [] : link.ways.filter((one) => !ups.get(link)?.includes(one));
    return way === undefined || link.up !== undefined ? [] : [{ link, way }];
  });
  await watchWays(again, laid, LINK_MS);
}

/** A link on one of its ways. */
interface Look {
  link: Watched;
  way: Way;
}

async function watchWays(looks: readonly Look[], laid: readonly LaidServer[], within: number): Promise<void> {
  const started = Date.now();
  const since = new Map<string, number>();
  const hubs = laid.filter(({ server }) => looks.some(({ way }) => way.hub === server));
  const before = new Map(looks.map(({ way }) => [way, way.relay.ever.size]));
  for (const { link, way } of looks) {
    delete link.up;
    if (link.ways.length > 1) for (const one of link.ways) one.relay.setShut(one !== way);
  }
  const isSettled = ({ link, way }: Look): boolean =>
    link.up !== undefined || isHopeless(way, before.get(way) ?? 0, started);
  const isOver = (one: Look): boolean => isSettled(one) || (Date.now() - started > within && one.way.relay.dialled > 0);
  const look = async (): Promise<void> => {
    const pages = await Promise.all(hubs.map((hub) => monitored<Leafz>(hub, "leafz")));
    for (const one of looks) if (!isSettled(one)) lookAt(one, hubs, pages, since);
  };
  await lookUntil(look, () => looks.every(isOver), { within: BUSY_MS, every: 40 });
}

/** @param since when each connection was seen first; ms since 1970. */
function lookAt(
  { link, way }: Look,
  hubs: readonly LaidServer[],
  pages: readonly (Leafz | undefined)[],
  since: Map<string, number>,
): void {
  const index = hubs.findIndex(({ server }) => server === way.hub);
  const hub = hubs[index];
  const found = pages[index]?.leafs?.find(({ port }) => way.relay.open.has(port));
  if (hub === undefined || found === undefined) return;
  const key = `${way.port} ${found.port}`;
  const first = since.get(key) ?? Date.now();
  since.set(key, first);
  if (Date.now() - first >= LASTING_MS) link.up = { hub, account: found.account, way, port: found.port };
}

function isHopeless({ relay }: Way, before: number, started: number): boolean {
  const tries = relay.ever.size - before;
  const last = Math.max(started, relay.closedAt);
  return relay.open.size === 0 && (tries >= TRIES || (tries > 0 && Date.now() - last > 4 * LASTING_MS));
}

/** How long routes may take. */
const ROUTES_MS = 3_000;

/** Servers without a route to each other one of their cluster, with what was said of routes. */
export async function incompleteClusters(running: readonly LaidServer[]): Promise<Map<ConfigServer, string[]>> {
  const incomplete = new Map<ConfigServer, string[]>();
  await Promise.all(
    running.map(async (one) => {
      const others = running.filter((other) => other !== one && areOne(one.server, other.server));
      if (others.length === 0) return;
      const look = async (): Promise<number> => {
        const { routes } = (await monitored<{ routes?: { remote_id: string }[] | null }>(one, "routez")) ?? {};
        return new Set((routes ?? []).map(({ remote_id }) => remote_id)).size;
      };
      const found = await lookUntil(look, (count) => count >= others.length, { within: ROUTES_MS, every: 60 });
      if (found >= others.length) return;
      const said = linesOf(one).flatMap((line) => {
        const [, level, text = ""] = LINE.exec(line) ?? [];
        return level === "ERR" && / rid:|route/i.test(text) ? [maskOutput(text.replace(/^.*? - rid:\d+ - /, ""))] : [];
      });
      incomplete.set(one.server, [...new Set(said)].slice(0, 2).map(withoutAddresses));
    }),
  );
  return incomplete;
}

/** Whether the connection that was seen is still the one. */
export const isLasting = ({ up }: Watched): boolean => up !== undefined && up.way.relay.open.has(up.port);

const LINE = /\[(ERR|WRN|INF|FTL)\] (.*)$/;

const linesOf = ({ folder }: LaidServer): string[] => (readText(serverFiles(folder).output) ?? "").split("\n");

/** Whether it has started all that its file asks for: its monitoring answers before JetStream, which may still refuse to start. */
export const isReady = (laid: LaidServer): boolean =>
  linesOf(laid).some((line) => LINE.exec(line)?.[2] === "Server is ready");

/** Why the server ended, in its own words; undefined when it said nothing of it. */
export function whyEnded(laid: LaidServer): string | undefined {
  const lines = linesOf(laid);
  const fatal = lines.flatMap((line) => (LINE.exec(line)?.[1] === "FTL" ? [LINE.exec(line)?.[2] ?? ""] : []));
  const said =
    fatal.at(-1) ??
    lines.find((line) => line.startsWith("nats-server: ")) ??
    lines.find((line) => line !== "" && !/^\[\d+\] /.test(line));
  if (said === undefined) return undefined;
  const plain = said.replace(/^nats-server: /, "");
  return maskOutput(plain.replaceAll(`${serverFiles(laid.folder).config}:`, "line ").replaceAll(`${laid.folder}/`, ""));
}

/** What each end first logged about a link that is not up; the address is left out, because it is the rehearsal's. */
export function reasonsFor(
  { leaf, remote, ways }: Pick<Watched, "leaf" | "remote" | "ways">,
  laid: readonly LaidServer[],
): string[] {
  const hubs = laid.filter(({ server }) => ways.some(({ hub }) => hub === server));
  const atHub = new Set(ways.flatMap(({ relay }) => [...relay.ever]));
  const atLeaf = new Set(ways.map(({ port }) => port));
  const first = (server: LaidServer, ports: ReadonlySet<number>): string[] =>
    saidOf(server, ports)
      .slice(0, 1)
      .map((text) => `${server.server.label}: ${withoutSecrets(text, remote)}`);
  return [...hubs.flatMap((hub) => first(hub, atHub)), ...first(leaf, atLeaf)];
}

/** A token is logged as the name of a user. */
const withoutSecrets = (text: string, { urls }: Remote): string =>
  urls.reduce((masked, { value: { user, password } }) => {
    const secret = password ?? user;
    return secret === undefined || secret === "" ? masked : masked.replaceAll(`"${secret}"`, '"(masked)"');
  }, text);

/** Lines that the rehearsal itself causes, or that say only that it did not work. */
const NOTHING_NEW = /trying to connect as leafnode|connection created|Router connection|Client connection closed/i;

function saidOf(server: LaidServer, ports: ReadonlySet<number>): string[] {
  const found = linesOf(server).flatMap((line) => {
    const [, level = "", text = ""] = LINE.exec(line) ?? [];
    const port = Number(/127\.0\.0\.1:(\d+)\b/.exec(text)?.[1]);
    if (!ports.has(port) || NOTHING_NEW.test(text)) return [];
    return [
      { isError: level !== "INF", text: maskOutput(text.replace(/^.*? - (?:\w+:\d+) - /, "").replace(/\s+/g, " ")) },
    ];
  });
  const errors = found.filter(({ isError }) => isError);
  const closed = found.filter(({ text }) => /closed/i.test(text));
  return (errors.length > 0 ? errors : closed).map(({ text }) => withoutAddresses(text));
}

const withoutAddresses = (text: string): string => text.replace(/127\.0\.0\.1:\d+/g, "the other end");
