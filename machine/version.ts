/** Three numbers of a release; a pre-release ("2.15.0-RC.1") counts as older than its release. */
const RELEASE = /(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?/;

/** The first version number in a program's own words ("nats-server: v2.15.2"), or undefined. */
export function versionIn(text: string): string | undefined {
  return RELEASE.exec(text)?.[0];
}

/** Whether `version` is `minimum` or newer. What is no version number at all is not. */
export function isAtLeast(version: string, minimum: string): boolean {
  const have = parse(version);
  const want = parse(minimum);
  if (have === undefined || want === undefined) return false;
  for (const [index, wanted] of want.entries()) {
    const difference = (have[index] ?? 0) - wanted;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function parse(version: string): number[] | undefined {
  const match = RELEASE.exec(version);
  if (match === null) return undefined;
  const [, major, minor, patch, preRelease] = match;
  return [Number(major), Number(minor), Number(patch), preRelease === undefined ? 1 : 0];
}
