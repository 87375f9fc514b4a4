import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Trust } from "./trust";

/**
 * Configuration files with a known verdict, for `check-config`: one text file a case, under test/cases/files.
 *
 *   what: what the files are; for a mistake, what is wrong
 *   real: what real servers do with the files
 *   right: error leaf.conf          (see `Right`; or: good)
 *   about: a word that a right explanation contains
 *   env: NAME=value                 (zero or more lines, for the environment of the command)
 *   -- hub.conf --                  (a file of the case; its path may have folders)
 *   text of the file
 *
 * A line of the head that is indented continues the line before it. `Trust` lists the placeholders of the text.
 */
export interface Case {
  /** The name of the case's file, without its ending. */
  kind: string;
  what: string;
  real: string;
  right: Right;
  /** Words of a right explanation; one of them is enough. Empty for a good case. */
  about: string[];
  /** With placeholders; `environmentOf` fills them. */
  env: Record<string, string>;
  /** With placeholders; `writeCase` fills them. */
  files: CaseFile[];
  /** The keys behind the placeholders. */
  trust: Trust;
}

/** What a right verdict says. */
export type Right =
  | { verdict: "good" }
  | {
      verdict: "error" | "warning";
      /** A finding of that severity, or an error in reading, must be at one of these files. */
      files: string[];
    };

export interface CaseFile {
  path: string;
  text: string;
}

const FOLDER = join(__dirname, "../../cases/files");

/** All cases of a class, by their names. */
export const casesOf = (kind: "good" | "mistakes"): Case[] => casesIn(join(FOLDER, kind), loadCase);

export const casesIn = <T>(folder: string, load: (file: string) => T): T[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .map((name) => load(join(folder, name)));

/** A text file in the form of a case. */
export interface CaseText {
  /** What every case has, whatever is judged. */
  common: Pick<Case, "kind" | "what" | "real" | "about" | "files" | "trust">;
  /** The values of a key of the head, in order. */
  all(key: string): string[];
  /** The value of a key. Throws when it does not stand there once. */
  only(key: string): string;
}

/** Throws when the file is not in the form of a case, or its head has other keys than these. */
export function readCase(file: string, keys: readonly string[]): CaseText {
  const [head = "", ...parts] = readFileSync(file, "utf8").split(/^-- (\S+) --\n/m);
  const files: CaseFile[] = [];
  for (let i = 0; i < parts.length; i += 2) files.push({ path: parts[i]!, text: parts[i + 1]! });
  const entries = head
    .replace(/\n[ \t]+/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, key, value] = /^([a-z]+):\s*(.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) throw new Error(`${file}: '${line}' is not 'key: value'`);
      return { key, value: value.trim() };
    });
  const unknown = entries.find(({ key }) => !keys.includes(key));
  if (unknown !== undefined) throw new Error(`${file}: unknown key '${unknown.key}'`);
  const all = (key: string): string[] => entries.filter((one) => one.key === key).map(({ value }) => value);
  const only = (key: string): string => {
    const [value, ...more] = all(key);
    if (value === undefined || more.length > 0) throw new Error(`${file}: '${key}:' must stand there once`);
    return value;
  };
  const common = {
    kind: basename(file, ".txt"),
    what: only("what"),
    real: only("real"),
    about: all("about"),
    files,
    trust: new Trust(),
  };
  return { all, only, common };
}

/** Throws when the file is not in the form of a case. */
export function loadCase(file: string): Case {
  const { all, only, common } = readCase(file, ["what", "real", "right", "about", "env"]);
  const right = readRight(only("right"), common.files);
  if (right === undefined) throw new Error(`${file}: '${only("right")}' is no verdict on files of this case`);
  return { ...common, right, env: Object.fromEntries(all("env").map((line) => splitOnce(line, "="))) };
}

function readRight(text: string, files: readonly CaseFile[]): Right | undefined {
  const [verdict, ...at] = text.split(/\s+/);
  if (verdict === "good") return at.length === 0 ? { verdict } : undefined;
  if (verdict !== "error" && verdict !== "warning") return undefined;
  const known = at.length > 0 && at.every((path) => files.some((file) => file.path === path));
  return known ? { verdict, files: at } : undefined;
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  if (at < 1) throw new Error(`'${text}' has no '${by}'`);
  return [text.slice(0, at), text.slice(at + by.length)];
}

/** Whether the command is called with this file; the others are only included or named. */
const isGiven = ({ path }: CaseFile): boolean => /^[^_/][^/]*\.(conf|json)$/.test(path);

/** Writes the files of a case into a folder, and returns the paths of the files to call the command with. */
export async function writeCase({ files, trust }: Case, folder: string): Promise<string[]> {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), await trust.fill(text), { mode: 0o600 });
  }
  return files.filter(isGiven).map(({ path }) => join(folder, path));
}

/** The variables that the command needs beside its own environment. */
export async function environmentOf({ env, trust }: Case): Promise<Record<string, string>> {
  const filled = Object.entries(env).map(async ([name, value]) => [name, await trust.fill(value)] as const);
  return Object.fromEntries(await Promise.all(filled));
}
