import { cpSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { serverFiles } from "../../../machine/folders";
import { whileStopped } from "./servers";

/** What can happen to a server's message store; the server is stopped for it, and started again. */

interface Stored {
  readonly folder: string;
}

const storeOf = ({ folder }: Stored): string => serverFiles(folder).store;

const keptOf = (server: Stored): string => `${storeOf(server)}.old`;

export const loseStore = (server: Stored): Promise<void> =>
  whileStopped(server.folder, () => rmSync(storeOf(server), { recursive: true }));

/** Keeps a copy, and nothing of an earlier one: the files of two copies together are no store. */
export const keepStore = (server: Stored): Promise<void> =>
  whileStopped(server.folder, () => {
    rmSync(keptOf(server), { recursive: true, force: true });
    cpSync(storeOf(server), keptOf(server), { recursive: true });
  });

/** For how long a machine is down that loses its tail: for longer than the comparison of two clocks takes. */
const DOWN_MS = 1_000;

/** Puts the store back to what it was when `keepStore` copied it. */
export const rollBack = (server: Stored): Promise<void> =>
  whileStopped(server.folder, async () => {
    rmSync(storeOf(server), { recursive: true });
    cpSync(keptOf(server), storeOf(server), { recursive: true });
    await sleep(DOWN_MS);
  });
