import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

// The archives that the NATS projects publish with their releases, and the checksums that vouch for them.

/** If the network is closed, a longer timeout only makes people wait. */
const CONNECT_TIMEOUT_MS = 15_000;
const ARCHIVE_TIMEOUT_MS = 300_000;

export interface PublishedArchive {
  /** The URL of the release's files. */
  releases: string;
  /** The name of the file with the checksums of all others. */
  sums: string;
  archive: string;
}

/** Fetches an archive into the folder, if its checksum is the published one. Returns the file. */
export async function fetchArchive({ releases, sums, archive }: PublishedArchive, folder: string): Promise<string> {
  const listed = (await fetchFile(`${releases}/${sums}`, CONNECT_TIMEOUT_MS)).toString("utf8");
  const published = publishedSum(listed, archive);
  if (published === undefined) throw new Error(`the release's ${sums} has no line for ${archive}`);

  const content = await fetchFile(`${releases}/${archive}`, ARCHIVE_TIMEOUT_MS);
  const actual = createHash("sha256").update(content).digest("hex");
  if (actual !== published) {
    throw new Error(`${archive} has SHA-256 ${actual}, published is ${published}; it was not used`);
  }
  const file = path.join(folder, archive);
  fs.writeFileSync(file, content);
  return file;
}

/** The checksum of one file in the form that sha256sum writes: "<hex>  <name>". */
export function publishedSum(sums: string, fileName: string): string | undefined {
  for (const line of sums.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === fileName && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  return undefined;
}

/** This machine's operating system and processor, as Go names them. */
export function machine(): [system: string, processor: string] {
  const system = { linux: "linux", darwin: "darwin" }[process.platform as string];
  const processor = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  if (system === undefined || processor === undefined) {
    throw new Error(`there is no release archive for ${process.platform} on ${process.arch}`);
  }
  return [system, processor];
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
