// Stands by while a rehearsal goes on: when the process that rehearses is killed, and with it the other end of this
// one's input, nothing of the rehearsal stays. Plain JavaScript that loads nothing until then.
const { existsSync } = require("node:fs");

const [, , folder, above] = process.argv;
process.stdin.resume().on("end", async () => {
  if (existsSync(folder)) await require("./load")("rehearsal/rehearsal-folder").clear(folder, above);
});
