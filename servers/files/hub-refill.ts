import { cpSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, serverFiles } from "../../machine/folders";
import { Refusal, messageOf } from "../../machine/refusal";
import { report } from "../../machine/report";
import { hostOf } from "../hosts";
import type { HubMember } from "../hub-members";
import type { Place } from "../server-host";

/**
 * What keeps the streams of a hub of several when most of its disks are lost. Servers with empty disks that are the majority
 * agree on empty streams, whatever a server with data says (measured with nats-server 2.15.2): so one of them gets a copy of
 * what is left before it starts. Of servers that are processes.
 */

/** In the store: what the server makes there. */
const DATA = "jetstream";

const foldersIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

const storeOf = (place: Place): string | undefined =>
  place.kind === "process" ? serverFiles(place.folder).store : undefined;

/** Whether streams of accounts are in the server's store; true where that cannot be seen. */
function holdsStreams(place: Place): boolean {
  const store = storeOf(place);
  if (store === undefined) return true;
  const accounts = join(store, DATA);
  return foldersIn(accounts).some((account) => foldersIn(join(accounts, account, "streams")).length > 0);
}

/** Whether servers of the hub have streams, and others have lost theirs. */
export const isPartlyLost = (servers: readonly HubMember[]): boolean =>
  new Set(servers.map(({ place }) => holdsStreams(place))).size > 1;

/**
 * Gives a server whose disk is empty the streams of the only one that still has them, if it would have the majority with
 * others like it. That one is stopped meanwhile: without a majority it takes nothing anyway. Errors: a Refusal.
 */
export async function refill(name: string, own: Place, servers: readonly HubMember[]): Promise<void> {
  const target = storeOf(own);
  if (target === undefined || holdsStreams(own)) return;
  const left = servers.filter(({ place }) => holdsStreams(place));
  const majority = Math.floor(servers.length / 2) + 1;
  const [only, ...more] = left;
  if (only === undefined || left.length >= majority) return;
  const source = storeOf(only.place);
  if (source === undefined || more.length > 0)
    throw new Refusal(
      `${name}: its disk is empty, and so are those of most servers of the hub: started, they would delete the streams that ` +
        `${left.length} of them still have; stop the server that has the newest messages, copy its store (the folder ` +
        `'jetstream') into the folder of a server that lost its own, then run 'pulumi up'`,
    );
  report(
    `${name}: most servers of the hub lost their disks; it gets a copy of the streams that are left, in ${source}`,
  );
  const host = hostOf(only.place);
  const wasRunning = await host.isRunning();
  await host.stop();
  try {
    copyData(source, target);
  } catch (error) {
    throw new Refusal(`${name}: the streams that are left in ${source} cannot be copied: ${messageOf(error)}`);
  } finally {
    if (wasRunning) await host.start();
  }
}

/** A copy that is not complete is not there. */
function copyData(source: string, target: string): void {
  const unfinished = join(makeFolder(target), `${DATA}.copy`);
  rmSync(unfinished, { recursive: true, force: true });
  try {
    cpSync(join(source, DATA), unfinished, { recursive: true });
    rmSync(join(target, DATA), { recursive: true, force: true });
    renameSync(unfinished, join(target, DATA));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}
