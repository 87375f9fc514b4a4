import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { goBuild } from "../../../commands/toolchain/go-build";
import { pulumiHome } from "../../../machine/locate";
import { inScratchFolder, putInPlace } from "../../../commands/toolchain/part";
import { until } from "../until";

/** A place for states outside of any checkout: a bucket of an S3-compatible server, or where there is none a folder. */
export interface SharedState {
  readonly what: string;
  readonly url: string;
  /** What the Pulumi CLI needs to reach it. */
  readonly env: NodeJS.ProcessEnv;
  /** The names of what it holds. */
  files(): Promise<string[]>;
  close(): void;
}

const BUCKET = "state";
const VERSION = "1.2.0";

/** The server, built once; undefined with the reason where it is not available. */
async function s3Server(): Promise<{ binary: string } | { reason: string }> {
  const binary = path.join(pulumiHome(), "gofakes3", VERSION, "gofakes3");
  if (fs.existsSync(binary)) return { binary };
  try {
    await inScratchFolder(pulumiHome(), async (scratch) => {
      const finished = path.join(scratch, "gofakes3");
      const program = "github.com/johannesboyne/gofakes3/cmd/gofakes3";
      await goBuild({ module: "gofakes3", program }, finished);
      putInPlace(finished, binary);
    });
    return { binary };
  } catch (error) {
    return { reason: (error as Error).message.split("\n")[0] ?? "" };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function sharedState(): Promise<SharedState> {
  const server = await s3Server();
  if ("binary" in server) return await inBucket(server.binary);
  if (process.env.CI === "true") throw new Error(`the S3-compatible server is not available: ${server.reason}`);
  return inFolder(server.reason);
}

async function inBucket(binary: string): Promise<SharedState> {
  const host = `127.0.0.1:${await freePort()}`;
  const child: ChildProcess = spawn(binary, ["-backend", "mem", "-host", host, "-initialbucket", BUCKET], {
    stdio: "ignore",
  });
  const list = async (): Promise<string[]> => {
    const response = await fetch(`http://${host}/${BUCKET}?list-type=2`);
    return [...(await response.text()).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
  };
  try {
    await until("the S3-compatible server answers", async () => (await list()).length === 0);
  } catch (error) {
    child.kill();
    throw error;
  }
  return {
    what: "a bucket of an S3-compatible server",
    url: `s3://${BUCKET}?endpoint=http://${host}&s3ForcePathStyle=true&region=us-east-1`,
    env: { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "nothing" },
    files: list,
    close: () => void child.kill(),
  };
}

function inFolder(reason: string): SharedState {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "nhl-shared-state-"));
  return {
    what: `a shared folder, for an S3-compatible server is not available (${reason})`,
    url: `file://${folder}`,
    env: {},
    files: () => Promise.resolve(fs.readdirSync(folder, { recursive: true, encoding: "utf8" })),
    close: () => fs.rmSync(folder, { recursive: true }),
  };
}
