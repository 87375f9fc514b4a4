import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverFiles } from "../../../machine/folders";
import { TestFleet, TestServer } from "./fleet";
import { whileStopped } from "./servers";

/** A file system of its own for a server's store, small enough to be filled. */

const mount = (folder: string, bytes: number): void =>
  void execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "tmpfs", folder], { stdio: "pipe" });

/** Lazily: a server that still runs keeps its files until it ends. */
const unmount = (folder: string): void => void execFileSync("umount", ["-l", folder], { stdio: "pipe" });

/** Why this machine lets no test mount a file system; undefined when it does. */
export const whyNoSmallDisk = (): string | undefined => (tried ??= { reason: tryOne() }).reason;

let tried: { reason: string | undefined } | undefined;

function tryOne(): string | undefined {
  const folder = join("/tmp", `small-disk-${process.pid}`);
  mkdirSync(folder);
  try {
    mount(folder, 1_000_000);
    unmount(folder);
    return undefined;
  } catch (error) {
    return `mounting a file system needs root: ${(error as Error).message.split("\n")[0] ?? ""}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface SmallDisk {
  /** Takes all the room, but for so many bytes. */
  fill(left?: number): void;
  /** Gives it back. */
  makeRoom(): void;
  free(): number;
}

/** Moves the server's store to a file system of so many bytes; gone with the fleet. */
export async function onSmallDisk(fleet: TestFleet, server: TestServer, bytes: number): Promise<SmallDisk> {
  const { store } = serverFiles(server.folder);
  const kept = `${store}.kept`;
  await whileStopped(server.folder, () => {
    cpSync(store, kept, { recursive: true });
    rmSync(store, { recursive: true });
    mkdirSync(store, { mode: 0o700 });
    mount(store, bytes);
    cpSync(kept, store, { recursive: true });
    rmSync(kept, { recursive: true });
  });
  fleet.whenStopped(() => Promise.resolve(unmount(store)));
  const ballast = join(store, "ballast");
  const free = () => {
    const { bavail, bsize } = statfsSync(store);
    return bavail * bsize;
  };
  return {
    fill(left = 0) {
      try {
        writeFileSync(ballast, Buffer.alloc(free() - left));
      } catch (error) {
        // The server took some of the room meanwhile.
        if (left > 0 || (error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    free,
  };
}

/** Makes the file system of the server's store read-only while the server runs, as Linux does when its disk fails. */
export function makeReadOnly(fleet: TestFleet, server: TestServer): void {
  const { store } = serverFiles(server.folder);
  execFileSync("mount", ["--bind", store, store], { stdio: "pipe" });
  fleet.whenStopped(() => Promise.resolve(unmount(store)));
  execFileSync("mount", ["-o", "remount,bind,ro", store], { stdio: "pipe" });
}
