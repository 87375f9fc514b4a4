import { cpSync, rmSync } from "node:fs";
import { serverFiles } from "../../providers/folders";
import { whileStopped } from "./servers";

/** What can happen to a server's message store; the server is stopped for it, and started again. */

interface Stored {
  readonly folder: string;
}

const storeOf = ({ folder }: Stored): string => serverFiles(folder).store;

export const loseStore = (server: Stored): Promise<void> =>
  whileStopped(server.folder, () => rmSync(storeOf(server), { recursive: true }));

export const keepStore = (server: Stored): Promise<void> =>
  whileStopped(server.folder, () => cpSync(storeOf(server), `${storeOf(server)}.old`, { recursive: true }));

/** Puts the store back to what it was when `keepStore` copied it. */
export const rollBack = (server: Stored): Promise<void> =>
  whileStopped(server.folder, () => {
    rmSync(storeOf(server), { recursive: true });
    cpSync(`${storeOf(server)}.old`, storeOf(server), { recursive: true });
  });
