import { basename, resolve } from "node:path";
import { Settings } from "../configs/settings";
import { Leaving, lossWords, lossesOf } from "../fleet/streams/at-stake";
import { FleetAccess, accessOf } from "../fleet/sourcing/collected";
import { undeclaredStreams } from "../configs/streams";
import { runsHere } from "../configs/watch/watch";
import {
  dialedHosts,
  hubServers,
  isBoundToMachine,
  onOneMachine,
  routesLeave,
  serverCount,
  usesUnnamedEngine,
} from "../configs/placement";
import { certificateProblem } from "./certificate";
import { isLookedFor } from "../servers/away";
import { refuseOtherEngine, unnamedEngine, unreachedEngines } from "../servers/docker/whereabouts";
import { refusedConfigs } from "../servers/config-check";
import { declareSites } from "../fleet/sourcing/declared-sites";
import { digest } from "../machine/digest";
import { report } from "../machine/report";
import { untestedBinary, untestedImage } from "../configs/plan/untested";
import { mayDiscard } from "../fleet/sourcing/discard";
import { movedServers } from "../servers/moved";
import { folderProblem, machineId, refuseOtherFolder, refuseOtherMachine, removeOfStack } from "../machine/folders";
import { NatsServer, findNatsServer } from "../servers/nats-server-binary";
import { pemsOf } from "../servers/files/link-tls";
import { refuseMovingOff, refuseReplacing, replacedBy } from "../fleet/streams/copies";
import { declareLed, handOverFirst } from "../fleet/streams/hand-over";
import { Failure, failure, isResized, refuseMoves, refuseNewImage } from "../fleet/streams/moves";
import { messageOf } from "../machine/refusal";
import { rehearse } from "./rehearsal";
import { clearLeftBehind } from "./rehearsal/rehearsal-folder";
import { forgetPassed } from "./rehearsal/rehearsal-memory";
import { hasUnknown, inputsOnly, same } from "../configs/values";

/**
 * The first resource of a stack. Its `check` sees the old and the new fleet, in previews and in `up`, before anything
 * is touched: here stands what the rules cannot know without the machine, the servers and the past.
 */

export interface FleetInputs {
  /** The stack's folder. */
  root: string;
  settings: Omit<Settings, "keys">;
  /** Public keys of the given link keys, by site; absent in a state of before this was recorded. */
  givenLinks?: Record<string, string>;
  /** Secret. */
  access: FleetAccess;
}

const leaving = ({ root }: FleetInputs, withServer: boolean): Leaving => ({
  stack: basename(resolve(root)),
  withServer,
});

/** Sites that leave the fleet while the hub lacks some of their messages, or with messages in streams of others. */
async function refuseRemovals(olds: FleetInputs, news: FleetInputs): Promise<Failure[]> {
  const removed = olds.settings.sites.filter(({ name }) => !news.settings.sites.some((site) => site.name === name));
  const found = await Promise.all(
    removed.map(async ({ name, expect }): Promise<Failure[]> => {
      const access = accessOf(olds.access, name, expect);
      if (mayDiscard(name) || access === undefined) return [];
      const losses = await lossesOf(access, olds.settings.streams, leaving(olds, true)).catch((error: unknown) =>
        expect === "offline" ? [] : [{ words: `its streams cannot be read (${messageOf(error)})`, isUnread: true }],
      );
      return losses.length === 0 ? [] : [failure("sites", `${name} cannot be removed: ${lossWords(losses, name)}`)];
    }),
  );
  return found.flat();
}

/** Streams that leave sites which stay, or are collected in another mode, while the hub lacks some of their messages. */
async function refuseStreamRemovals(olds: FleetInputs, news: FleetInputs): Promise<Failure[]> {
  const gone = undeclaredStreams(olds.settings.streams, news.settings.streams);
  const stay = olds.settings.sites.filter(({ name }) => news.settings.sites.some((site) => site.name === name));
  const found = await Promise.all(
    stay.map(async ({ name, expect }): Promise<Failure[]> => {
      const access = accessOf(olds.access, name, expect);
      if (gone.length === 0 || access === undefined || expect === "offline" || mayDiscard(name)) return [];
      // What cannot be read now may be after the site's server was repaired; its streams are looked at again then.
      const losses = await lossesOf(access, gone, leaving(olds, false)).catch(() => []);
      return losses.length === 0
        ? []
        : [failure("streams", `${name} cannot give up its stream: ${lossWords(losses, name)}`)];
    }),
  );
  return found.flat();
}

/** An offline site cannot be given a new key: it would be locked out. */
function refuseNewLinkKeys(olds: FleetInputs, news: FleetInputs): Failure[] {
  return news.settings.sites.flatMap(({ name, expect, rotation }): Failure[] => {
    const old = olds.settings.sites.find((site) => site.name === name);
    if (old === undefined || expect === "online") return [];
    const given = olds.givenLinks !== undefined && olds.givenLinks[name] !== news.givenLinks?.[name];
    if (old.rotation === rotation && !given) return [];
    return [
      failure(
        given ? `keys.${name}.link` : "sites",
        `${name} is offline, and a new key would lock it out; ${given ? "change" : "rotate"} the key when the site is online again`,
      ),
    ];
  });
}

