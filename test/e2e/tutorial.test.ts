import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { startCommand } from "../support/stacks/commands";
import { serversOf } from "../support/stacks/servers";
import { cleanEnvironment, copyProject } from "../support/stacks/scratch-project";

const ROOT = path.resolve(__dirname, "../..");

interface Step {
  title: string;
  shows: RegExp[];
  exitCode: number;
  script: string;
}

/** The blocks of docs/tutorial.md, each with what it must show. */
function steps(): Step[] {
  const text = fs.readFileSync(path.join(ROOT, "docs/tutorial.md"), "utf8");
  return text.split(/^## /m).flatMap((section) => {
    const [title = ""] = section.split("\n");
    return [...section.matchAll(/((?:^<!--.*-->\n+)*)^```sh\n([^]*?)^```/gm)].map(([, notes = "", script = ""]) => ({
      title,
      shows: [...notes.matchAll(/<!-- shows: (.*) -->/g)].map(([, pattern = ""]) => new RegExp(pattern)),
      exitCode: Number(/<!-- ends with (\d+) -->/.exec(notes)?.[1] ?? 0),
      script,
    }));
  });
}

describe("the tutorial", () => {
  let folder: string;
  const run = (script: string) => startCommand(folder, ["bash", "-euc", script], cleanEnvironment()).ended;
  const git = (...args: string[]) => execFileSync("git", ["-C", folder, ...args]);

  before(() => {
    folder = copyProject("tutorial");
    fs.copyFileSync(path.join(ROOT, "Pulumi.dev.yaml"), path.join(folder, "Pulumi.dev.yaml"));
    git("init", "-q");
    git("add", "Pulumi.dev.yaml");
  });
  after(async () => {
    if (fs.existsSync(path.join(folder, ".fleet"))) await run("make down DISCARD=1");
    fs.rmSync(folder, { recursive: true });
  });

  for (const [i, { title, shows, exitCode, script }] of steps().entries())
    it(`${title}, block ${i + 1}: ${script.split("\n")[0]?.slice(0, 60) ?? ""}`, async () => {
      const ran = await run(script);
      assert.equal(ran.code, exitCode, ran.output);
      for (const pattern of shows) assert.match(ran.output, pattern);
    });

  it("leaves nothing", () => {
    assert.equal(fs.existsSync(path.join(folder, ".fleet")), false);
    assert.deepEqual(serversOf(folder), []);
    assert.equal(
      fs.readFileSync(path.join(folder, "Pulumi.dev.yaml"), "utf8"),
      fs.readFileSync(path.join(ROOT, "Pulumi.dev.yaml"), "utf8"),
    );
  });
});
