import { rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { serverCount } from "../../configs/placement";
import { isOf } from "../../configs/text/urn";
import { mayRemake } from "../../fleet/sourcing/discard";
import { say } from "../../machine/progress";
import { Refusal, messageOf } from "../../machine/refusal";
import type { HubServerInputs } from "../../providers/hub-server";
import { hostOf } from "../../servers/hosts";
import { closeShared } from "../../servers/nats/connection";
import type { StreamInfo } from "../../servers/nats/jetstream";
import { attachSources } from "../backup/attach";
import { positionsIn } from "../backup/bring-back";
import { type HubStream, hubStreamsOf } from "../backup/hub-streams";
import { type Manifest, readManifest } from "../backup/manifest";
import { restore } from "../backup/restore";
import { lookAtStream, save } from "../backup/save";
import type { PulumiStack } from "../stack/backend";
import { QUIET, deployedState, pulumi } from "../stack/cli";
import type { Deployment } from "../stack/pending";
import { settingsOf } from "../state/away";
import { checkedFleet, fleetOf, opened } from "../state/fleet-state";
import { IGNORE_PROTECTION } from "../state/protection";
import { pauseReaders, pauseUntil, resumeReaders } from "./readers";
import { type Begun, begunIn, forgetBegun, noteBegun } from "./marker";

/**
 * Another number of servers of the hub. Streams do not follow: a server that was alone and joins a cluster deletes them, and
 * one that leaves a cluster finds none (nats-server jetstream_cluster.go). So the hub stops collecting, what it holds is
 * saved, the new servers are started, and get it back. The sites keep their messages meanwhile.
 */

export interface Resizing {
  from: number;
  to: number;
  /** The folder of the stack's files. */
  root: string;
  /** What an earlier run has begun. */
  begun: Begun | undefined;
}

/** Tells the providers that what the hub holds is safe: the folder of the backup, or "preview". */
const VARIABLE = "NATS_HUB_LEAF_RESIZE";

/** The folder of the stack's files, and the change that was begun there; undefined of a stack that was never deployed. */
function begunOf({ projectFolder }: PulumiStack, state: Deployment): Pick<Resizing, "root" | "begun"> | undefined {
  const { root } = checkedFleet(state) ?? {};
  if (root === undefined) return undefined;
  const folder = resolve(projectFolder, root);
  return { root: folder, begun: begunIn(folder) };
}

/** After an update of a hub whose change was begun and is wanted no longer: its readers go on. */
export async function giveUp(target: PulumiStack, state: Deployment): Promise<void> {
  const { root = "", begun } = begunOf(target, state) ?? {};
  if (begun === undefined) return;
  for (const hub of hubStreamsOf(await fleetIn(target)))
    await resumeReaders(await hub.js(), hub.stream.name, begun.until);
  forgetBegun(root);
}

/** What to know of a change that was interrupted, in words; undefined for none. */
export function unfinishedWords(target: PulumiStack, state: Deployment): string | undefined {
  const { begun } = begunOf(target, state) ?? {};
  if (begun === undefined) return undefined;
  const { from, to, backup } = begun;
  const change = `hub: a change from ${from} to ${to} servers was interrupted`;
  return backup === undefined
    ? `${change}: its streams collect nothing, and their consumers may be paused; 'make up' finishes it, or undoes it where hub.servers is ${from} again`
    : `${change}: what it had collected is in ${backup}; 'make up' finishes it`;
}

/** What a run has to do because the settings want another number of servers than the hub has; undefined for nothing. */
export function resizingOf(target: PulumiStack, state: Deployment): Resizing | undefined {
  const wanted = settingsOf(target.projectFolder, target.stack);
  const [before, known] = [checkedFleet(state), begunOf(target, state)];
  if (wanted === undefined || before === undefined || known === undefined) return undefined;
  const { root, begun } = known;
  const [was, is] = [serverCount(before.settings.hub), serverCount(wanted.hub)];
  if (begun?.backup === undefined) return was === is ? undefined : { from: was, to: is, root, begun };
  if (is === begun.to) return { from: begun.from, to: is, root, begun };
  // Nothing of it was deployed: the hub is as it was, and the update starts it.
  if (is === begun.from && was === is) return undefined;
  throw new Refusal(
    `hub.servers: a change from ${begun.from} to ${begun.to} was interrupted, and what the hub had collected is in ` +
      `${begun.backup}; set hub.servers to ${begun.to} again and run 'make up', which finishes it`,
  );
}

export const inPreview = (target: PulumiStack): PulumiStack => ({
  ...target,
  env: { ...target.env, [VARIABLE]: "preview" },
});

/**
 * Does all of it but the last update, which proves every site again. Resolves with the exit code of what failed, 0 for nothing.
 * Whatever interrupts it, the next run goes on. Errors: a Refusal; until the backup is complete the hub goes on as before.
 */
export async function resize(target: PulumiStack, resizing: Resizing, options: readonly string[]): Promise<number> {
  const { from, to, root } = resizing;
  say(`hub: from ${from} to ${to} servers`);
  let { begun } = resizing;
  try {
    if (begun?.backup === undefined) {
      const refused = await pulumi(inPreview(target), ["preview", QUIET, IGNORE_PROTECTION, ...options]);
      if (refused !== 0) return refused;
      begun = await saved(target, resizing);
    }
    const { backup = "", until } = begun;
    await stopOld(target, to);
    const moving = { ...target, env: { ...target.env, [VARIABLE]: backup } };
    const exitCode = await pulumi(moving, ["up", "--yes", QUIET, "--skip-preview", IGNORE_PROTECTION, ...options]);
    if (exitCode !== 0) {
      say(`hub: what it had collected is in ${backup}; 'make up' goes on from here`);
      return exitCode;
    }
    await brought(target, backup, until);
    forgetBegun(root);
    say(`hub: has ${to} servers; ${backup} holds what the old ones had, and may be removed`);
    return 0;
  } finally {
    void closeShared();
  }
}

const fleetIn = async (target: PulumiStack) => fleetOf(await deployedState(target), target.stack, target.projectFolder);

/**
 * Saves all that the hub collected. Its streams have no source then, and their readers wait; when something fails, all is as
 * before.
 */
async function saved(target: PulumiStack, { from, to, root, begun }: Resizing): Promise<Begun> {
  const { stack } = target;
  const fleet = await fleetIn(target);
  const hubs = hubStreamsOf(fleet);
  const detached = new Map<string, StreamInfo>();
  const until = begun !== undefined && Date.parse(begun.until) > Date.now() ? begun.until : pauseUntil();
  const now: Begun = { from, to, until };
  noteBegun(root, now);
  const backup = join(root, "resize", new Date().toISOString().replace(/[^0-9T]/g, ""));
  try {
    for (const hub of hubs) detached.set(hub.name, await detach(hub));
    for (const hub of hubs) await pauseReaders(await hub.js(), hub.stream.name, until);
    refuseOthers(await save({ stack, fleet, folder: backup, detached, say }), dirname(backup));
    noteBegun(root, { ...now, backup });
    return { ...now, backup };
  } catch (error) {
    for (const hub of hubs) {
      const info = detached.get(hub.name);
      if (info !== undefined) await attachSources(await hub.js(), hub, positionsIn(info, hub), info.config);
      await resumeReaders(await hub.js(), hub.stream.name, until);
    }
    forgetBegun(root);
    rmSync(backup, { recursive: true, force: true });
    throw new Refusal(
      `hub: keeps its ${from === 1 ? "one server" : `${from} servers`}, and collects as before: ${messageOf(error)}`,
    );
  }
}

/** The stream as it was with its sources; after a run that was killed, as far as the hub still says. */
async function detach(hub: HubStream): Promise<StreamInfo> {
  const js = await hub.js();
  const info = await js.stream(hub.stream.name);
  if (info === undefined)
    throw new Refusal(`hub stream ${hub.name}: is missing; set hub.servers back and run 'make up', which creates it`);
  // A stream without a source has a window of the server's own (nats-server stream.go).
  const { duplicate_window: _own, ...config } = info.config;
  if ((info.config.sources ?? []).length === 0) return { ...info, config };
  await lookAtStream(hub);
  await js.setSources(info, []);
  return info;
}

/** Streams that would not come along: the settings have none of the name, or the stack has no key for them. */
function refuseOthers({ streams, leftOut }: Manifest, backups: string): void {
  const others = [...streams.filter(({ mode }) => mode === undefined).map(({ name }) => name), ...leftOut];
  if (others.length === 0 || mayRemake("hub")) return;
  throw new Refusal(
    `the hub also holds ${others.join(", ")}, which the settings do not have, and which the new servers would not get; ` +
      "save what you need of it and delete it ('nats stream rm'), or allow that it stays behind with REMAKE=hub: " +
      `what the old server held is kept in a folder in ${backups}`,
  );
}

/** The servers that the settings no longer have: their ports may be those of the new ones. */
async function stopOld(target: PulumiStack, to: number): Promise<void> {
  const { resources } = (await deployedState(target)).deployment ?? {};
  for (const { inputs } of (resources ?? []).filter(isOf("HubServer"))) {
    const { place, servers = [] } = opened(inputs) as HubServerInputs;
    if (Math.max(1, servers.length) !== to)
      await hostOf({ ...place, folder: resolve(target.projectFolder, place.folder) }).stop();
  }
}

async function brought(target: PulumiStack, backup: string, until: string): Promise<void> {
  const fleet = await fleetIn(target);
  await restore(readManifest(backup, undefined), { stack: target.stack, folder: backup, fleet });
  for (const hub of hubStreamsOf(fleet)) await resumeReaders(await hub.js(), hub.stream.name, until);
}
