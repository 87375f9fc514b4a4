// What the text in every dynamic resource calls: the provider of that name, from its edited TypeScript source.
// A plain JavaScript file, because nothing can read TypeScript before it ran. Not ts-node: it loads the whole TypeScript
// compiler first, 0.16 s of every preview and every update.
const { dirname, sep } = require("node:path");
const { transformSync } = require("@swc/core");
const { addHook } = require("pirates");

const root = dirname(__dirname) + sep;
const options = {
  jsc: { parser: { syntax: "typescript" }, target: "es2022" },
  module: { type: "commonjs" },
  swcrc: false,
};

addHook((code, filename) => transformSync(code, { ...options, filename }).code, {
  exts: [".ts"],
  // This package's own files only, wherever it is installed.
  matcher: (filename) => filename.startsWith(root) && !filename.slice(root.length).startsWith("node_modules"),
  ignoreNodeModules: false,
});

const { telling } = require("./telling.ts");

module.exports = (name) => telling(require(`./${name}`));
