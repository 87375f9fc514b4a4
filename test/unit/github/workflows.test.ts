import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

/** What actionlint does not look at in .github: which code is trusted with what. */
import { COMMANDS } from "../../../commands/parse";

const ROOT = path.resolve(__dirname, "../../..");
const FOLDER = path.join(ROOT, ".github/workflows");

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, unknown>;
  with?: Record<string, unknown>;
}

interface Job {
  if?: string;
  uses?: string;
  environment?: string;
  permissions?: Record<string, string>;
  env?: Record<string, unknown>;
  with?: Record<string, unknown>;
  steps?: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

const workflows = fs.readdirSync(FOLDER).map((file) => {
  const text = fs.readFileSync(path.join(FOLDER, file), "utf8");
  return { file, text, workflow: parse(text) as Workflow };
});
const action = fs.readFileSync(path.join(ROOT, ".github/actions/setup/action.yml"), "utf8");
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ where: `${file}: ${name}`, workflow, job })),
);
const readsSecrets = (job: Job): boolean => JSON.stringify(job).includes("secrets.");

describe("the GitHub workflows", () => {
  it("pin every action of others by commit, with its version beside it", () => {
    const uses = [...workflows.map(({ text }) => text), action].flatMap((text) => text.match(/uses: .*/g) ?? []);
    const others = uses.filter((line) => !line.startsWith("uses: ./"));
    assert.ok(others.length > 10);
    assert.deepEqual(
      others.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)),
      [],
    );
  });

  it("give no job more than it names, and no job the right to write but the comment's", () => {
    for (const { file, workflow } of workflows) assert.ok(workflow.permissions !== undefined, file);
    const writers = jobs.filter(({ workflow, job }) =>
      Object.values(job.permissions ?? workflow.permissions ?? {}).includes("write"),
    );
    assert.deepEqual(
      writers.map(({ where, job }) => [where, job.permissions]),
      [["preview.yml: comment", { contents: "read", "pull-requests": "write" }]],
    );
  });

  it("show no secret to the job that may write to a pull request", () => {
    const comment = jobs.find(({ where }) => where === "preview.yml: comment")!.job;
    assert.equal(readsSecrets(comment), false);
    assert.match(String(comment.steps?.[0]?.with?.ref), /base\.sha/);
  });

  it("show no secret to a pull request from a fork", () => {
    const ofRequests = jobs.filter(({ workflow }) => "pull_request" in workflow.on);
    const open = ofRequests.filter(({ job }) => readsSecrets(job) && !/head\.repo\.full_name ==/.test(job.if ?? ""));
    assert.deepEqual(
      open.map(({ where }) => where),
      [],
    );
    assert.ok(workflows.every(({ workflow }) => !("pull_request_target" in workflow.on)));
  });

  it("read an environment's secrets in a job of that environment only", () => {
    const outside = jobs.filter(({ job }) => readsSecrets(job) && job.environment === undefined);
    assert.deepEqual(
      outside.map(({ where }) => where),
      [],
    );
  });

  it("keep the token out of the checkout", () => {
    const checkouts = jobs.flatMap(({ job }) => job.steps ?? []).filter(({ uses }) => uses?.includes("/checkout@"));
    assert.ok(checkouts.every((step) => step.with?.["persist-credentials"] === false));
  });

  it("put nothing of an event into a command's text", () => {
    const commands = jobs.flatMap(({ job }) => job.steps ?? []).flatMap(({ run }) => run ?? []);
    assert.deepEqual(
      commands.filter((command) => command.includes("${{")),
      [],
    );
  });

  it("remove a protected site of prod when somebody names it by hand, and none when a merge deploys", () => {
    const job = (where: string): Job => jobs.find((one) => one.where === where)!.job;
    assert.equal(job("deploy.yml: prod").with?.remove, "${{ inputs.remove }}");
    assert.equal(job("deploy.yml: staging").with?.remove, undefined);
    const naming = jobs.flatMap(({ where, job }) =>
      (job.steps ?? []).filter(({ env }) => env?.REMOVE !== undefined).map(({ run, env }) => [where, run, env?.REMOVE]),
    );
    assert.deepEqual(naming, [
      ["deploy-stack.yml: up", 'make up STACK="$STACK" CONFIRM="$STACK"', "${{ inputs.remove }}"],
    ]);
  });

  it("save no backup that is not encrypted", () => {
    const saving = jobs.filter(({ job }) => (job.steps ?? []).some(({ run }) => /make backup/.test(run ?? "")));
    assert.deepEqual(
      saving.map(({ where, job }) => [where, job.env?.BACKUP_PASSPHRASE]),
      [["backup.yml: save", "${{ secrets.BACKUP_PASSPHRASE }}"]],
    );
  });

  it("run what runs by hand too: targets of the Makefile, or the test run", () => {
    const makefile = fs.readFileSync(path.join(ROOT, "Makefile"), "utf8");
    const targets = new Set([
      ...[...makefile.matchAll(/^([a-z0-9-]+):/gm)].map(([, name]) => name),
      ...COMMANDS.map(({ name }) => name),
    ]);
    const commands = jobs.flatMap(({ job }) => job.steps ?? []).flatMap(({ run }) => run ?? []);
    assert.ok(commands.length > 5);
    for (const command of commands) {
      const made = /make (?:-s )?([a-z0-9-]+)/.exec(command)?.[1];
      // What a machine of a user cannot download: the official plugin of another project.
      if (command.includes("plugin install resource docker")) continue;
      assert.ok(made === undefined ? /\.ci\/run( e2e ARGS=.*)?$/.test(command) : targets.has(made), command);
    }
  });
});
