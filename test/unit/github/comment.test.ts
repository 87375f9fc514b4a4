import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The script against a stand-in of GitHub's `gh`, which keeps what it is told. */

const SCRIPT = resolve(__dirname, "../../../.github/comment.sh");

const GH = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$TOLD"
for word in "$@"; do [[ $word == body=@* ]] && cp "\${word#body=@}" "$BODY"; done
[[ $* == *--paginate* ]] && printf '%s' "$COMMENTS"
exit 0
`;

describe("the comment on a pull request", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-comment-"));
    writeFileSync(join(folder, "gh"), GH);
    chmodSync(join(folder, "gh"), 0o755);
    mkdirSync(join(folder, "reports"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function comment(reports: Record<string, string>, comments = ""): { told: string[]; body: string } {
    for (const [name, text] of Object.entries(reports)) writeFileSync(join(folder, "reports", name), text);
    const { status, stderr } = spawnSync(SCRIPT, ["12", join(folder, "reports")], {
      encoding: "utf8",
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        GH_REPO: "owner/name",
        TOLD: join(folder, "told"),
        BODY: join(folder, "body"),
        COMMENTS: comments,
      },
    });
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(join(folder, "body")));
    return {
      told: readFileSync(join(folder, "told"), "utf8").trim().split("\n"),
      body: readFileSync(join(folder, "body"), "utf8"),
    };
  }

  it("is made with all reports, in the order of their names", () => {
    const { told, body } = comment({ "report-staging.md": "of staging\n", "report-prod.md": "of prod\n" });
    assert.match(told[1]!, /--method POST repos\/owner\/name\/issues\/12\/comments /);
    assert.equal(body, "<!-- preview reports -->\nof prod\n\nof staging\n\n");
  });

  it("is updated when it is there already", () => {
    const { told } = comment({ "report-prod.md": "of prod\n" }, "77\n78\n");
    assert.match(told[1]!, /--method PATCH repos\/owner\/name\/issues\/comments\/77 /);
  });

  it("says so when there is no report", () => {
    assert.match(comment({}).body, /No preview could be made/);
  });

  it("is cut to what GitHub takes, at the end of a line and with no picture left open", () => {
    const { body } = comment({ "report-prod.md": "```mermaid\n" + "a --> b\n".repeat(20_000) + "```\n" });
    assert.ok(body.length < 65_536);
    assert.match(body, /\na --> b\n```\n\nThe rest is too long/);
  });
});
