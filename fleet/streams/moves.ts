import { basename, dirname } from "node:path";
import { engineNameOf } from "../../configs/container";
import {
  Placement,
  engineOf,
  firstOfHub,
  hubServers,
  isElsewhere,
  placementOf,
  routesLeave,
  serverCount,
  serversInDocker,
} from "../../configs/placement";
import { HubSettings, Settings, SiteSettings } from "../../configs/settings";
import { mayDiscard } from "../sourcing/discard";
import { statusOf, withEngine } from "../../servers/docker/engine";
import { undeclaredStreams } from "../../configs/streams";
import { same } from "../../configs/values";

/** Changes that would leave data behind, or remove a server while its data is needed, each with a way to do it. */

type Fleet = Omit<Settings, "keys">;

export interface Failure {
  property: string;
  reason: string;
  /** Whether the reason goes on from the property, as in "hub.name: changes from …". */
  goesOn?: true;
}

export const failure = (property: string, reason: string): Failure => ({ property, reason });
const changeOf = (property: string, reason: string): Failure => ({ property, reason, goesOn: true });

const placementIn = (settings: Fleet, server: HubSettings | SiteSettings): Placement =>
  placementOf({ ...settings, keys: {} }, server);

/** "a process", "a container on ssh://edge@oslo.example". */
function wordsOf(placement: Placement): string {
  if (placement.kind === "process") return "a process";
  return placement.engine === "" ? "a container on this machine" : `a container on ${placement.engine}`;
}

/** A network of another kind is another container; its volumes stay where they are. */
const isMoved = (before: Placement, after: Placement): boolean => wordsOf(before) !== wordsOf(after);

/** Servers of a hub of several that get another place, by name. */
const movedOfHub = (olds: Fleet, news: Fleet): { name: string; from: string; to: string }[] =>
  hubServers(news.hub).flatMap((server) => {
    const old = hubServers(olds.hub).find(({ name }) => name === server.name);
    if (old === undefined) return [];
    const [from, to] = [wordsOf(placementIn(olds, old)), wordsOf(placementIn(news, server))];
    return from === to ? [] : [{ name: server.name, from, to }];
  });

const WAY_OF_HUB = "deploy another stack beside this one, let it collect, then destroy this one";

/** One server of several may move: the others have all that it has. */
function movedHub(olds: Fleet, news: Fleet): Failure[] {
  const [before, after] = [placementIn(olds, olds.hub), placementIn(news, news.hub)];
  const doRoutesLeave = (fleet: Fleet): boolean => routesLeave({ ...fleet, keys: {} });
  const [leftBefore, leaveNow] = [doRoutesLeave(olds), doRoutesLeave(news)];
  if (serverCount(olds.hub) !== serverCount(news.hub) || serverCount(news.hub) === 1)
    return isMoved(before, after)
      ? [
          changeOf(
            "hub",
            `moves from ${wordsOf(before)} to ${wordsOf(after)}, but what it collected would stay behind; ${WAY_OF_HUB}`,
          ),
        ]
      : [];
  const moved = movedOfHub(olds, news);
  if (leftBefore !== leaveNow)
    return [
      changeOf(
        "hub.servers",
        `${leaveNow ? "are on machines of their own now, and were on one" : "are on one machine now, and were on several"}: ` +
          `their routes change, so that they would not find each other while one after the other changes; set hub.servers: 1, ` +
          "run 'make up', then set the servers that you want, and run it again",
      ),
    ];
  const [first] = moved;
  if (first === undefined) return [];
  if (before.kind !== after.kind || !leaveNow)
    return [
      changeOf(
        "hub",
        `moves from ${first.from} to ${first.to}, but what it collected would stay behind; ${WAY_OF_HUB}`,
      ),
    ];
  if (moved.length === 1) return [];
  const all = moved.map(({ name, to }) => `${name} to ${to}`).join(", ");
  return [
    changeOf(
      "hub.servers",
      `move all at once: ${all}; each gets an empty store that the others fill, so move one, run 'make up', then the next`,
    ),
  ];
}

function movedServers(olds: Fleet, news: Fleet): Failure[] {
  return news.sites.reduce(
    (found, site) => {
      const old = olds.sites.find(({ name }) => name === site.name);
      if (old === undefined) return found;
      const [before, after] = [placementIn(olds, old), placementIn(news, site)];
      if (!isMoved(before, after)) return found;
      const reason =
        `${site.name} moves from ${wordsOf(before)} to ${wordsOf(after)}, but what it stores would stay behind; ` +
        "take it out of 'sites' and run 'pulumi up' (which waits for its messages), then add it at the new place. " +
        "What the hub collected stays";
      return [...found, failure("sites", reason)];
    },
    movedHub(olds, news),
  );
}

/** A site that went and one that came in one update, alike but for their names: a rename, most likely. */
function renamedSites(olds: Fleet, news: Fleet): Failure[] {
  const isIn = (sites: readonly SiteSettings[], name: string) => sites.some((site) => site.name === name);
  const gone = olds.sites.filter(({ name }) => !isIn(news.sites, name));
  const come = news.sites.filter(({ name }) => !isIn(olds.sites, name));
  return gone.flatMap((before): Failure[] => {
    const after = come.find((site) => same({ ...site, name: "" }, { ...before, name: "" }));
    if (after === undefined) return [];
    const reason =
      `${before.name} seems to become ${after.name}: a site's name is its server name, JetStream domain and account, and cannot ` +
      `change. Add ${after.name} with one 'pulumi up', move the applications, and take ${before.name} out with the next`;
    return [failure("sites", reason)];
  });
}

