// Keeps what Node compiles, and what swc makes of TypeScript, in node_modules/.cache: the tests start hundreds of Node
// processes, which would each compile the same modules again. Mocha loads this file first (.mocharc.json), and NODE_OPTIONS
// passes it on. A key is the digest of a file's text, so an edited file is compiled again. NATS_HUB_LEAF_COMPILE_CACHE=0
// switches it off.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

const FOLDER = path.join(__dirname, "../../node_modules/.cache/nats-hub-leaf");

/** What is shorter is compiled faster than a file is read. */
const LEAST_CHARACTERS = 500;

/** A script from kept data does not know how to import at run time. The compiler only has the words, in its messages. */
const importsAtRunTime = (content, filename) =>
  /\bimport\s*\(/.test(content) && !/[\\/]typescript[\\/]lib[\\/]typescript\.js$/.test(filename);

const canBeKept = (content, filename, format) =>
  (format === undefined || format === "commonjs") &&
  content.length >= LEAST_CHARACTERS &&
  !importsAtRunTime(content, filename);

const digestOf = (...texts) => {
  const hash = createHash("sha1");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex");
};

/** Undefined when nothing is kept there. */
function kept(name) {
  try {
    return fs.readFileSync(path.join(FOLDER, name));
  } catch {
    return undefined;
  }
}

/** Other processes keep the same at the same time, and any of them may be killed: a file is there in one move. */
function keep(name, bytes) {
  const unfinished = path.join(FOLDER, `${name}.${process.pid}`);
  try {
    fs.writeFileSync(unfinished, bytes);
    fs.renameSync(unfinished, path.join(FOLDER, name));
  } catch {
    // A full disk, a folder of another user: the next process compiles it again.
    fs.rmSync(unfinished, { force: true });
  }
}

function requireOf(module) {
  const require = (id) => module.require(id);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

const compile = Module.prototype._compile;

function compileKept(content, filename, format) {
  if (!canBeKept(content, filename, format)) return compile.call(this, content, filename, format);
  // V8 uses only what the same version with the same flags has made; the SDK sets a flag while it is loaded.
  const name = digestOf(content, `${v8.cachedDataVersionTag()}`);
  const cachedData = kept(name);
  let script;
  try {
    script = new vm.Script(Module.wrap(content.replace(/^#!.*/, "")), { filename, cachedData });
  } catch {
    // An ES module in a file of the other kind: Node itself knows what to do, or what to say.
    return compile.call(this, content, filename, format);
  }
  const run = script.runInThisContext();
  const result = run.call(this.exports, this.exports, requireOf(this), this, filename, path.dirname(filename));
  // After the run: what it called is compiled by now, and is kept too.
  if (cachedData === undefined || script.cachedDataRejected) keep(name, script.createCachedData());
  return result;
}

/** swc, which is loaded only for a text that is not kept. */
function lazySwc(load) {
  const { version } = load("@swc/core/package.json");
  const transformSync = (code, options) => {
    const { filename = "", ...others } = options;
    const name = `${digestOf(code, version, JSON.stringify(others), path.extname(filename))}.json`;
    const before = kept(name);
    if (before !== undefined) return JSON.parse(before);
    const made = load("@swc/core").transformSync(code, options);
    keep(name, JSON.stringify(made));
    return made;
  };
  return new Proxy({}, { get: (_, name) => (name === "transformSync" ? transformSync : load("@swc/core")[name]) });
}

function begin() {
  // Without the folder nothing is kept.
  try {
    fs.mkdirSync(FOLDER, { recursive: true });
  } catch {
    return;
  }
  Module.prototype._compile = compileKept;
  const load = Module._load;
  let swc;
  Module._load = function (request, parent, isMain) {
    // ts-node asks for it by its path.
    if (!/(^|[/\\])@swc[/\\]core([/\\]index\.js)?$/.test(request)) return load.call(this, request, parent, isMain);
    return (swc ??= lazySwc((name) => load.call(this, name, module, false)));
  };
  const option = `--require ${JSON.stringify(__filename)}`;
  const options = process.env.NODE_OPTIONS ?? "";
  if (!options.includes(option)) process.env.NODE_OPTIONS = `${options} ${option}`.trim();
}

if (process.env.NATS_HUB_LEAF_COMPILE_CACHE !== "0") begin();
