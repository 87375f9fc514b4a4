import * as fs from "node:fs";
import * as path from "node:path";
import { goBuild } from "./go-build";
import {
  isExecutable,
  onPath,
  PULUMI_EXECUTABLES,
  pulumiBinary,
  pulumiBinFolder,
  pulumiHome,
} from "../../machine/locate";
import { inScratchFolder, putInPlace, type Part } from "./part";
import { run } from "../../machine/run";
import { isAtLeast, versionIn } from "../../machine/version";
import versions from "../../machine/versions.json";

type Executable = (typeof PULUMI_EXECUTABLES)[number];

/** The Pulumi CLI with its Node language host and its host of dynamic providers. */
export function pulumiCli(env: NodeJS.ProcessEnv = process.env, launcher = "pulumi/run.js"): Part {
  return {
    name: `Pulumi CLI ${versions.pulumiCli}`,
    find: () => findPulumi(env),
    ways: [
      { what: "download", run: () => download(env, require.resolve(launcher)) },
      { what: "build with Go (about 4 minutes on two cores)", run: () => build(env) },
    ],
    cure:
      `install Go (any from 1.21 on; it fetches the release it needs) and run this again, ` +
      `or put a complete Pulumi ${versions.pulumiCli} or newer on PATH`,
  };
}

/**
 * The one in the Pulumi home first: it is the one that `npx pulumi` runs. On PATH only a complete installation counts,
 * and one as new as the SDK: a `pulumi` alone, such as npm's launcher, would go and download.
 */
async function findPulumi(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (isComplete(pulumiBinFolder(env))) return pulumiBinary(env);
  for (const candidate of onPath("pulumi", env)) {
    if (!isComplete(path.dirname(fs.realpathSync(candidate)))) continue;
    const version = await pulumiVersion(candidate).catch(() => "");
    if (isAtLeast(version, versions.pulumiCli)) return candidate;
  }
  return undefined;
}

function isComplete(folder: string): boolean {
  return PULUMI_EXECUTABLES.every((name) => isExecutable(path.join(folder, name)));
}

async function pulumiVersion(binary: string): Promise<string> {
  const printed = await run(binary, ["version"], { env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } });
  return versionIn(printed) ?? "";
}

/**
 * Lets npm's launcher download the official release into a scratch Pulumi home, then moves what came to its place: what
 * an interrupted download leaves would otherwise pass for the CLI.
 */
async function download(env: NodeJS.ProcessEnv, launcher: string): Promise<void> {
  const home = pulumiHome(env);
  await inScratchFolder(home, async (scratch) => {
    await run(process.execPath, [launcher, "version"], {
      env: {
        ...process.env,
        PULUMI_HOME: scratch,
        PULUMI_VERSION: versions.pulumiCli,
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
    const arrived = pulumiBinFolder({ PULUMI_HOME: scratch });
    if (!isComplete(arrived)) throw new Error("the download lacks the language host for Node or the CLI itself");
    await requireVersion(path.join(arrived, "pulumi"));
    // The CLI itself last: where it is, the rest is.
    const names = fs.readdirSync(arrived).filter((name) => name !== "pulumi");
    for (const name of [...names, "pulumi"])
      putInPlace(path.join(arrived, name), path.join(pulumiBinFolder(env), name));
  });
}

/**
 * Builds what is missing, piece by piece, the CLI last. The language host is the newest that exists as a Go module: older
 * than the CLI and the SDK. It has no resource hooks and no plugin folders for Node; the program uses neither.
 */
async function build(env: NodeJS.ProcessEnv): Promise<void> {
  const builders: readonly [Executable, (output: string) => Promise<void>][] = [
    ["pulumi-resource-pulumi-nodejs", copyDynamicProviderHost],
    ["pulumi-language-nodejs", buildLanguageHost],
    ["pulumi", buildCli],
  ];
  for (const [name, make] of builders) {
    const place = path.join(pulumiBinFolder(env), name);
    if (isExecutable(place)) continue;
    await inScratchFolder(pulumiHome(env), async (scratch) => {
      const finished = path.join(scratch, name);
      await make(finished);
      putInPlace(finished, place);
    });
  }
}

/** A few lines of shell that the npm package of the SDK brings for this very purpose. */
async function copyDynamicProviderHost(output: string): Promise<void> {
  const sdk = path.dirname(require.resolve("@pulumi/pulumi/package.json"));
  await fs.promises.copyFile(path.join(sdk, "pulumi-resource-pulumi-nodejs"), output);
}

function buildLanguageHost(output: string): Promise<void> {
  return goBuild(
    { module: "language-nodejs", program: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs" },
    output,
  );
}

async function buildCli(output: string): Promise<void> {
  await goBuild(
    {
      module: "pulumi",
      program: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      linkerVariable: `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${versions.pulumiCli}`,
    },
    output,
  );
  await requireVersion(output);
}

async function requireVersion(binary: string): Promise<void> {
  const version = await pulumiVersion(binary);
  if (version !== versions.pulumiCli) {
    throw new Error(`it says it is version '${version}', not ${versions.pulumiCli}`);
  }
}
