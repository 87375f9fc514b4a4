import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DOCTOR_FINDINGS } from "../../../diagnosis/reference/reference";
import { DoctorReport, EXIT_CODES } from "../../../diagnosis/facts/doctor-report";
import { doctorJson, doctorWords } from "../../../commands/words/doctor-words";
import { newSeed } from "../../support/rules/settings";
import { inTempFolder } from "../providers/temp-folder";
import { runHere } from "./run-here";

const ROOT = join(__dirname, "../../..");
const SEED = newSeed();

const REPORT: DoctorReport = {
  status: "error",
  sites: [
    {
      site: "oslo",
      link: "up",
      accounts: ["OSLO"],
      verdict: "error",
      streams: [
        {
          stream: "EVENTS",
          collected: "OSLO/EVENTS",
          activeMs: -1,
          lag: 0,
          siteSeq: 12,
          waiting: 12,
          verdict: "error",
        },
      ],
      findings: [
        {
          code: "backlog-stuck",
          severity: "error",
          site: "oslo",
          stream: "EVENTS",
          symptom: "s",
          cause: `c ${SEED}`,
          evidence: "e",
          next: "n",
        },
      ],
      unseen: [{ what: "this", why: "that" }],
      notGiven: ["links"],
    },
  ],
};

describe("what the doctor prints", () => {
  it("has a row for each stream, then findings, and what was not looked at", () => {
    const shown = doctorWords(REPORT);
    assert.match(shown, /│ oslo │ up +│ OSLO +│ EVENTS │ never │ +0 │ +- of 12 │ error +│/);
    assert.match(shown, /\nsite oslo: s\n {2}cause {5}c .*\n {2}evidence {2}e\n {2}next {6}n {2}\[backlog-stuck\]\n/);
    assert.match(
      shown,
      /\nsite oslo: could not look at this: that\nsite oslo: not looked at, .*: links\nfleet: not good$/,
    );
  });

  it("has in JSON null for what is unknown", () => {
    const { version, exitCode, sites } = JSON.parse(doctorJson(REPORT)) as {
      version: number;
      exitCode: number;
      sites: { streams: { sourceSeq: unknown; siteSeq: unknown }[] }[];
    };
    assert.deepEqual([version, exitCode], [1, 2]);
    assert.deepEqual([sites[0]!.streams[0]!.sourceSeq, sites[0]!.streams[0]!.siteSeq], [null, 12]);
  });

  it("masks a seed, wherever it came from", () => {
    assert.equal((doctorWords(REPORT) + doctorJson(REPORT)).includes(SEED), false);
  });
});

describe("the doctor's command", () => {
  const temp = inTempFolder();
  const run = (...args: string[]) =>
    runHere("doctor", args, { folder: temp.path(), env: { PATH: "", HOME: temp.path() } });

  const REFUSED: Record<string, [args: string[], words: RegExp]> = {
    "an option that there is not": [["--fix"], /Unknown option '--fix'.*\nusage: doctor /],
    "a time that is none": [["--timeout", "soon"], /--timeout 'soon' is not a duration of 1 s or more/],
    "two fleets": [["--stack", "a", "--fleet", "b"], /name two fleets; give only one/],
    "a file that is not there": [["--fleet", "fleet.yaml"], /fleet.yaml: cannot be read \(ENOENT\)/],
    "a stack without its passphrase": [["--stack", "prod"], /set PULUMI_CONFIG_PASSPHRASE_FILE/],
  };
  for (const [what, [args, words]] of Object.entries(REFUSED)) {
    it(`ends with 3 for ${what}, and says why`, async () => {
      const { code, stderr } = await run(...args);
      assert.equal(code, 3);
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /\n +at /);
    });
  }

  it("says in JSON why it could not look", async () => {
    const { code, stdout } = await run("--json", "--fleet", "fleet.yaml");
    const { exitCode, problem } = JSON.parse(stdout) as { exitCode: number; problem: string };
    assert.deepEqual([code, exitCode], [3, 3]);
    assert.match(problem, /cannot be read/);
  });
});

describe("the doctor's output", () => {
  const temp = inTempFolder();
  const run = (...args: string[]) =>
    runHere("doctor", ["--fleet", "edge.yaml", ...args], {
      folder: temp.path(),
      env: { PATH: "", HOME: temp.path() },
    });

  it("says in metrics that it could not look, in place of what it saw before", async () => {
    writeFileSync(temp.path("nats.prom"), "old");
    const { code, stdout, stderr } = await run("--prometheus", "--output", "nats.prom");
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, /edge.yaml: cannot be read/);
    assert.match(readFileSync(temp.path("nats.prom"), "utf8"), /^nats_hub_leaf_doctor_exit_code\{stack="edge"\} 3$/m);
    assert.deepEqual(
      readdirSync(temp.path()).filter((name) => name.includes("unfinished")),
      [],
    );
  });

  it("has one form", async () => {
    assert.match((await run("--json", "--prometheus")).stdout, /exclude each other; give only one/);
  });

  it("goes to standard output when its file cannot be written", async () => {
    const { code, stdout } = await run("--json", "--output", "no/such/folder/doctor.json");
    assert.equal(code, 3);
    assert.match(stdout, /"exitCode": 3/);
  });
});

describe("the doctor's page", () => {
  const page = readFileSync(join(ROOT, "docs/doctor.md"), "utf8");

  it("has every status with its exit code", () => {
    for (const [status, code] of Object.entries(EXIT_CODES))
      assert.match(page, new RegExp(`\\| ${code} .*\`${status}\``), status);
  });

  it("has every field of the JSON", () => {
    const fields = (value: unknown): string[] =>
      typeof value !== "object" || value === null
        ? []
        : Array.isArray(value)
          ? value.flatMap(fields)
          : Object.entries(value).flatMap(([key, item]) => [key, ...fields(item)]);
    for (const field of fields(JSON.parse(doctorJson(REPORT)))) assert.ok(page.includes(`"${field}"`), field);
  });

  it("has every finding of the doctor's own", () => {
    for (const code of Object.keys(DOCTOR_FINDINGS)) assert.ok(page.includes(`findings.md#${code}`), code);
  });
});
