import { z } from "zod";
import { addressParts } from "./address";
import { DURATION_TEXT, SIZE_TEXT, parseDuration, parseSize } from "./units";

/** What settings are made of, each with what people read of it: docs/settings.md, the JSON Schema and Pulumi.yaml. */

/** What is documented of a setting besides its meaning. */
export interface About {
  /** What a change does, if it does more than take effect. */
  change?: string;
  /** What applies without it, if there is no fixed default. */
  unset?: string;
  examples?: readonly unknown[];
}

/** The setting with its meaning, in Markdown, without a full stop: unit, range and what else one must know. */
export const about = <T extends z.ZodType>(meaning: string, setting: T, more: About = {}): T =>
  setting.meta({ description: meaning, ...more });

const text = (what: string, example: string, pattern: RegExp, parse: (value: string) => number | undefined) =>
  z
    .string()
    .meta({ pattern: pattern.source, examples: [example] })
    .transform((value, context) => {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: "custom", message: `is not a ${what}: write it like "${example}"` });
      return z.NEVER;
    });

/** Text such as "256MiB", which becomes bytes. */
export const size = () => text("size", "256MiB", SIZE_TEXT, parseSize);

/** Text such as "30s", which becomes milliseconds. */
export const duration = () => text("duration", "30s", DURATION_TEXT, parseDuration);

export const port = z.int().min(1).max(65535);

export const siteName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "must be 1 to 31 lower-case letters, digits or '-', starting with a letter");

export const streamName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, '_' or '-' (JetStream allows no dot or blank)");

export const engine = z
  .string()
  .refine(
    (value) => /^(unix:\/\/\/.|tcp:\/\/.|ssh:\/\/.)/.test(value) && URL.canParse(value),
    "is not the address of a Docker engine: write it like ssh://user@host, tcp://host:2376 or unix:///path",
  )
  .meta({ pattern: "^(unix:///.|tcp://.|ssh://.)" });

export const address = z
  .string()
  .refine(
    (value) => addressParts(value)?.port === undefined && addressParts(value) !== undefined,
    "is not a host name or IP address",
  );

export const dialedAddress = z
  .string()
  .refine(
    (value) => addressParts(value) !== undefined,
    'is not an address: write "host", "host:port" or "[address]:port"',
  );

/** Pulumi gives the program a top-level value as text. */
export const flag = () =>
  z
    .custom<boolean | "true" | "false">((value) => /^(true|false)$/.test(String(value)), "is neither true nor false")
    .meta({ enum: [true, false, "true", "false"] })
    .transform((value) => String(value) === "true");
