import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { maskSeeds } from "../configs/seeds";
import { Refusal } from "../machine/refusal";
import { DEV_STACK } from "./stack/stack-environment";
import TABLE from "./table.json";

/** The arguments of a command, as the table of commands (table.json) has them. */

export interface Option {
  does: string;
  /** What follows it; without it the option is a flag. */
  value?: string;
  multiple?: boolean;
  default?: string;
  /** The environment variable that says the same. */
  variable?: string;
  /** Whether only `make` sets that variable: its name is too common to read it from any shell. */
  fromMake?: boolean;
}

export interface Command {
  name: string;
  group: string;
  does: string;
  /** The file that does it, beside this one; it exports `run(args, name)`. */
  module: string;
  options?: Record<string, Option>;
  /** What else it takes, as usage shows it. */
  words?: string;
  /** false: it is about no stack. */
  hasStack?: boolean;
  /** Whether what follows `--` is for the Pulumi CLI. */
  pulumi?: boolean;
  /** Exit codes, with what they mean. */
  exits: Record<string, string>;
}

export const COMMANDS = TABLE.commands as Command[];
export const VARIABLES = TABLE.variables as Record<string, string>;

export interface Call {
  stack: string;
  values: Record<string, string | boolean | string[] | undefined>;
  words: string[];
  /** For the Pulumi CLI. */
  rest: string[];
}

/** The value of an option; undefined without it. */
export const textOf = ({ values }: Pick<Call, "values">, option: string): string | undefined =>
  values[option] === undefined ? undefined : String(values[option]);

const bracketed = ([name, { value, multiple }]: [string, Option]): string =>
  `[--${name}${value === undefined ? "" : ` <${value}>`}]${multiple === true ? "…" : ""}`;

/** `up [--stack <name>] [--discard <sites>] … [-- <options of pulumi>]` */
export function usageOf({ name, options = {}, words, hasStack, pulumi }: Command): string {
  return [
    name,
    ...(hasStack === false ? [] : ["[--stack <name>]"]),
    ...Object.entries(options).map(bracketed),
    ...(words === undefined ? [] : [words]),
    ...(pulumi === true ? ["[-- <options of the Pulumi CLI>]"] : []),
  ].join(" ");
}

/** The value of an option, or of its variable if `make` (or, for other options, any shell) sets it. */
function optionValue(option: Option, given: Call["values"][string]): Call["values"][string] {
  const { variable, fromMake, default: without, multiple } = option;
  if (variable === undefined) return given ?? without;
  if (given !== undefined) {
    process.env[variable] = [given].flat().join(",");
    return given;
  }
  const found = fromMake === true && process.env.MAKELEVEL === undefined ? "" : (process.env[variable] ?? "");
  if (found !== "") return multiple === true ? [found] : found;
  if (fromMake === true) delete process.env[variable];
  return without;
}

/** Errors: a Refusal with the usage. */
export function parsed(name: string, args: readonly string[]): Call {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const { options = {}, words, hasStack, pulumi } = command;
  const end = args.indexOf("--");
  const [own, rest] = end < 0 || pulumi !== true ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  try {
    const { values, positionals } = parseArgs({
      args: [...own],
      allowPositionals: words !== undefined,
      options: {
        ...(hasStack === false ? {} : { stack: { type: "string" as const } }),
        ...Object.fromEntries(
          Object.entries(options).map(([option, { value, multiple }]) => [
            option,
            { type: value === undefined ? ("boolean" as const) : ("string" as const), multiple: multiple === true },
          ]),
        ),
      },
    });
    const all = values as Call["values"];
    const { stack = DEV_STACK } = all;
    const settledOnes = Object.entries(options).map(
      ([option, one]) => [option, optionValue(one, all[option])] as const,
    );
    return { stack: String(stack), values: { ...all, ...Object.fromEntries(settledOnes) }, words: positionals, rest };
  } catch (error) {
    throw new Refusal(`${name}: ${maskSeeds((error as Error).message)}\nusage: ${usageOf(command)}`);
  }
}

/** The project whose stack is meant: the folder that the command runs in, or else this package. */
export const projectFolder = (): string => (existsSync(resolve("Pulumi.yaml")) ? resolve() : resolve(__dirname, ".."));
