import { DockerHost } from "./docker-host";
import { ProcessHost } from "./process-host";
import type { Place, ServerHost } from "./server-host";

/** The host of a place. */
export function hostOf(place: Place): ServerHost {
  switch (place.kind) {
    case "process":
      return new ProcessHost(place);
    case "docker":
      return new DockerHost(place);
    default:
      return neverPlace(place);
  }
}

function neverPlace(place: never): never {
  throw new Error(`there is no place ${JSON.stringify(place)}`);
}
