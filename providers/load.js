// What the text in every dynamic resource calls: the provider of that name, from its edited TypeScript source.
// A plain JavaScript file, because nothing can read TypeScript before it ran. `cwd` makes this package's tsconfig.json
// the one that counts, not that of the program that uses the package.
require("ts-node").register({ transpileOnly: true, cwd: require("node:path").dirname(__dirname) });
module.exports = (name) => require(`./${name}`);
