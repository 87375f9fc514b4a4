import { resourceName } from "../../configs/resources";
import { DOCKER_PROVIDER, isOf, nameOf, typeOf } from "../../configs/text/urn";
import { engineOf, hubServers, routesLeave, serversInDocker } from "../../configs/placement";
import { readSettings } from "../../configs/reading/read-settings";
import { Settings } from "../../configs/settings";
import { wavesOf } from "../../configs/waves/waves";
import { absence, refuseOtherEngine } from "../../servers/docker/whereabouts";
import type { PulumiStack } from "../stack/backend";
import { Away, exclusions, lookAtContainers } from "./containers";
import { lostOfHub } from "./forget";
import type { Deployment } from "../stack/pending";
import type { Say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";
import { readStackConfig } from "../stack/stack-config";

// A Docker engine that is away affects only what is on it: its sites are left as they are, and pending.

/** What a run must know about Docker before it begins. */
export interface Standing {
  /** URNs of containers that were removed or changed by hand: the CLI sees this only after a refresh. */
  readonly removed: string[];
  readonly changed: string[];
  /** Sites that are pending, and why. */
  readonly pending: { site: string; reason: string }[];
  /** Options for the CLI that keep it off what cannot be reached. */
  readonly options: string[];
  /** What the program and its providers have to know. */
  readonly env: Record<string, string>;
}

const NONE: Standing = { removed: [], changed: [], pending: [], options: [], env: {} };

/**
 * Engines are reached as the settings say now, unless what is `deployed` is all that counts: for what is removed, the CLI
 * knows nothing newer. Errors: a Refusal when the hub's own engine is away, or those of too many of its servers, or when the
 * environment names another engine than before.
 */
export async function standingOf(
  { projectFolder, stack }: PulumiStack,
  state: Deployment,
  { deployed = false } = {},
): Promise<Standing> {
  const settings = settingsOf(projectFolder, stack);
  const inDocker = settings !== undefined && serversInDocker(settings).length > 0;
  const isInState = (state.deployment?.resources ?? []).some((resource) => typeOf(resource) === DOCKER_PROVIDER);
  if (!inDocker && !isInState) return NONE;
  refuseOtherEngine(recordedEngine(state));
  const declared = new Map(settings === undefined || deployed ? [] : enginesOf(settings));
  const { removed, changed, away } = await lookAtContainers(state, ({ url }) => declared.get(url ?? ""));
  const known = new Set(away.flatMap(({ servers }) => servers));
  const leftOut = settings === undefined ? [] : await newServersOutOfReach(settings, state, known);
  const ofHub = settings === undefined ? ["hub"] : hubServers(settings.hub).map(({ name }) => name);
  const all = inOrderOf(settings, [...away.flatMap(ofServers), ...leftOut]);
  const hubs = all.filter(({ site }) => ofHub.includes(site));
  refuseHubAway(stack, settings, hubs, leftOut);
  const replaced = settings === undefined ? [] : await lostOfHub(state, settings);
  const pending = all.map((one) => {
    if (!hubs.includes(one)) return one;
    return { ...one, reason: `${one.reason}; ${replaced.includes(one.site) ? REPLACED : LOST_OF_HUB}` };
  });
  return {
    removed,
    changed,
    pending,
    options: away.flatMap(exclusions).flatMap((pattern) => ["--exclude", pattern]),
    env: {
      NATS_HUB_LEAF_AWAY: [...known].join(","),
      ...(hubs.length === 0 ? {} : { NATS_HUB_LEAF_HUB_AWAY: hubs.map(({ site }) => site).join(",") }),
      ...(leftOut.length === 0 ? {} : { NATS_HUB_LEAF_LEFT_OUT: leftOut.map(({ site }) => site).join(",") }),
    },
  };
}

/**
 * A hub on machines of its own works while most of its servers do. Errors: a Refusal when fewer are left, or when one that
 * is away is not deployed yet.
 */
function refuseHubAway(
  stack: string,
  settings: Settings | undefined,
  hubs: Standing["pending"],
  leftOut: Standing["pending"],
): void {
  const [first] = hubs;
  if (first === undefined) return;
  if (settings === undefined || !routesLeave(settings))
    throw new Refusal(`stack '${stack}': the hub's ${first.reason}`);
  const isNew = hubs.find(({ site }) => leftOut.some((one) => one.site === site));
  if (isNew !== undefined)
    throw new Refusal(`stack '${stack}': ${isNew.site} of the hub is not deployed yet, and its ${isNew.reason}`);
  const total = hubServers(settings.hub).length;
  if (hubs.length < total / 2) return;
  throw new Refusal(
    `stack '${stack}': the machines of ${hubs.map(({ site }) => site).join(", ")} cannot be reached, and the hub stores ` +
      `nothing without more than half of its ${total} servers: ${hubs.map(({ reason }) => reason).join("; ")}. If their ` +
      "disks are lost for good, restore a backup (docs/backup.md)",
  );
}

const REPLACED = "'make up' starts this server on the engine that the settings have now, and the others fill it";
const LOST_OF_HUB =
  "or, if that machine is lost for good, give this server another engine in hub.servers, and the others fill it";

/** Where the fleet's check recorded the containers whose settings name no engine. */
function recordedEngine(state: Deployment): string | undefined {
  const check = (state.deployment?.resources ?? []).find(isOf("FleetCheck"));
  const engine = check?.outputs?.engine;
  return typeof engine === "string" ? engine : undefined;
}

/** In the order of the settings, other sites after them; the state has them in the order of creation. */
function inOrderOf(settings: Settings | undefined, pending: Standing["pending"]): Standing["pending"] {
  const declared = (settings?.sites ?? []).map(({ name }) => name);
  const order = ({ site }: { site: string }) => (declared.includes(site) ? declared.indexOf(site) : declared.length);
  return pending.toSorted((a, b) => order(a) - order(b) || a.site.localeCompare(b.site));
}

const ofServers = ({ servers, reason }: Away) => servers.map((site) => ({ site, reason }));

/** The settings as far as they can be read without the CLI; the program itself says what is wrong with them. */
export function settingsOf(projectFolder: string, stack: string): Settings | undefined {
  try {
    const { raw, table } = readStackConfig(projectFolder, stack);
    return readSettings(raw, table).settings;
  } catch {
    return undefined;
  }
}

/** The names of the sites that the settings have. */
export const declaredSites = ({ projectFolder, stack }: PulumiStack): string[] =>
  (settingsOf(projectFolder, stack)?.sites ?? []).map(({ name }) => name);

/** The names of the servers in containers, the hub first, then the sites wave by wave. */
export function containersOf({ projectFolder, stack }: Pick<PulumiStack, "projectFolder" | "stack">): string[] {
  const settings = settingsOf(projectFolder, stack);
  if (settings === undefined) return [];
  const sites = wavesOf(settings).flatMap((wave) => wave.sites);
  return serversInDocker({ ...settings, sites }).map(({ name }) => name);
}

const enginesOf = (settings: Settings) =>
  serversInDocker(settings).map((server) => [server.engine ?? "", engineOf(server)] as const);

/** Servers that are not deployed yet, on engines that cannot be reached: they wait for another `up`. */
async function newServersOutOfReach(
  settings: Settings,
  state: Deployment,
  known: ReadonlySet<string>,
): Promise<Standing["pending"]> {
  const deployed = new Set((state.deployment?.resources ?? []).map(nameOf));
  // A server that runs as a process is not new either: if it were left out, the site would count as removed.
  const isNew = ({ name }: { name: string }): boolean =>
    !known.has(name) && !deployed.has(resourceName(name, "container")) && !deployed.has(resourceName(name, "server"));
  const fresh = serversInDocker(settings).filter(isNew);
  const reasons = new Map<string, Promise<string | undefined>>();
  const found = await Promise.all(
    fresh.map(async (server) => {
      const key = server.engine ?? "";
      reasons.set(key, reasons.get(key) ?? absence(engineOf(server)));
      const reason = await reasons.get(key);
      return reason === undefined ? [] : [{ site: server.name, reason }];
    }),
  );
  return found.flat();
}

/** Says what is pending. */
export function sayPending(pending: Standing["pending"], say: Say): void {
  if (pending.length === 0) return;
  say(`\npending, everything else is done: ${pending.map(({ site }) => site).join(", ")}`);
  for (const reason of new Set(pending.map(({ reason }) => reason))) say(`  ${reason}`);
  say("  then run 'make up' again; 'make forget SITE=…' drops a site whose machine is lost for good");
}

/** The exit code of an `up` that did all it could. */
export const PENDING_EXIT_CODE = 3;
