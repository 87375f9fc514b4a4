import { countOf } from "../../diagnosis/book/ledger";
import { reportedBook } from "../../fleet/book/look";
import { undeliveredOf } from "../../fleet/sourcing/collected";
import { say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";
import { sideBySide } from "../../machine/side-by-side";
import { lookUntil } from "../../machine/until";
import { closeShared } from "../../servers/nats/connection";
import { withLock } from "../../servers/files/server-files";
import { varz } from "../../servers/nats/system";
import type { Observed } from "../../fleet/observation/observed";
import { parsed, projectFolder, textOf } from "../parse";
import { deployedState } from "../stack/cli";
import { clearKilledRun } from "../state/killed-run";
import { pulumiStack } from "../stack/pulumi-stack";
import { fleetOf } from "../state/fleet-state";
import { refuseUnconfirmed } from "../state/protection";
import { bringBack } from "./bring-back";
import { type Pair, pairsOf, problemsOf } from "./check";
import { type HubStream, hubStreamsOf, hubSystem } from "./hub-streams";
import { type OpenedBackup, type SavedStream, readManifest } from "./manifest";
import { backupPassphrase } from "./passphrase";

// What `nats-hub-leaf restore --from <folder>` does.

/** Errors: a Refusal; before the first stream nothing was touched. */
export async function run(args: readonly string[], name: string): Promise<number> {
  const call = parsed(name, args);
  const { stack } = call;
  const folder = textOf(call, "from") ?? "";
  if (folder === "") throw new Refusal("restore: say where from: --from <folder>, or make restore FROM=<folder>");
  const opened = readManifest(folder, backupPassphrase(process.env));
  const project = projectFolder();
  const target = await pulumiStack(project, stack);
  await clearKilledRun(target);
  const state = await deployedState(target, "run 'make up' first, then restore");
  refuseUnconfirmed(target, "restore", state);
  try {
    await restore(opened, { stack, folder, fleet: fleetOf(state, stack, project) });
    console.log("restored; 'make up' now proves every site again, and shows the account book");
    return 0;
  } finally {
    void closeShared();
  }
}

export interface Restoring {
  stack: string;
  folder: string;
  fleet: readonly Observed[];
}

/** Brings every stream back, and says what is missing. Errors: a Refusal; before the first stream nothing was touched. */
export async function restore(opened: OpenedBackup, { stack, folder, fleet }: Restoring): Promise<void> {
  const [first] = fleet;
  if (first === undefined) throw new Refusal(`stack '${stack}': has no sites; there is nothing to restore`);
  await withLock(first.root, async () => {
    const { manifest } = opened;
    const hubs = hubStreamsOf(fleet);
    say(`${folder}: checking ${manifest.streams.length} streams`);
    const { version: natsServer } = await varz(await hubSystem(fleet));
    const { pairs, undeclared } = await pairsOf(manifest, hubs);
    const problems = await problemsOf({ manifest, folder, stack, natsServer }, hubs, pairs);
    if (problems.length > 0) throw new Refusal([...problems, "nothing was touched"].join("\n"));
    for (const pair of pairs) {
      if (pair.isDone) say(`${pair.saved.name}: was restored from this backup before`);
      else await bringBack(opened, folder, pair, say);
    }
    for (const line of undeclaredWords(undeclared)) console.log(line);
    for (const line of await outcome(pairs)) console.log(line);
  });
}

const undeclaredWords = (undeclared: readonly SavedStream[]): string[] =>
  undeclared.map(
    ({ name, messages }) =>
      `${name}: its ${messages} messages stay in the backup, because the settings have no such stream; declare it, run ` +
      "'make up', and restore once more",
  );

const CAUGHT_UP_MS = 60_000;

/**
 * What is missing, as it was counted while nothing moved, and what the hub still fetches. No look at the book: while the hub
 * catches up, its positions and its last sequence are not of one moment.
 */
async function outcome(pairs: readonly Pair[]): Promise<string[]> {
  const deadline = Date.now() + CAUGHT_UP_MS;
  const ends = pairs.flatMap(({ hub }) => hub.sites.map((site) => ({ hub, site })));
  const online = ends.filter(({ site }) => site.access.expect === "online");
  const lines = (await sideBySide(online, ({ hub, site }) => outcomeOf(hub, site, deadline))).flat();
  return lines.length === 0 ? ["no message is missing"] : lines;
}

async function outcomeOf(hub: HubStream, { root, access }: Observed, deadline: number): Promise<string[]> {
  const { site } = access;
  const missing = countOf(reportedBook(root, hub.stream, site)?.open ?? [], "missing");
  const look = () => undeliveredOf(access, hub.stream).catch(() => undefined);
  const within = Math.max(0, deadline - Date.now());
  const waiting = await lookUntil(look, (count) => count === 0 || count === undefined, { within, every: 250 });
  return [
    ...(missing === 0
      ? []
      : [
          `site ${site}: ${missing} messages of ${hub.name} are missing: neither the backup has them nor the site any more ` +
            `(make repair SITE=${site} ACCEPT=known records that)`,
        ]),
    ...(waiting === 0
      ? []
      : [`site ${site}: ${waiting} messages of ${hub.name} wait at the site; the hub fetches them`]),
  ];
}
