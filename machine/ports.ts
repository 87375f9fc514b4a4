import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { pulumiHome } from "./locate";
import { readText } from "./folders";
import { Refusal, messageOf } from "./refusal";

/**
 * Ports for servers, from below the range that the kernel hands to outgoing connections. A reservation is a file in the
 * Pulumi home that names the folder of the server; it holds while that folder exists, so stopped servers keep their
 * ports and two stacks of one user never meet.
 */

const FIRST = 20_000;
const LAST = 29_999;

const registry = (): string => join(pulumiHome(), "nats-hub-leaf", "ports");

/** The system's error code when nothing can listen there, such as EADDRINUSE; undefined when it can. */
export function listenProblem(port: number, host = "127.0.0.1"): Promise<string | undefined> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => done(undefined)));
  });
}

/** Whether a server can listen on the port. */
export const isFree = async (port: number, host?: string): Promise<boolean> =>
  (await listenProblem(port, host)) === undefined;

const cannotReserve = (path: string, error: unknown): Refusal =>
  new Refusal(`${path}: ports cannot be reserved (${messageOf(error)}); make the folder writable, or set PULUMI_HOME`);

/** Makes the file unless there is one: of several that try, one does. */
function make(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw cannotReserve(file, error);
    return false;
  }
}

/** Whether the reservation is of a server that is gone. One without text is being written. */
function isLeft(file: string): boolean {
  const holder = readText(file) ?? "";
  return holder !== "" && !existsSync(holder);
}

function reserve(port: number, owner: string): boolean {
  const file = join(registry(), String(port));
  if (make(file, owner)) return true;
  // Only one of several processes that find it abandoned may remove it: the others would remove the new reservation.
  const claim = `${file}.claim`;
  if (!isLeft(file) || !make(claim, "")) return false;
  try {
    if (!isLeft(file)) return false;
    rmSync(file, { force: true });
    return make(file, owner);
  } finally {
    rmSync(claim, { force: true });
  }
}

/** Reserves a free port for the server in `folder`. Errors: a Refusal when all 10 000 are taken. */
export async function allocatePort(folder: string): Promise<number> {
  try {
    mkdirSync(registry(), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotReserve(registry(), error);
  }
  const start = Math.floor(Math.random() * (LAST - FIRST + 1));
  for (let i = 0; i <= LAST - FIRST; i++) {
    const port = FIRST + ((start + i) % (LAST - FIRST + 1));
    if (!reserve(port, resolve(folder))) continue;
    if (await isFree(port)) return port;
    releasePort(port, folder);
  }
  throw new Refusal(
    `no port between ${FIRST} and ${LAST} is free; stop what uses them, or give the ports in the settings`,
  );
}

/** Gives back a port that `allocatePort` reserved for the folder; any other one is left alone. */
export function releasePort(port: number, folder: string): void {
  const file = join(registry(), String(port));
  if (existsSync(file) && readFileSync(file, "utf8") === resolve(folder)) rmSync(file, { force: true });
}

/** Gives back the ports of all servers below the folder. */
export function releasePortsBelow(folder: string): void {
  const ports = existsSync(registry()) ? readdirSync(registry()) : [];
  for (const port of ports) {
    const file = join(registry(), port);
    if (readText(file)?.startsWith(`${resolve(folder)}/`) === true) rmSync(file, { force: true });
  }
}
