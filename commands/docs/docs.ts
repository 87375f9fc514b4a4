import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { format } from "prettier";
import type { Reference } from "../../diagnosis/engine/finding";
import { BOOK_FINDINGS } from "../../diagnosis/reference/book-reference";
import { CONFIG_FINDINGS } from "../../diagnosis/files/reference";
import {
  DOCTOR_FINDINGS,
  ISOLATION_FINDINGS,
  SITE_FINDINGS,
  STREAM_FINDINGS,
  WARNINGS,
} from "../../diagnosis/reference/reference";
import { sitesFileSchema, stackFileSchema } from "../../views/settings/schema";
import { pulumiConfig, withSettingsTables } from "../../views/settings/tables";
import { withBends } from "./bends-doc";
import { withCommands } from "./commands-doc";
import { exampleSvg } from "./example-fleet";
import { report } from "../../machine/refusal";

// `make docs`: writes the docs whose text has its source in code: docs/findings.md from the reference in diagnosis/,
// the tables of docs/settings.md, the JSON Schemas and the texts in Pulumi.yaml from configs/settings.ts,
// docs/commands.md from the table of commands, a table of docs/architecture.md from components/sdk/, and the picture
// docs/topology.svg. A unit test fails when a file differs.

const INTRODUCTION = `# Findings

What the smoke test, \`make doctor\` and \`make check-config\` find. When the smoke test fails, \`up\` fails with one block for
each cause: the site, the cause, the evidence that was seen, and what to do next. The code in brackets is the heading below.
Independent mistakes are all named; a mistake that only follows from another one is not. A warning does not fail the update:
sourcing works, but something was lost, or is about to be. [The catalogue](catalogue.md) shows which mistake leads to which
finding, as measured on real servers.

"\`up\` repairs it" means: run \`make up\` again. The program restores its configuration, starts dead servers, restores the
declared streams, restarts the source, and runs the test again.

This page is made from the references in \`diagnosis/\` by \`make docs\`.
`;

interface Part {
  title: string;
  findings: Readonly<Record<string, Reference>>;
  /** Before each code, where another part has some of the same. */
  prefix?: string;
}

const PARTS: readonly Part[] = [
  { title: "On the way to the site", findings: SITE_FINDINGS },
  { title: "From the stream to the hub", findings: STREAM_FINDINGS },
  { title: "Isolation", findings: ISOLATION_FINDINGS },
  { title: "Warnings", findings: WARNINGS },
  { title: "Warnings of the account book", findings: BOOK_FINDINGS },
  { title: "Seen by the doctor only", findings: DOCTOR_FINDINGS },
  { title: "In configuration files (`check-config`)", findings: CONFIG_FINDINGS, prefix: "config: " },
];

const entry = ({ prefix = "" }: Part, [code, { cause, shows, cure }]: [string, Reference]): string =>
  [`### ${prefix}${code}`, "", `- Cause: ${cause}.`, `- Shows: ${shows}.`, `- Cure: ${cure}.`].join("\n");

/** The text of docs/findings.md. */
export const findingsDoc = (parts: readonly Part[] = PARTS): string =>
  [
    INTRODUCTION,
    ...parts.map(
      (part) =>
        [`## ${part.title}`, ...Object.entries(part.findings).map((each) => entry(part, each))].join("\n\n") + "\n",
    ),
  ].join("\n");

const ROOT = resolve(__dirname, "../..");
const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const WIDTH = { printWidth: 120 };

/** From `config:` to the next line that is not indented. */
const CONFIG_BLOCK = /^config:\n(?: .*\n)+/m;

/** Every file that is made, with its text. */
export async function madeDocs(): Promise<Record<string, string>> {
  const json = (schema: object) => format(JSON.stringify(schema), { ...WIDTH, parser: "json" });
  return {
    "docs/findings.md": findingsDoc(),
    "docs/topology.svg": exampleSvg(),
    "docs/settings.md": await format(withSettingsTables(textOf("docs/settings.md")), { ...WIDTH, parser: "markdown" }),
    "docs/architecture.md": await format(withBends(textOf("docs/architecture.md")), { ...WIDTH, parser: "markdown" }),
    "docs/commands.md": await format(withCommands(textOf("docs/commands.md")), { ...WIDTH, parser: "markdown" }),
    "configs/schema/stack.json": await json(stackFileSchema()),
    "configs/schema/sites.json": await json(sitesFileSchema()),
    "Pulumi.yaml": await format(textOf("Pulumi.yaml").replace(CONFIG_BLOCK, pulumiConfig()), {
      ...WIDTH,
      parser: "yaml",
    }),
  };
}

if (require.main === module) {
  madeDocs()
    .then((files) => {
      for (const [file, text] of Object.entries(files)) writeFileSync(join(ROOT, file), text);
    })
    .catch((error: unknown) => {
      report(error);
      process.exitCode = 1;
    });
}
