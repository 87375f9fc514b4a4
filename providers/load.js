// What the text in every dynamic resource calls: the provider of that name, from its edited TypeScript source.
// A plain JavaScript file, because nothing can read TypeScript before it ran.
require("ts-node").register({ transpileOnly: true });
module.exports = (name) => require(`./${name}`);