/** What is wrong with the certificates that are given as files. */
function givenCertificateProblems(settings: Settings): Failure[] {
  const { tls, certificates: folder } = settings.links;
  if (tls !== "given" || folder === undefined) return [];
  const servers = [
    {
      server: settings.hub.name,
      role: "hub" as const,
      names: dialedHosts(settings),
    },
    ...settings.sites.map(({ name }) => ({ server: name, role: "site" as const, names: [] })),
  ];
  return servers.flatMap(({ server, role, names }): Failure[] => {
    try {
      const problem = certificateProblem({
        ...pemsOf({ kind: "given", folder, server }),
        role,
        names,
        now: Date.now(),
      });
      return problem === undefined ? [] : [failure("links", `certificates of ${server}: ${problem}`)];
    } catch (error) {
      return [failure("links", messageOf(error))];
    }
  });
}

/**
 * Engines that are away, when the plain CLI is told to work on them: it would fail at each resource there, in the words
 * of the Docker plugin.
 */
async function refuseAbsentEngines(settings: Settings): Promise<Failure[]> {
  if (isLookedFor()) return [];
  return (await unreachedEngines(settings)).map(({ reason, servers }) => {
    const ofHub = hubServers(settings.hub).some(({ name }) => servers.includes(name));
    const way =
      ofHub && !routesLeave(settings)
        ? ""
        : "; or run 'make up', which leaves them as they are and does everything else";
    return failure(ofHub ? "hub" : "sites", `${servers.join(", ")} cannot be worked on: ${reason}${way}`);
  });
}

export async function check(olds: Partial<FleetInputs>, news: FleetInputs) {
  const failures: Failure[] = [];
  const old = olds.settings === undefined || olds.access === undefined ? undefined : (olds as FleetInputs);
  const settings: Settings = { ...news.settings, keys: {} };
  declareSites(
    news.root,
    [...(old?.settings.sites ?? []), ...settings.sites].map(({ name }) => name),
  );
  if (old !== undefined) declareLed(news.root, old, replacedBy(old.settings, news.settings));
  let binary: NatsServer | undefined;
  try {
    binary = await findNatsServer(settings.natsServer);
    for (const words of [...untestedBinary(settings, binary), ...untestedImage(settings)]) report(words);
    if (!same(old?.settings, news.settings)) {
      const isNew = (site: Settings["sites"][number]) =>
        !old?.settings.sites.some((before) => same(before, site)) || !same(old.settings.streams, settings.streams);
      const refused = await refusedConfigs(settings, settings.sites.filter(isNew), binary);
      failures.push(...refused.map(({ where, reason }) => failure(where, reason)));
    }
  } catch (error) {
    failures.push(failure("natsServer", messageOf(error)));
  }
  for (const words of onOneMachine(settings)) report(words);
  const [was, is] = [serverCount(old?.settings.hub ?? settings.hub), serverCount(settings.hub)];
  if (was !== is && isResized()) {
    const fate = { kind: "fate" as const, server: settings.hub.name, values: { fate: "replaced" as const } };
    const how =
      "up saves what the hub holds, starts the new servers, and gives it to them; meanwhile the sites keep their messages";
    report(`${settings.hub.name}: from ${was} to ${is} servers: ${how}`, fate);
  }
  failures.push(...givenCertificateProblems(settings));
  const moved = old === undefined ? undefined : movedServers(news.root);
  if (moved !== undefined) return { failures: [failure("dataFolder", moved)] };
  const unusable = folderProblem(news.root);
  if (unusable !== undefined) failures.push(failure("dataFolder", unusable));
  if (old !== undefined) {
    failures.push(
      ...refuseMoves(old, news),
      ...refuseNewLinkKeys(old, news),
      ...(await refuseRemovals(old, news)),
      ...(await refuseStreamRemovals(old, news)),
      ...(await refuseNewImage(old, news)),
      ...(await refuseMovingOff(old, news)),
      ...(await refuseReplacing(old, news)),
    );
  }
  failures.push(...(await refuseAbsentEngines(settings)));
  // Last: it takes a second.
  if (failures.length === 0 && binary !== undefined) {
    // The hub that gives way is no part of what comes.
    const olds = old === undefined || was !== is ? undefined : { ...old.settings, keys: {} };
    failures.push(...(await rehearse({ root: news.root, olds, news: settings, binary })));
  }
  return failures.length === 0 ? { inputs: news } : { failures };
}

interface FleetOutputs {
  root: string;
  /** Where the servers run; empty when that is elsewhere. */
  machine: string;
  /** The whole path of the stack's folder, where there are processes; absent in a state of before it was recorded. */
  folder?: string;
  /** Where the containers are whose settings name no engine; absent when there are none. */
  engine?: string;
  /** Digest of the inputs. */
  inputs: string;
}

const outputsOf = (inputs: FleetInputs): FleetOutputs => ({
  root: inputs.root,
  machine: isBoundToMachine(inputs.settings) ? machineId() : "",
  ...(runsHere(inputs.settings) ? { folder: resolve(inputs.root) } : {}),
  ...(usesUnnamedEngine(inputs.settings) ? { engine: unnamedEngine() } : {}),
  inputs: digest(inputsOnly(inputs)),
});

export async function create(inputs: FleetInputs) {
  return { id: "fleet", outs: outputsOf(inputs) };
}

export async function diff(_id: string, olds: FleetOutputs, news: FleetInputs) {
  if (olds.machine !== "") refuseOtherMachine(olds.machine);
  refuseOtherFolder(olds.folder, news.root);
  refuseOtherEngine(olds.engine);
  return { changes: hasUnknown(news) || olds.inputs !== digest(inputsOnly(news)) };
}

export async function update(_id: string, _olds: FleetOutputs, news: FleetInputs) {
  await handOverFirst(news.root);
  return { outs: outputsOf(news) };
}

async function remove(_id: string, { root }: FleetOutputs): Promise<void> {
  await clearLeftBehind(root);
  forgetPassed(root);
  removeOfStack(root, root);
}

export { remove as delete };
