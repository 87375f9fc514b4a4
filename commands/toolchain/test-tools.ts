import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { goBuild } from "./go-build";
import { isExecutable, onPath, pulumiHome } from "../../machine/locate";
import { ensureParts, inScratchFolder, putInPlace, type Part } from "./part";
import { sayOnTerminal, type Say } from "../../machine/progress";
import { OTHER_RELEASES, nodePart } from "./test-node";
import { fetchArchive, machine, type PublishedArchive } from "./release";
import { run } from "../../machine/run";
import { isAtLeast, versionIn } from "../../machine/version";
import versions from "../../machine/versions.json";

// `make test-tools`: the programs of others that the tests use what this program writes with, and that check its workflows.
// The program itself needs none of them. They lie in the Pulumi home like the rest of the toolchain.
//   ts-node commands/toolchain/test-tools.ts [tool …]

export type ToolName = "nats" | "prometheus-nats-exporter" | "actionlint";

interface Tool {
  readonly binary: ToolName;
  readonly version: string;
  readonly goModule: string;
  readonly program: string;
  /** The variable that a build sets to the version. */
  readonly versionVariable: string;
  readonly sayVersion: string;
  readonly published: () => PublishedArchive;
  /** What takes the program out of the archive. */
  readonly unpack: (archive: string, folder: string) => readonly [program: string, ...args: string[]];
}

const releasesOf = (project: string, version: string): string =>
  `https://github.com/nats-io/${project}/releases/download/v${version}`;

const { natsCli, natsExporter, actionlint } = versions.testTools;

const TOOLS: readonly Tool[] = [
  {
    binary: "nats",
    version: natsCli,
    goModule: "nats-cli",
    program: "github.com/nats-io/natscli/nats",
    versionVariable: "main.version",
    sayVersion: "--version",
    published: () => ({
      releases: releasesOf("natscli", natsCli),
      sums: "SHA256SUMS",
      archive: `nats-${natsCli}-${machine().join("-")}.zip`,
    }),
    unpack: (archive, folder) => ["unzip", "-q", "-o", "-j", archive, "*/nats", "-d", folder],
  },
  {
    binary: "prometheus-nats-exporter",
    version: natsExporter,
    goModule: "nats-exporter",
    program: "github.com/nats-io/prometheus-nats-exporter",
    versionVariable: "main.version",
    sayVersion: "-version",
    published: () => ({
      releases: releasesOf("prometheus-nats-exporter", natsExporter),
      sums: "checksums.txt",
      archive: `prometheus-nats-exporter-v${natsExporter}-${machine().join("-").replace("amd64", "x86_64")}.tar.gz`,
    }),
    unpack: (archive, folder) => ["tar", "-xzf", archive, "-C", folder],
  },
  {
    binary: "actionlint",
    version: actionlint,
    goModule: "actionlint",
    program: "github.com/rhysd/actionlint/cmd/actionlint",
    versionVariable: "github.com/rhysd/actionlint.version",
    sayVersion: "-version",
    published: () => ({
      releases: `https://github.com/rhysd/actionlint/releases/download/v${actionlint}`,
      sums: `actionlint_${actionlint}_checksums.txt`,
      archive: `actionlint_${actionlint}_${machine().join("_")}.tar.gz`,
    }),
    unpack: (archive, folder) => ["tar", "-xzf", archive, "-C", folder, "actionlint"],
  },
];

const placeOf = ({ binary, version }: Tool, env: NodeJS.ProcessEnv): string =>
  path.join(pulumiHome(env), binary, version, binary);

/** What the program says of itself; empty when it cannot be run. */
const versionOf = ({ sayVersion }: Tool, binary: string): string => {
  const { stdout, stderr } = spawnSync(binary, [sayVersion], { encoding: "utf8" });
  return versionIn(`${stdout}${stderr}`) ?? "";
};

/** The first on PATH that is new enough, else the pinned one; undefined when there is none. */
function find(tool: Tool, env: NodeJS.ProcessEnv): string | undefined {
  for (const candidate of onPath(tool.binary, env)) {
    if (isAtLeast(versionOf(tool, candidate), tool.version)) return candidate;
  }
  return isExecutable(placeOf(tool, env)) ? placeOf(tool, env) : undefined;
}

async function intoPlace(tool: Tool, env: NodeJS.ProcessEnv, make: (finished: string) => Promise<void>): Promise<void> {
  await inScratchFolder(pulumiHome(env), async (scratch) => {
    const finished = path.join(scratch, tool.binary);
    await make(finished);
    const version = versionOf(tool, finished);
    if (version !== tool.version) throw new Error(`it says it is version '${version}', not ${tool.version}`);
    putInPlace(finished, placeOf(tool, env));
  });
}

const partOf = (tool: Tool, env: NodeJS.ProcessEnv): Part => ({
  name: `${tool.binary} ${tool.version}`,
  find: () => Promise.resolve(find(tool, env)),
  ways: [
    {
      what: "download",
      run: () =>
        intoPlace(tool, env, async (finished) => {
          const folder = path.dirname(finished);
          const [program, ...args] = tool.unpack(await fetchArchive(tool.published(), folder), folder);
          await run(program, args);
        }),
    },
    {
      what: "build with Go (about a minute on two cores)",
      run: () =>
        intoPlace(tool, env, (finished) => {
          const { goModule: module, program, version, versionVariable } = tool;
          return goBuild({ module, program, linkerVariable: `${versionVariable}=${version}` }, finished);
        }),
    },
  ],
  cure: `install Go (any from 1.21 on) and run 'make test-tools' again, or put ${tool.binary} ${tool.version} or newer on PATH`,
});

/** Where the tool is; undefined when it was never got. */
export function findTool(name: ToolName, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const tool = TOOLS.find(({ binary }) => binary === name);
  return tool === undefined ? undefined : find(tool, env);
}

/** Gets those that are missing. Errors: a Refusal when a tool is not available. */
export const ensureTestTools = (
  names: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  say: Say = sayOnTerminal,
): Promise<string[]> =>
  ensureParts(
    pulumiHome(env),
    [
      ...TOOLS.filter(({ binary }) => names.length === 0 || names.includes(binary)).map((tool) => partOf(tool, env)),
      ...(names.length === 0 ? OTHER_RELEASES.map((release) => nodePart(release, env)) : []),
    ],
    say,
  );

if (require.main === module) {
  ensureTestTools(process.argv.slice(2)).then(
    (places) => places.forEach((place) => console.log(place)),
    (error: unknown) => {
      sayOnTerminal(error instanceof Error ? error.message : String(error));
      // Elsewhere the tests that need them are skipped, and say so.
      process.exitCode = process.env.CI === "true" ? 1 : 0;
    },
  );
}
