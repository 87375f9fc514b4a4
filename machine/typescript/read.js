// Lets Node.js read this package's TypeScript, types unchecked. A plain JavaScript file, because nothing can read TypeScript
// before it ran. Not ts-node: it loads the whole TypeScript compiler first, 0.16 s of every preview and every update.
// What was translated is kept in Pulumi's home by its content: translating takes a tenth of a run in which nothing changes.
const { createHash } = require("node:crypto");
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const Module = require("node:module");
const { homedir } = require("node:os");
const { dirname, join, sep } = require("node:path");
const { version } = require("@swc/core/package.json");

const options = {
  jsc: { parser: { syntax: "typescript" }, target: "es2022" },
  module: { type: "commonjs" },
  swcrc: false,
};

const { NATS_HUB_LEAF_PULUMI_HOME, PULUMI_HOME, NATS_HUB_LEAF_PLAIN_SDK } = process.env;
const home = NATS_HUB_LEAF_PULUMI_HOME || PULUMI_HOME || join(homedir(), ".pulumi");
const folder = join(home, "nats-hub-leaf", "translated");
const isPlain = NATS_HUB_LEAF_PLAIN_SDK === "1";
const KEPT_MS = 30 * 24 * 3600 * 1000;
let isTidied = false;

/** The JavaScript of a file's TypeScript. */
function translated(code, filename) {
  const translate = () => require("@swc/core").transformSync(code, { ...options, filename }).code;
  if (isPlain) return translate();
  const key = createHash("sha256")
    .update(`${version}\n${JSON.stringify(options)}\n${code}`)
    .digest("hex");
  const file = join(folder, key);
  try {
    return checked(readFileSync(file, "utf8"));
  } catch {
    const text = translate();
    remember(file, text);
    return text;
  }
}

/** A text with its digest before it: a disk that was full may have left half of one. */
const sealed = (text) => `${createHash("sha256").update(text).digest("hex")}\n${text}`;

function checked(stored) {
  const text = stored.slice(stored.indexOf("\n") + 1);
  if (stored !== sealed(text)) throw new Error("not as it was written");
  return text;
}

/** Where nothing can be written, it is translated again the next time. No home is made for it. */
function remember(file, text) {
  if (!existsSync(home)) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const mine = `${file}.${process.pid}`;
    writeFileSync(mine, sealed(text), { mode: 0o600 });
    renameSync(mine, file);
    if (isTidied) return;
    isTidied = true;
    for (const name of readdirSync(folder)) {
      const other = join(folder, name);
      if (Date.now() - statSync(other).mtimeMs > KEPT_MS) rmSync(other, { force: true });
    }
  } catch {
    // A full disk, or a home that is read only.
  }
}

const root = dirname(dirname(__dirname)) + sep;

const isOwn = (file) => file.startsWith(root) && !file.slice(root.length).startsWith("node_modules");
const before = Module._extensions[".ts"];
const others = before ?? Module._extensions[".js"];

// This package's own files only, wherever it is installed.
if (before === undefined || !isPlain)
  Module._extensions[".ts"] = (module, file) =>
    isOwn(file) ? module._compile(translated(readFileSync(file, "utf8"), file), file) : others(module, file);
