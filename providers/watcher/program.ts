import { transformSync } from "@swc/core";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import type { Program } from "../../servers/watch/program-files";

/**
 * The watcher's program as plain JavaScript, in the stack's folder: it starts without a compiler, which would take half of
 * its memory, and goes on unchanged while the project is edited.
 */

const ROOT = resolve(__dirname, "../..");
const ENTRY = "doctor/watch/run.ts";

const requireFromHere = createRequire(join(ROOT, "package.json"));

function fileOf(from: string, name: string): string {
  const path = resolve(dirname(from), name);
  const found = [path, `${path}.ts`, join(path, "index.ts")].find((one) => /\.(ts|json)$/.test(one) && existsSync(one));
  if (found === undefined) throw new Error(`${from}: requires ${name}, which is not there`);
  return found;
}

const isBuiltin = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name);

/**
 * The entry with everything that it needs of this package. Other packages it finds where this one does; `withPackages`
 * they are among the files, for a machine that has none of them.
 */
export function programOf({ withPackages = false } = {}): Program {
  const files: Record<string, string> = {};
  const packages = new Set<string>();
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
      if (!required.startsWith(".")) {
        packages.add(packageOf(required));
        return withPackages ? text : `require(${JSON.stringify(requireFromHere.resolve(required))})`;
      }
      add(fileOf(file, required));
      return text;
    });
  };
  add(join(ROOT, ENTRY));
  return withPackages ? { ...files, ...packageFiles(packages) } : files;
}

/** `@nats-io/nkeys/lib/x` -> `@nats-io/nkeys`. */
const packageOf = (required: string): string =>
  required
    .split("/")
    .slice(0, required.startsWith("@") ? 2 : 1)
    .join("/");

/** The code of the packages and of what they depend on. All lie in one folder, so each has one version here. */
function packageFiles(names: Iterable<string>): Program {
  const files: Record<string, string> = {};
  const taken = new Set<string>();
  const take = (name: string, from: string): void => {
    if (taken.has(name)) return;
    taken.add(name);
    const folder = folderOfPackage(name, from);
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }))
      if (/\.(js|cjs|json)$/.test(file) && !file.includes("node_modules"))
        files[`node_modules/${name}/${file}`] = readFileSync(join(folder, file), "utf8");
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) take(dependency, folder);
  };
  for (const name of names) take(name, ROOT);
  return files;
}

/** Where Node.js would find the package. */
function folderOfPackage(name: string, from: string): string {
  const found = createRequire(join(from, "package.json")).resolve.paths(name) ?? [];
  const folder = found.map((path) => join(path, name)).find((path) => existsSync(join(path, "package.json")));
  if (folder === undefined) throw new Error(`${from}: needs the package ${name}, which is not there`);
  return folder;
}
