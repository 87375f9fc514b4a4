import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "../../../commands/preview-report";
import { inTempFolder } from "../providers/temp-folder";

const ROOT = path.resolve(__dirname, "../../..");

describe("the preview report from the settings alone", () => {
  const temp = inTempFolder();
  const out = () => temp.path("report.md");
  let errors: string[];
  const { error } = console;

  beforeEach(() => {
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), temp.path("Pulumi.yaml"));
    errors = [];
    console.error = (line: string) => void errors.push(line);
  });
  afterEach(() => (console.error = error));

  const planned = (sites: object[], ...args: string[]): Promise<number> => {
    fs.writeFileSync(
      temp.path("Pulumi.lab.yaml"),
      JSON.stringify({
        config: {
          "nats-hub-leaf:sites": sites,
          "nats-hub-leaf:streams": [{ name: "EVENTS", subjects: ["events.>"] }],
        },
      }),
    );
    return run(["--stack", "lab", "--plan", "--out", out(), ...args], "preview-report", temp.path());
  };

  it("has the picture and the plan, and says that it compared nothing", async () => {
    assert.equal(await planned([{ name: "oslo" }]), 0);
    const text = fs.readFileSync(out(), "utf8");
    assert.match(
      text,
      /^### Plan of `lab`: a hub, 1 site, 1 stream\n\n[^\n]*\*\*not compared with what is deployed\*\*/,
    );
    assert.match(text, /```mermaid\nflowchart LR\n[^`]*oslo/);
  });

  it("is a report of what the rules refuse, with an exit code of its own", async () => {
    assert.equal(await planned([{ name: "oslo" }, { name: "oslo" }]), 2);
    assert.match(
      fs.readFileSync(out(), "utf8"),
      /^### Plan of `lab`: refused, 1 reason\n\n- sites\\\[1\\\]\.name: 'oslo' is used twice; /,
    );
  });

  it("is not there when there is nothing to read, nor is one of before", async () => {
    fs.writeFileSync(out(), "of before");
    assert.equal(await run(["--stack", "nowhere", "--plan", "--out", out()], "preview-report", temp.path()), 1);
    assert.equal(fs.existsSync(out()), false);
    assert.match(errors.join("\n"), /Pulumi\.nowhere\.yaml: there is no such file/);
  });

  it("takes no other option, and says which there are", async () => {
    assert.equal(await planned([{ name: "oslo" }], "--yaml"), 1);
    assert.match(errors.join("\n"), /--yaml[^]*usage: preview-report \[--stack <name>\] \[--out <file>\]/);
    assert.equal(await planned([{ name: "oslo" }], "--json"), 1);
    assert.match(errors.join("\n"), /use `plan --json`/);
  });
});
