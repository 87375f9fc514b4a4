import { isNamed } from "../../configs/names";
import { formatSize } from "../../configs/text/units";
import { isRestored } from "../../fleet/proof/restored";
import { mayRemake } from "../../fleet/sourcing/discard";
import { isAtLeast } from "../../machine/version";
import { messageOf } from "../../machine/refusal";
import type { StreamInfo } from "../../servers/nats/jetstream";
import { lostWith } from "./at-stake";
import { fileProblem } from "./files";
import type { HubStream } from "./hub-streams";
import type { Manifest, SavedStream } from "./manifest";
import { isUnfinished, wantedConfig } from "./wanted";

// What speaks against a restore, before anything is touched.

/** One stream of the backup and the hub's stream that it is to be. */
export interface Pair {
  saved: SavedStream;
  hub: HubStream;
  /** Whether it was restored from this backup before, and stands. */
  isDone: boolean;
}

/** Streams of the backup with the declared ones, and those that the settings no longer have. */
export async function pairsOf(
  manifest: Manifest,
  hubs: readonly HubStream[],
): Promise<{ pairs: Pair[]; undeclared: SavedStream[] }> {
  const pairs: Pair[] = [];
  const undeclared: SavedStream[] = [];
  for (const saved of manifest.streams) {
    const hub = hubs.find(({ name }) => name === saved.name);
    if (hub === undefined) undeclared.push(saved);
    else pairs.push({ saved, hub, isDone: await isDone(hub, saved, manifest) });
  }
  return { pairs, undeclared };
}

async function isDone({ stream, sites, js }: HubStream, saved: SavedStream, { begun }: Manifest): Promise<boolean> {
  const [first] = sites;
  if (first === undefined) return false;
  const of = { root: first.root, stream, site: first.access.site };
  return isRestored(of, begun, await (await js()).stream(saved.stream));
}

/** All that speaks against it, in words. */
export async function problemsOf(
  { manifest, folder, stack, natsServer }: { manifest: Manifest; folder: string; stack: string; natsServer: string },
  hubs: readonly HubStream[],
  pairs: readonly Pair[],
): Promise<string[]> {
  const own =
    manifest.stack === stack
      ? []
      : [`${folder}: is of stack '${manifest.stack}', not of '${stack}'; restore it with STACK=${manifest.stack}`];
  const older = isAtLeast(natsServer, manifest.natsServer)
    ? []
    : [
        `${folder}: was made with nats-server ${manifest.natsServer}, and the hub runs ${natsServer}; ` +
          `install that version or a newer one, and run 'make up'`,
      ];
  const files = await inTurn(manifest.streams, (saved) => fileProblem(folder, saved));
  const streams = await inTurn(
    pairs.filter(({ isDone }) => !isDone),
    (pair) => streamProblem(manifest, pair).catch((error: unknown) => messageOf(error)),
  );
  const rooms = await inTurn(accountsOf(pairs), (all) => roomProblem(all));
  return [...own, ...older, ...modeProblems(manifest, hubs), ...files, ...streams, ...rooms];
}

async function inTurn<T>(all: readonly T[], look: (one: T) => Promise<string | undefined>): Promise<string[]> {
  const found: string[] = [];
  for (const one of all) found.push(...[await look(one)].filter((problem) => problem !== undefined));
  return found;
}

/** A stream that is collected in another way now, is another one at its site. */
const modeProblems = ({ streams }: Manifest, hubs: readonly HubStream[]): string[] =>
  streams.flatMap((saved) => {
    const other = hubs.find(
      ({ stream, sites }) =>
        saved.mode !== undefined &&
        stream.collect.mode !== saved.mode &&
        sites.some(({ access }) => isNamed(stream, access.site, saved.stream)),
    );
    if (other === undefined) return [];
    const mode = `collect: { mode: ${saved.mode} }`;
    return [
      `hub stream ${saved.name}: the backup has it as ${saved.mode}, the settings have ${other.stream.collect.mode}; ` +
        `declare it with ${mode}, run 'make up', then restore`,
    ];
  });

async function streamProblem(manifest: Manifest, { hub, saved }: Pair): Promise<string | undefined> {
  const { max_bytes: most, discard } = wantedConfig(hub, saved);
  if (most > 0 && saved.storedBytes > most) {
    const effect = discard === "old" ? "its oldest messages would be dropped" : "it would take no more";
    return (
      `hub stream ${hub.name}: the backup holds ${formatSize(saved.storedBytes)}, and collect.maxBytes is ` +
      `${formatSize(most)}: ${effect}; raise it and run 'make up'`
    );
  }
  const js = await hub.js();
  const info = await js.stream(saved.stream);
  return info === undefined || isUnfinished(info) ? undefined : await reasonToKeep(manifest, { hub, saved, info });
}

/** Why the hub's stream of now may not give way; undefined when it may. */
export async function reasonToKeep(
  manifest: Pick<Manifest, "ended">,
  { hub, saved, info }: Omit<Pair, "isDone"> & { info: StreamInfo },
): Promise<string | undefined> {
  const remake = `hub/${hub.name}`;
  if (info.state.messages === 0 || mayRemake(remake)) return undefined;
  const allow = `allow that with REMAKE=${remake}`;
  const where = `hub stream ${hub.name}: holds ${info.state.messages} messages`;
  if (Date.parse(info.created) < Date.parse(manifest.ended))
    return `${where} and is older than the backup: the hub has not lost it. To go back to the backup all the same, ${allow}`;
  const js = await hub.js();
  const lost = await lostWith(js, hub, info, saved);
  if (lost > 0)
    return `${where}, and ${lost} of them are neither in the backup nor at a site any more; to lose them, ${allow}`;
  // One that goes by itself when nobody uses it holds no place that its reader relies on.
  const lasting = (await js.consumers(saved.stream)).filter(({ config }) => (config.inactive_threshold ?? 0) === 0);
  const consumers = lasting.flatMap(({ config }) => config.durable_name ?? []);
  if (consumers.length === 0) return undefined;
  return (
    `${where} and the consumers ${consumers.join(", ")}: these would go back to where they were at the backup, or be ` +
    `gone, and their readers get messages again; ${allow}`
  );
}

const accountsOf = (pairs: readonly Pair[]): Pair[][] => [
  ...new Map(pairs.map(({ hub }) => [hub.account, pairs.filter((pair) => pair.hub.account === hub.account)])).values(),
];

/** Whether the account may store what the backup holds of it. */
async function roomProblem(pairs: readonly Pair[]): Promise<string | undefined> {
  const [first] = pairs;
  if (first === undefined) return undefined;
  const { limits } = await (await first.hub.js()).account();
  for (const [storage, most] of [
    ["file", limits.max_storage],
    ["memory", limits.max_memory],
  ] as const) {
    const ofKind = pairs.filter(({ hub }) => hub.stream.collect.storage === storage);
    const needed = ofKind.reduce((sum, { saved }) => sum + saved.storedBytes, 0);
    if (most >= 0 && needed > most)
      return (
        `account ${first.hub.account} on the hub: may store ${formatSize(most)}, and the backup holds ` +
        `${formatSize(needed)}; raise collect.maxBytes of its streams, or hub.${storage === "file" ? "maxFile" : "maxMemory"}, and run 'make up'`
      );
  }
  return undefined;
}
