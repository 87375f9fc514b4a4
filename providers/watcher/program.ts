import { transformSync } from "@swc/core";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { digest } from "../../machine/digest";
import { makeFolder, writePrivate } from "../../machine/folders";

/**
 * The watcher's program as plain JavaScript, in the stack's folder: it starts without a compiler, which would take half of
 * its memory, and goes on unchanged while the project is edited.
 */

const ROOT = resolve(__dirname, "../..");
const ENTRY = "doctor/watch/run.ts";

/** Files by their path in the folder. */
export type Program = Readonly<Record<string, string>>;

const requireFromHere = createRequire(join(ROOT, "package.json"));

function fileOf(from: string, name: string): string {
  const path = resolve(dirname(from), name);
  const found = [path, `${path}.ts`, join(path, "index.ts")].find((one) => /\.(ts|json)$/.test(one) && existsSync(one));
  if (found === undefined) throw new Error(`${from}: requires ${name}, which is not there`);
  return found;
}

const isBuiltin = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name);

/** The entry with everything that it needs of this package; packages it finds where this one does. */
export function programOf(): Program {
  const files: Record<string, string> = {};
  const add = (file: string): void => {
    const name = relative(ROOT, file).replace(/\.ts$/, ".js");
    if (files[name] !== undefined) return;
    const source = readFileSync(file, "utf8");
    files[name] = file.endsWith(".json") ? source : "";
    if (file.endsWith(".json")) return;
    const { code } = transformSync(source, {
      jsc: { parser: { syntax: "typescript" }, target: "es2022" },
      module: { type: "commonjs" },
      swcrc: false,
    });
    files[name] = code.replace(/\brequire\("([^"]+)"\)/g, (text, required: string) => {
      if (isBuiltin(required)) return text;
      if (!required.startsWith(".")) return `require(${JSON.stringify(requireFromHere.resolve(required))})`;
      add(fileOf(file, required));
      return text;
    });
  };
  add(join(ROOT, ENTRY));
  return files;
}

/** Changes whenever the program does. */
export const programDigest = (program: Program): string => digest(program);

/** Writes the program in the place of the one that was there. */
export function writeProgram(folder: string, program: Program): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of Object.entries(program)) {
    const file = join(folder, name);
    makeFolder(dirname(file));
    writePrivate(file, text);
  }
}
