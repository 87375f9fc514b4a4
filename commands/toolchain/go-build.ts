import * as path from "node:path";
import { run, RunError } from "../../machine/run";

/** A program that one of the small modules in commands/toolchain/go pins, with go.sum, to an exact version. */
export interface GoProgram {
  /** The folder in commands/toolchain/go with go.mod and go.sum. */
  readonly module: string;
  /** The import path of the program. */
  readonly program: string;
  /** A variable that the linker sets, "import/path.Name=value": the version, where a release build sets it so. */
  readonly linkerVariable?: string;
}

/** Older ones cannot read the `go` line of a go.mod that asks for a newer Go, and so cannot fetch that one. */
const OLDEST_GO = [1, 21] as const;

/**
 * Builds a program from the Go module proxy's sources into the file `output`. The go.sum in the repository, and through
 * it the Go checksum database, vouches for every source.
 */
export async function goBuild(what: GoProgram, output: string): Promise<void> {
  await requireGo();
  const linkerFlags = ["-s", "-w", ...(what.linkerVariable ? ["-X", what.linkerVariable] : [])].join(" ");
  await run(
    "go",
    // -mod: a GOFLAGS that lets Go change go.mod would undo the pin. -buildvcs: the folder's git state is beside the point.
    ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", linkerFlags, "-o", output, what.program],
    { cwd: path.join(__dirname, "go", what.module), env: goEnvironment() },
  );
}

function goEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // Static: the same nats-server goes into an image that has no C library.
    CGO_ENABLED: "0",
    GOWORK: "off",
    // Some distributions forbid their Go to fetch the newer one that a module asks for; the user's own word counts.
    GOTOOLCHAIN: process.env.GOTOOLCHAIN || "auto",
  };
}

async function requireGo(): Promise<void> {
  let version: string;
  try {
    version = (await run("go", ["env", "GOVERSION"])).trim();
  } catch (error) {
    if (error instanceof RunError) throw new Error("Go was not found on PATH");
    throw error;
  }
  if (!isGoAtLeast(version, OLDEST_GO)) {
    throw new Error(`${version} is too old: Go ${OLDEST_GO.join(".")} is the oldest that can fetch the Go it needs`);
  }
}

/** Whether `go env GOVERSION` ("go1.26.8", "go1.27-devel …") names this release or a newer one. */
export function isGoAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const match = /go(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const have = { major: Number(match[1]), minor: Number(match[2]) };
  return have.major > major || (have.major === major && have.minor >= minor);
}
