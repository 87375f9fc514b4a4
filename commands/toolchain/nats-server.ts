import * as path from "node:path";
import { goBuild } from "./go-build";
import { isExecutable, natsServerBinary, onPath, pulumiHome } from "../../machine/locate";
import { inScratchFolder, putInPlace, type Part } from "./part";
import { fetchArchive, machine } from "./release";
import { run } from "../../machine/run";
import { isAtLeast, versionIn } from "../../machine/version";
import versions from "../../machine/versions.json";

const { version: VERSION, minimum: MINIMUM } = versions.natsServer;

/** Where the project publishes its releases: archives and their SHA256SUMS. */
const RELEASES = `https://github.com/nats-io/nats-server/releases/download/v${VERSION}`;

/** A nats-server that has what the program relies on. */
export function natsServer(env: NodeJS.ProcessEnv = process.env): Part {
  return {
    name: `nats-server ${VERSION}`,
    find: () => findNatsServer(env),
    ways: [
      { what: "download", run: () => downloadNatsServer(env) },
      { what: "build with Go (about a minute on two cores)", run: () => build(env) },
    ],
    cure:
      `install Go (any from 1.21 on; it fetches the release it needs) and run this again, ` +
      `or put nats-server ${MINIMUM} or newer on PATH`,
  };
}

/** The first on PATH that is new enough, else the pinned one: servers/nats-server-binary.ts looks in the same order. */
async function findNatsServer(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const candidate of onPath("nats-server", env)) {
    const version = await natsServerVersion(candidate).catch(() => "");
    if (isAtLeast(version, MINIMUM)) return candidate;
  }
  return isExecutable(natsServerBinary(env)) ? natsServerBinary(env) : undefined;
}

async function natsServerVersion(binary: string): Promise<string> {
  return versionIn(await run(binary, ["--version"])) ?? "";
}

async function build(env: NodeJS.ProcessEnv): Promise<void> {
  await intoPlace(env, (finished) =>
    goBuild({ module: "nats-server", program: "github.com/nats-io/nats-server/v2" }, finished),
  );
}

/** Takes the project's release archive for this machine, if its checksum is the published one. */
export async function downloadNatsServer(env: NodeJS.ProcessEnv = process.env, releases = RELEASES): Promise<void> {
  const archiveName = `nats-server-v${VERSION}-${machine().join("-")}.tar.gz`;
  await intoPlace(env, async (finished) => {
    const scratch = path.dirname(finished);
    const archiveFile = await fetchArchive({ releases, sums: "SHA256SUMS", archive: archiveName }, scratch);
    await run("tar", ["-xzf", archiveFile, "-C", scratch, "--strip-components=1"]);
  });
}

async function intoPlace(env: NodeJS.ProcessEnv, make: (finished: string) => Promise<void>): Promise<void> {
  await inScratchFolder(pulumiHome(env), async (scratch) => {
    const finished = path.join(scratch, "nats-server");
    await make(finished);
    const version = await natsServerVersion(finished);
    if (version !== VERSION) throw new Error(`it says it is version '${version}', not ${VERSION}`);
    putInPlace(finished, natsServerBinary(env));
  });
}
