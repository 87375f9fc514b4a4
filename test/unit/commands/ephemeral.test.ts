import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { refuseLasting } from "../../../commands/ephemeral/ephemeral";
import { inTempFolder } from "../providers/temp-folder";

const ROOT = path.resolve(__dirname, "../../..");

describe("the settings that an ephemeral stack takes", () => {
  const temp = inTempFolder();
  beforeEach(() => fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), temp.path("Pulumi.yaml")));

  const judge = (settings: Record<string, unknown>): void => {
    const config: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(settings)) config[`nats-hub-leaf:${name}`] = value;
    fs.writeFileSync(temp.path("Pulumi.lab.yaml"), JSON.stringify({ config }));
    refuseLasting(temp.path(), "lab");
  };
  const sites = [{ name: "oslo" }, { name: "bergen" }];

  it("are those of processes whose state is in the checkout", () => {
    judge({ sites });
    judge({ sites: [{ name: "oslo", runtime: "process" }], protect: false });
    refuseLasting(ROOT, "dev");
  });

  it("put no server into a container", () => {
    const expected = (names: string) =>
      new RegExp(`^Refusal: make ephemeral FROM=lab: the settings have 1 problem:\\n {2}- runtime: puts ${names} into`);
    assert.throws(() => judge({ sites, runtime: "docker" }), expected("hub, oslo, bergen"));
    assert.throws(() => judge({ sites, hub: { runtime: "docker" } }), expected("hub"));
    const away = { name: "tromso", runtime: "docker", engine: "ssh://edge@tromso.example", address: "tromso.example" };
    assert.throws(() => judge({ sites: [...sites, away] }), expected("tromso"));
  });

  it("put none of their table into one", () => {
    fs.writeFileSync(temp.path("sites.csv"), "name,runtime\noslo,\nbergen,docker\n");
    assert.throws(() => judge({ sitesFile: "sites.csv" }), /runtime: puts bergen into containers/);
  });

  it("neither share a state nor protect anything; all that speaks against them is said at once", () => {
    assert.throws(
      () => judge({ sites, state: "s3://fleet", protect: true, runtime: "docker" }),
      /have 3 problems:\n {2}- runtime: .*\n {2}- state: keeps the state where that stack's is; name .*\n {2}- protect: /,
    );
  });
});
