import { z } from "zod";
import { siteSettings, stackConfig } from "../../configs/settings";

/** The settings as JSON Schema: editors complete and check with it what people type. */

export interface JsonSchema {
  $schema?: string;
  type?: string;
  description?: string;
  default?: unknown;
  /** This program's own additions: the effect of a change, and what applies without the setting. */
  change?: string;
  unset?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  additionalProperties?: boolean | JsonSchema;
  patternProperties?: Record<string, JsonSchema>;
}

/** Editors know draft 7 best. */
const options = { io: "input", target: "draft-7", unrepresentable: "any" } as const;

/** All that a stack's config may hold, by the names of settings. */
export const settingsSchema = (): JsonSchema => z.toJSONSchema(stackConfig, options) as JsonSchema;

const PREFIX = "nats-hub-leaf:";

/** What Pulumi keeps of a secret that was set with `pulumi config set --secret`. */
const SECRET: JsonSchema = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/** Text for people, without what editors would show as it stands. */
const plain = (text: string): string => text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");

/** The same schema as editors show it: the effect of a change and the default are in its text. */
function editorSchema(schema: JsonSchema): JsonSchema {
  const { change, unset, description, properties, items, anyOf, ...rest } = schema;
  const words = [
    ...(description === undefined ? [] : [`${plain(description)}.`]),
    ...(change === undefined ? [] : [`A change: ${change}.`]),
    ...(unset === undefined ? [] : [`Without it: ${unset}.`]),
  ];
  return {
    ...(words.length === 0 ? {} : { description: words.join(" ") }),
    ...rest,
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(items === undefined ? {} : { items: editorSchema(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(editorSchema) }),
  };
}

const mapped = (properties: Record<string, JsonSchema>): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, editorSchema(one)]));

/** `Pulumi.<stack>.yaml`: this program's settings are checked, everything else is Pulumi's. */
export function stackFileSchema(): JsonSchema {
  const { properties = {} } = editorSchema(settingsSchema());
  const config = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      PREFIX + name,
      name === "keys" ? { ...schema, additionalProperties: { anyOf: [{ type: "object" }, SECRET] } } : schema,
    ]),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: config,
        patternProperties: { [`^(?!${PREFIX})`]: {} },
        additionalProperties: false,
      },
    },
  };
}

/** A table of the sites in YAML. */
export function sitesFileSchema(): JsonSchema {
  const { $schema, ...site } = editorSchema(z.toJSONSchema(siteSettings, options) as JsonSchema);
  const table: JsonSchema = { type: "array", items: site };
  return { ...($schema === undefined ? {} : { $schema }), ...table };
}
