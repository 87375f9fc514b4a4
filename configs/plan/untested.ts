import { isLaterMinor } from "../../machine/version";
import { natsServer } from "../../machine/versions.json";
import { versionOfImage } from "../container";
import { hasContainers, hasProcesses } from "../placement";
import { Settings } from "../settings";

/** Servers of a later release than this program was tested with: they are used, and reported once. */

const [MAJOR, MINOR] = natsServer.version.split(".");
const TESTED = `${MAJOR}.${MINOR}`;

const words = (server: string, cure: string): string =>
  `${server}, newer than ${TESTED}, the latest that this program was tested with; update this program, or ${cure}`;

/** What is said of the image, by its tag; empty when there is nothing to say. */
export function untestedImage(settings: Settings): string[] {
  const { image } = settings.docker;
  const version = versionOfImage(image);
  return version !== undefined && isLaterMinor(version, TESTED) && hasContainers(settings)
    ? [words(`docker.image: ${image} is of nats-server ${version}`, `name an image of ${TESTED}`)]
    : [];
}

/** What is said of the server that processes run; empty when there is nothing to say. */
export const untestedBinary = (settings: Settings, { path, version }: { path: string; version: string }): string[] =>
  isLaterMinor(version, TESTED) && hasProcesses(settings)
    ? [words(`natsServer: ${path} is nats-server ${version}`, `set natsServer to the path of one of ${TESTED}`)]
    : [];
