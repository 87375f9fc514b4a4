import { COMMANDS, Command, VARIABLES, usageOf } from "../parse";

/** docs/commands.md, from the table of commands. */

const INTRODUCTION = `# Commands

\`npx nats-hub-leaf <command>\`, from any folder: of the project in that folder (with a \`Pulumi.yaml\`), else of this
package. \`make <command>\` is the same here; what options say can then be said as variables
(\`make up STACK=prod CONFIRM=prod\`), and \`ARGS="…"\` is what follows \`--\`. make itself ends with 2 where a command ends
with another code than 0.

\`--help\` after a command tells of its options. The stack is \`--stack <name>\`, without it \`dev\`.

This page is made of \`commands/table.json\` by \`make docs\`.
`;

const escaped = (text: string): string => text.replaceAll("|", "\\|");

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows.map((row) => row.map(escaped))]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

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

export function commandsDoc(): string {
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  const variables = Object.entries(VARIABLES).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return [
    INTRODUCTION,
    ...groups.flatMap((group) => [`## ${group}`, ...COMMANDS.filter((one) => one.group === group).map(section)]),
    "## Variables",
    "Every variable that any part reads; `nats-hub-leaf env` shows which are set.",
    table(["variable", "meaning"], variables),
  ].join("\n\n");
}
