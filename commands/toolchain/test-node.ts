import * as path from "node:path";
import { isExecutable, pulumiHome } from "../../machine/locate";
import { run } from "../../machine/run";
import { inScratchFolder, putInPlace, type Part } from "./part";
import versions from "../../machine/versions.json";

// The Node.js releases that a fleet is deployed with in a test, beside the one that runs the tests: package.json promises
// all of them. npm has the binaries, for each platform as a package.

export type NodeRelease = keyof typeof versions.testTools.node;

export const NODE_RELEASES = Object.keys(versions.testTools.node) as NodeRelease[];

const runs = (release: NodeRelease): boolean => process.versions.node.startsWith(`${release}.`);

/** The releases that have to be got. */
export const OTHER_RELEASES: readonly NodeRelease[] = NODE_RELEASES.filter((release) => !runs(release));

const placeOf = (release: NodeRelease, env: NodeJS.ProcessEnv): string =>
  path.join(pulumiHome(env), "node", versions.testTools.node[release], "node");

/** Where this release's `node` is; undefined when it was never got. */
export function findNode(release: NodeRelease, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (runs(release)) return process.execPath;
  return isExecutable(placeOf(release, env)) ? placeOf(release, env) : undefined;
}

export const nodePart = (release: NodeRelease, env: NodeJS.ProcessEnv): Part => {
  const version = versions.testTools.node[release];
  return {
    name: `node ${version}`,
    find: () => Promise.resolve(findNode(release, env)),
    ways: [
      {
        what: "npm package",
        run: () =>
          inScratchFolder(pulumiHome(env), async (scratch) => {
            const name = `node-${process.platform}-${process.arch}@${version}`;
            const packed = await run("npm", ["pack", "--silent", "--pack-destination", scratch, name], { env });
            await run("tar", ["-xzf", path.join(scratch, packed.trim()), "-C", scratch, "package/bin/node"]);
            putInPlace(path.join(scratch, "package/bin/node"), placeOf(release, env));
          }),
      },
    ],
    cure: "check that the npm registry can be reached, and run 'make test-tools' again",
  };
};
