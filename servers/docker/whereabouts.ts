import { engineOf, serversInDocker } from "../../configs/placement";
import { Settings } from "../../configs/settings";
import { Refusal } from "../../machine/refusal";
import { EngineAccess, EngineUnreachable, engineName, withEngine } from "./engine";

/**
 * Servers whose settings name no engine are on the one that the environment named when they were made. Another engine
 * has none of them: it would get a second, empty hub, and what the first holds would be forgotten.
 */

/** The address of the engine that settings name by saying nothing. */
export const unnamedEngine = (): string => engineName({});

/** Errors: a Refusal when the environment names another engine than the one that has the stack's containers. */
export function refuseOtherEngine(engine: string | undefined): void {
  const now = unnamedEngine();
  if (engine === undefined || engine === now) return;
  throw new Refusal(
    `this stack's containers are on the Docker engine ${engine}, but DOCKER_HOST (set or unset) now names ${now}; ` +
      "set it as before, or name the engine of each server in its setting 'engine'",
  );
}

/** Why the engine cannot be reached; undefined when it answers. */
export async function absence(engine: EngineAccess): Promise<string | undefined> {
  try {
    await withEngine(engine, (docker) => docker.ping());
    return undefined;
  } catch (error) {
    return error instanceof EngineUnreachable ? error.message : undefined;
  }
}

/** An engine that cannot be reached, and the servers that the settings have on it. */
export interface Unreached {
  readonly reason: string;
  readonly servers: string[];
}

/** Asks every engine of the settings, all at once. */
export async function unreachedEngines(settings: Settings): Promise<Unreached[]> {
  const byEngine = new Map<string, { engine: EngineAccess; servers: string[] }>();
  for (const server of serversInDocker(settings)) {
    const engine = engineOf(server);
    const known = byEngine.get(engine.url ?? "") ?? { engine, servers: [] };
    byEngine.set(engine.url ?? "", { ...known, servers: [...known.servers, server.name] });
  }
  const asked = await Promise.all(
    [...byEngine.values()].map(async ({ engine, servers }) => ({ reason: await absence(engine), servers })),
  );
  return asked.flatMap(({ reason, servers }) => (reason === undefined ? [] : [{ reason, servers }]));
}
