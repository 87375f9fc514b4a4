#!/usr/bin/env node
// The command `nats-hub-leaf`, a plain JavaScript file because nothing can read TypeScript before it ran:
//   nats-hub-leaf <command> [argument …]
require("../providers/load.js");

/** Each command's module exports `run(args)`, which resolves with the exit code. */
const COMMANDS = {
  "check-config": "./check-config",
  doctor: "./doctor",
  "preview-report": "./preview-report",
};

const [command = "", ...args] = process.argv.slice(2);
const file = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
if (file === undefined) {
  console.error(`nats-hub-leaf: '${command}' is no command; there are: ${Object.keys(COMMANDS).join(", ")}`);
  process.exitCode = 3;
} else {
  require(file)
    .run(args)
    .then(
      (exitCode) => {
        process.exitCode = exitCode;
        // A server that hangs keeps its connection open.
        setTimeout(() => process.exit(), 500).unref();
      },
      (error) => {
        console.error(error);
        process.exitCode = 3;
      },
    );
}
