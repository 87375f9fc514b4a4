import { coerce, gte, valid } from "semver";

/** Three numbers of a release, with a pre-release after them ("2.15.0-RC.1"). */
const RELEASE = /\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?/;

/** The first version number in a program's own words ("nats-server: v2.15.2"), or undefined. */
export const versionIn = (text: string): string | undefined => RELEASE.exec(text)?.[0];

/**
 * Whether `version` is `minimum` or newer; a pre-release is older than its release. False for a text that is not a
 * version number.
 */
export const isAtLeast = (version: string, minimum: string): boolean =>
  valid(version) !== null && valid(minimum) !== null && gte(version, minimum);

/** The minor release of a version, of which the first two numbers are enough ("2.16"). */
const minorOf = (version: string): string => coerce(/^v?\d+\.\d+/.exec(version)?.[0])?.version ?? "";

/** Whether `version` is of a later minor release than `other`. False for a text that is not a version number. */
export const isLaterMinor = (version: string, other: string): boolean =>
  !isAtLeast(minorOf(other), minorOf(version)) && isAtLeast(minorOf(version), minorOf(other));
