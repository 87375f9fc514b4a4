import { table, withPart } from "../../views/settings/page";
import { COMMANDS, Command, VARIABLES, usageOf } from "../parse";

/** The part of docs/commands.md that comes from the table of commands. */

function section(command: Command): string {
  const options = Object.entries(command.options ?? {}).map(([name, one]) => [
    `\`--${name}${one.value === undefined ? "" : ` <${one.value}>`}\``,
    one.variable === undefined ? "" : `\`${one.variable}\`${one.fromMake === true ? " (of `make`)" : ""}`,
    one.does + (one.default === undefined ? "" : `; without it \`${one.default}\``),
  ]);
  return [
    `### ${command.name}`,
    `${command.does.charAt(0).toUpperCase()}${command.does.slice(1)}.`,
    `\`\`\`\nnats-hub-leaf ${usageOf(command)}\n\`\`\``,
    ...(options.length === 0 ? [] : [table(["option", "variable", "what it does"], options)]),
    `Exit codes: ${Object.entries(command.exits)
      .map(([code, meaning]) => `${code}, ${meaning}`)
      .join("; ")}.`,
  ].join("\n\n");
}

/** The page with its commands and variables as the table has them. Errors: a page without the marks. */
export const withCommands = (page: string): string =>
  withPart(page, ["<!-- commands -->", "<!-- end of commands -->"], commands());

function commands(): string {
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  const variables = Object.entries(VARIABLES).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return [
    ...groups.flatMap((group) => [`## ${group}`, ...COMMANDS.filter((one) => one.group === group).map(section)]),
    "## Variables",
    "Every variable that any part reads; `nats-hub-leaf env` shows which are set.",
    table(["variable", "meaning"], variables),
  ].join("\n\n");
}
