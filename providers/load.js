// What the text in every dynamic resource calls: the provider of that name, from its edited TypeScript source.
require("../machine/typescript/read.js");

const { reporting } = require("./reporting.ts");

module.exports = (name) => reporting(require(`./${name}`));
