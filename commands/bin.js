#!/usr/bin/env node
// The command `nats-hub-leaf`, a plain JavaScript file because nothing can read TypeScript before it ran:
//   nats-hub-leaf <command> [argument …]
// Which commands there are stands in table.json alone, which help needs nothing else for.
const { commands } = require("./table.json");

/** The commands by group, each with what it does; the way to call it is the caller's. */
function help(call) {
  const groups = [...new Set(commands.map(({ group }) => group))];
  const width = Math.max(...commands.map(({ name }) => call(name).length));
  const lines = groups.flatMap((group) => [
    `${group}:`,
    ...commands.filter((one) => one.group === group).map(({ name, does }) => `  ${call(name).padEnd(width)}  ${does}`),
    "",
  ]);
  return lines.join("\n");
}

const optionLine = ([name, { value, does, variable, default: without }]) =>
  `  --${name}${value === undefined ? "" : ` <${value}>`}`.padEnd(34) +
  does +
  (variable === undefined ? "" : ` (${variable}=)`) +
  (without === undefined ? "" : ` [${without}]`);

function helpOf({ name, does, options = {}, words = "", hasStack, pulumi, exits }) {
  const stack = hasStack === false ? [] : [["stack", { value: "name", does: "the stack", default: "dev" }]];
  return [
    `nats-hub-leaf ${name}${words === "" ? "" : ` ${words}`}${pulumi ? " [-- <options of the Pulumi CLI>]" : ""}: ${does}`,
    "",
    ...[...stack, ...Object.entries(options)].map(optionLine),
    "",
    ...Object.entries(exits).map(([code, meaning]) => `  exit code ${code}: ${meaning}`),
  ].join("\n");
}

const [name = "", ...args] = process.argv.slice(2);
const command = commands.find((one) => one.name === name);
const ownArgs = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;

function end(exitCode) {
  process.exitCode = exitCode;
  // A server that hangs keeps its connection open.
  setTimeout(() => process.exit(), 500).unref();
}

if (name === "help" && args[0] === "--make") {
  process.stdout.write(help((one) => `make ${one}`));
} else if (["", "help", "--help", "-h"].includes(name)) {
  console.log(`nats-hub-leaf <command> [--help] [--stack <name>] …\n\n${help((one) => one)}`);
} else if (command === undefined) {
  console.error(`nats-hub-leaf: '${name}' is no command; there are: ${commands.map((one) => one.name).join(", ")}`);
  process.exitCode = 3;
} else if (ownArgs.includes("--help") || ownArgs.includes("-h")) {
  console.log(helpOf(command));
} else {
  require("../providers/load.js");
  const { Refusal } = require("../machine/refusal.ts");
  require(`./${command.module}`)
    .run(args, name)
    .then(end, (error) => {
      console.error(error instanceof Refusal ? error.message : error);
      end(1);
    });
}
