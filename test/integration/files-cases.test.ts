import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ConfigReport, checkConfigs } from "../../commands/check-config";
import { Case, casesOf, environmentOf, writeCase } from "../support/cases/case-files";

/**
 * Hand-written files of every kind, each with what real servers do with them: `check-config` must say so of each mistake,
 * at the right file, and nothing of what works. In every case real servers are run.
 */

const LONGEST_MS = 8_000;

describe("check-config, on files of every kind", () => {
  for (const kind of ["mistakes", "good"] as const) {
    describe(kind, () => {
      for (const one of casesOf(kind)) {
        it(`${one.kind}: ${one.what}`, async () => {
          const { report, folder, took } = await checked(one);
          const said = JSON.stringify(report, null, 2);
          judge(one, report, folder);
          assert.deepEqual(secretsIn(said), [], "a secret is shown");
          assert.ok(took < LONGEST_MS, `it took ${took} ms`);
        });
      }
    });
  }
});

async function checked(one: Case): Promise<{ report: ConfigReport; folder: string; took: number }> {
  const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-test-"));
  const variables = await environmentOf(one);
  const before = { ...process.env };
  try {
    const files = await writeCase(one, folder);
    Object.assign(process.env, variables);
    const started = Date.now();
    const report = await checkConfigs(files);
    return { report, folder, took: Date.now() - started };
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
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

/** Seeds, and whatever is a password in one of the cases. */
const secretsIn = (text: string): string[] => [...text.matchAll(/\bS[UAON][A-Z2-7]{50,}/g)].map(([seed]) => seed);
