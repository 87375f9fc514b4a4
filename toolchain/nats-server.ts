import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { goBuild } from "./go-build";
import { isExecutable, natsServerBinary, onPath, pulumiHome } from "./locate";
import { inScratchFolder, putInPlace, type Part } from "./part";
import { run } from "./run";
import { isAtLeast, versionIn } from "./version";
import versions from "./versions.json";

const { version: VERSION, minimum: MINIMUM } = versions.natsServer;

/** Where the project publishes its releases: archives and their SHA256SUMS. */
const RELEASES = `https://github.com/nats-io/nats-server/releases/download/v${VERSION}`;

/** Where the network is closed, waiting is all that a longer time would bring. */
const CONNECT_TIMEOUT_MS = 15_000;
const ARCHIVE_TIMEOUT_MS = 300_000;

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

/** The first on PATH that is new enough, else the pinned one: providers/nats-server-binary.ts looks in the same order. */
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
  const archiveName = `nats-server-v${VERSION}-${platform()}.tar.gz`;
  await intoPlace(env, async (finished) => {
    const sums = (await fetchFile(`${releases}/SHA256SUMS`, CONNECT_TIMEOUT_MS)).toString("utf8");
    const published = publishedSum(sums, archiveName);
    if (published === undefined) throw new Error(`the release's SHA256SUMS has no line for ${archiveName}`);

    const archive = await fetchFile(`${releases}/${archiveName}`, ARCHIVE_TIMEOUT_MS);
    const actual = createHash("sha256").update(archive).digest("hex");
    if (actual !== published) {
      throw new Error(`${archiveName} has SHA-256 ${actual}, published is ${published}; it was not used`);
    }
    const scratch = path.dirname(finished);
    const archiveFile = path.join(scratch, archiveName);
    fs.writeFileSync(archiveFile, archive);
    await run("tar", ["-xzf", archiveFile, "-C", scratch, "--strip-components=1"]);
  });
}

/** The checksum of one file in the form that sha256sum writes: "<hex>  <name>". */
export function publishedSum(sums: string, fileName: string): string | undefined {
  for (const line of sums.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === fileName && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  return undefined;
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

/** The operating system and processor as the release's archives name them. */
function platform(): string {
  const system = { linux: "linux", darwin: "darwin" }[process.platform as string];
  const processor = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  if (system === undefined || processor === undefined) {
    throw new Error(`there is no release archive for ${process.platform} on ${process.arch}`);
  }
  return `${system}-${processor}`;
}

async function fetchFile(url: string, timeoutMs: number): Promise<Buffer> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Error(`${url}: not reachable (${cause})`);
  }
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}
