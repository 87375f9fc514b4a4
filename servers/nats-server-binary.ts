import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { natsServerBinary, onPath } from "../machine/locate";
import { isAtLeast, versionIn } from "../machine/version";
import versions from "../machine/versions.json";
import { maskSeeds } from "../configs/seeds";
import { Refusal } from "../machine/refusal";

const run = promisify(execFile);

export interface NatsServer {
  path: string;
  version: string;
}

/** What the older servers lack; shown to the person who has one. */
const WHY_MINIMUM =
  "older ones neither reload leaf remotes nor report a source stalled on flow control, and have known security flaws";

const known = new Map<string, Promise<string | undefined>>();

/** The version that the binary reports; undefined when it is no nats-server. */
async function versionOf(path: string): Promise<string | undefined> {
  const key = `${path} ${existsSync(path) ? statSync(path).mtimeMs : 0}`;
  const asked =
    known.get(key) ??
    run(path, ["-v"]).then(
      ({ stdout }) => versionIn(stdout),
      () => undefined,
    );
  known.set(key, asked);
  return asked;
}

/** Why a server of this version is refused; undefined when it is new enough. */
export function whyTooOld(version: string): string | undefined {
  const { minimum } = versions.natsServer;
  return isAtLeast(version, minimum)
    ? undefined
    : `is version ${version}, but ${minimum} or newer is needed: ${WHY_MINIMUM}`;
}

/**
 * The nats-server to run: the given one, else the first on PATH that is new enough, else the one that `make install`
 * put in place. Errors: a Refusal when there is none, or the given one is too old.
 */
export async function findNatsServer(given?: string): Promise<NatsServer> {
  if (given !== undefined) {
    const version = await versionOf(given);
    if (version === undefined) {
      throw new Refusal(
        `natsServer: ${given} is not a nats-server that runs here; correct the path, or remove the setting`,
      );
    }
    const why = whyTooOld(version);
    if (why === undefined) return { path: given, version };
    throw new Refusal(`natsServer: ${given} ${why}`);
  }
  const { minimum } = versions.natsServer;
  const tooOld: string[] = [];
  for (const path of [...onPath("nats-server"), natsServerBinary()]) {
    const version = existsSync(path) ? await versionOf(path) : undefined;
    if (version === undefined) continue;
    if (isAtLeast(version, minimum)) return { path, version };
    tooOld.push(`${path} is ${version}`);
  }
  const found = tooOld.length === 0 ? "none was found" : `${tooOld.join(", ")}: ${WHY_MINIMUM}`;
  throw new Refusal(
    `nats-server ${minimum} or newer is needed, but ${found}; run 'make install', or set natsServer to the path of one`,
  );
}

/** What nats-server says, seeds masked: also one that it quotes as no valid seed, whatever it looks like. */
export const maskOutput = (text: string): string =>
  maskSeeds(text).replace(/(not a valid seed: )".*"/g, '$1"(masked)"');

/**
 * Checks a configuration file with `nats-server -t`. Resolves with its digest, which a running server reports once it
 * has taken the file. Errors: a Refusal with the server's words, seeds masked (it prints a malformed one in plain
 * text).
 */
export async function checkConfig(
  { path }: NatsServer,
  file: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  try {
    const { stderr, stdout } = await run(path, ["-t", "-c", file], { cwd: dirname(file), env: { ...env } });
    return /\((sha256:[0-9a-f]+)\)/.exec(stderr + stdout)?.[1] ?? "";
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw new Refusal(
      maskOutput(
        said
          .replaceAll(file, "nats-server.conf")
          .replace(/^nats-server:\s*/, "")
          .trim(),
      ),
    );
  }
}
