import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BOOK_FINDINGS } from "../../diagnosis/reference/book-reference";
import { CONFIG_FINDINGS } from "../../diagnosis/files/reference";
import {
  DOCTOR_FINDINGS,
  ISOLATION_FINDINGS,
  Reference,
  SITE_FINDINGS,
  STREAM_FINDINGS,
  WARNINGS,
} from "../../diagnosis/reference/reference";
import { exampleSvg } from "./example-fleet";
import { report } from "../../machine/refusal";

// `make docs`: writes docs/findings.md from the reference in diagnosis/, and the picture docs/topology.svg. A unit test
// fails when a file is another.

const INTRODUCTION = `# Findings

What the smoke test, \`make doctor\` and \`make check-config\` find. When the smoke test fails, \`up\` fails with one block for each cause: the site, the cause, the evidence that was seen, and
what to do next. The code in brackets is the one below. Mistakes that are independent of each other are all named; what
only follows from another one is not. A warning does not fail the update: sourcing works, but something was lost, or is
about to be. Which mistake leads to which finding is measured in [the catalogue](catalogue.md).

"\`up\` repairs it" means: \`make up\` again. The program writes its configuration back, starts what is dead, moves the
streams back to what is declared, starts the source anew, and runs the test again.

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

if (require.main === module) {
  try {
    writeFileSync(join(__dirname, "../..", "docs", "findings.md"), findingsDoc());
    writeFileSync(join(__dirname, "../..", "docs", "topology.svg"), exampleSvg());
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}
