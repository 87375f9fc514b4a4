import { Refusal } from "../refusal";
import { engineName } from "./engine";

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
    `this stack's containers are on the Docker engine ${engine}, and DOCKER_HOST (or its absence) now names ${now}; ` +
      "set it as it was, or name the engine of each server in its setting 'engine'",
  );
}
