// What the text in every dynamic resource calls: the provider of that name, from its edited TypeScript source.
require("../machine/typescript/read.js");

const { telling } = require("./telling.ts");

module.exports = (name) => telling(require(`./${name}`));
