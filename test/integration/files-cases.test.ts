import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ConfigReport, checkConfigs } from "../../commands/check-config";
import { eachCase } from "../support/cases/each-case";
import { Case, casesOf, environmentOf, writeCase } from "../support/cases/case-files";

/**
 * Hand-written files of every kind, each with what real servers do with them: `check-config` must say so of each mistake,
 * at the right file, and nothing of what works. In every case real servers are run.
 */

/** Rehearsals side by side: they wait more than they work. */
const AT_ONCE = 4;

describe("check-config, on files of every kind", function () {
  this.timeout(60_000);

  eachCase(casesOf, AT_ONCE, checked, (one, { report, folder }) => {
    judge(one, report, folder);
    assert.deepEqual(secretsIn(JSON.stringify(report), one), [], "a secret is shown");
  });
});

async function checked(one: Case): Promise<{ report: ConfigReport; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-test-"));
  try {
    const files = await writeCase(one, folder);
    const report = await checkConfigs(files, { env: { ...process.env, ...(await environmentOf(one)) } });
    return { report, folder };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge({ right, about }: Case, report: ConfigReport, folder: string): void {
  const said = JSON.stringify(report, null, 2).replaceAll(`${folder}/`, "");
  const told = [
    ...report.findings.map((finding) => ({ ...finding, file: fileOf(finding.where, folder) })),
    ...report.problems.map((problem) => ({ severity: "error", file: fileOf(problem, folder), problem })),
  ];
  const errors = told.filter(({ severity }) => severity === "error");
  if (right.verdict === "good") {
    assert.deepEqual(errors, [], "an error is told of files that work");
    return;
  }
  const there = told.filter(({ severity, file }) => severity === right.verdict && right.files.includes(file));
  assert.ok(there.length > 0, `no ${right.verdict} at ${right.files.join(", ")}:\n${said}`);
  const explained =
    about.length === 0 || about.some((word) => JSON.stringify(there).toLowerCase().includes(word.toLowerCase()));
  assert.ok(explained, `none of ${about.join(", ")} in:\n${JSON.stringify(there, null, 2)}`);
}

const fileOf = (where: string, folder: string): string =>
  where.replace(`${folder}/`, "").replace(/:.*$/s, "") || basename(where);

/** Seeds, and passwords and tokens of the case, whose own words no finding has. */
function secretsIn(said: string, { files }: Case): string[] {
  const written = files.flatMap(({ text }) => [
    ...[...text.matchAll(/\b(?:password|token|pass)["']?\s*[:=]?\s*["']?([\w-]{5,})/g)].map(
      ([, secret = ""]) => secret,
    ),
    ...[...text.matchAll(/:\/\/[^:@/\s"]+:([^@/\s"]{5,})@/g)].map(([, secret = ""]) => decodeURIComponent(secret)),
  ]);
  const seeds = [...said.matchAll(/\bS[UAON][A-Z2-7]{50,}/g)].map(([seed]) => seed);
  return [...seeds, ...written.filter((secret) => new RegExp(`\\b${secret.replace(/\W/g, "\\$&")}\\b`).test(said))];
}