/** Sites that leave while the links get another TLS: the hub no longer takes their links, and nothing gives them new files. */
function cutOffSites(olds: Fleet, news: Fleet): Failure[] {
  const [before, after] = [olds.links, news.links];
  if (before.tls === after.tls && before.certificates === after.certificates) return [];
  const leaving = olds.sites.filter(
    ({ name, expect }) => expect === "online" && !mayDiscard(name) && !news.sites.some((site) => site.name === name),
  );
  if (leaving.length === 0) return [];
  const names = leaving.map(({ name }) => name).join(", ");
  const reason =
    `the TLS of all links changes while ${names} leaves: its link would not come back, and what it still has would stay ` +
    "there. Remove it with one 'pulumi up', and change the links with the next";
  return [failure("links", reason)];
}

const inDocker = (settings: Fleet): (HubSettings | SiteSettings)[] => serversInDocker({ ...settings, keys: {} });

/** Whether the server has a container; so it is taken while its engine is away. */
async function hasContainer(stack: string, server: HubSettings | SiteSettings): Promise<boolean> {
  const name = engineNameOf(stack, server.name);
  const asked = withEngine(engineOf(server), (docker) => docker.getContainer(name).inspect());
  return await asked.then(
    () => true,
    (error: unknown) => statusOf(error) !== 404,
  );
}

/** Another image replaces containers: not all at once. One that could not even be pulled has none yet. */
export async function refuseNewImage(
  olds: { root: string; settings: Fleet },
  news: { settings: Fleet },
): Promise<Failure[]> {
  const [before, after] = [olds.settings.docker.image, news.settings.docker.image];
  if (before === after || process.env.NATS_HUB_LEAF_UPGRADE === "1") return [];
  const stay = inDocker(olds.settings).filter(({ name }) =>
    inDocker(news.settings).some((server) => server.name === name),
  );
  const are = await Promise.all(stay.map((server) => hasContainer(basename(olds.root), server)));
  const running = stay.flatMap(({ name }, i) => (are[i] === true ? [name] : []));
  if (running.length === 0) return [];
  const reason =
    `changes from ${before} to ${after}, which would replace the containers of ${running.join(", ")} all at the same time; 'make upgrade' ` +
    "replaces one at a time, the hub first, and goes on when its data flows again";
  return [changeOf("docker.image", reason)];
}

/** A stack's files lie in a folder of its name. */
function otherRoot(before: string, after: string, cure: string): Failure {
  const [was, is] = [basename(before), basename(after)];
  if (was === is || dirname(before) !== dirname(after))
    return changeOf("dataFolder", `changes while servers run in the old folder; ${cure}`);
  return failure(
    "dataFolder",
    `the stack was named '${was}' when its servers were started, and their files and streams carry that name: ` +
      `give it that name again ('pulumi stack rename ${was} --stack ${is}')`,
  );
}

/** Whether what the hub holds is saved while it gets another number of servers; see commands/resize. */
export const isResized = (): boolean => (process.env.NATS_HUB_LEAF_RESIZE ?? "") !== "";

/**
 * Another number of servers of the hub. A hub of one that is started as one of a cluster finds its streams in no plan of the
 * cluster, and deletes their files after half a minute (nats-server jetstream_cluster.go, "orphaned stream").
 */
function otherServers(olds: Fleet, news: Fleet): Failure[] {
  const [was, is] = [serverCount(olds.hub), serverCount(news.hub)];
  if (was === is) return [];
  const gone = [
    ...olds.sites
      .filter(({ name }) => !news.sites.some((site) => site.name === name))
      .map(({ name }) => `site ${name}`),
    ...undeclaredStreams(olds.streams, news.streams).map(({ name }) => `stream ${name}`),
  ];
  if (isResized() && gone.length > 0)
    return [
      changeOf(
        "hub.servers",
        `changes from ${was} to ${is} while ${gone.join(", ")} leaves or changes its mode; make these changes one after the other`,
      ),
    ];
  const unreached = news.sites.filter(({ expect }) => expect === "offline").map(({ name }) => name);
  if (isResized() && unreached.length > 0 && !isElsewhere(firstOfHub(news)) && news.hub.ports.leafnodes === undefined)
    return [
      changeOf(
        "hub.servers",
        `changes from ${was} to ${is}, and with it the port that ${unreached.join(", ")} dials, which is offline; ` +
          "give the hub the port that it has now (hub.ports.leafnodes; the output 'hub' of the stack shows it)",
      ),
    ];
  if (isResized()) return [];
  const reason =
    `changes from ${was} to ${is}, and the streams that the hub holds do not follow` +
    `${was === 1 ? ": its server would delete them when it joins a cluster" : ""}. ` +
    "'make up' saves what it collected first, and gives it to the new servers";
  return [changeOf("hub.servers", reason)];
}

/** What the update would move or rename, each with the way to do it. */
export function refuseMoves(
  olds: { root: string; settings: Fleet },
  news: { root: string; settings: Fleet },
): Failure[] {
  const cure = "destroy the stack first, or deploy another one beside it";
  const failures: Failure[] = [];
  const [before, after] = [olds.settings.hub.name, news.settings.hub.name];
  if (before !== after)
    failures.push(
      changeOf(
        "hub.name",
        `changes from '${before}' to '${after}', and with it the JetStream domain that holds all collected data; ${cure}`,
      ),
    );
  failures.push(...otherServers(olds.settings, news.settings));
  if (olds.root !== news.root) failures.push(otherRoot(olds.root, news.root, cure));
  const others = [movedServers, renamedSites, cutOffSites];
  return [...failures, ...others.flatMap((find) => find(olds.settings, news.settings))];
}
