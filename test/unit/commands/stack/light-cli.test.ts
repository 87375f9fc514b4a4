import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { lightened } from "../../../../commands/stack/light-cli";
import { pulumiHome } from "../../../../machine/locate";

describe("the environment that makes the CLI faster", () => {
  let home: string;
  beforeEach(() => (home = fs.mkdtempSync(path.join(os.tmpdir(), "nhl-home-"))));
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  const quietOf = (env: NodeJS.ProcessEnv = {}): string => lightened({ PULUMI_HOME: home, ...env }).PULUMI_HOME ?? "";

  it("names a home that has all of the real one, where no folder of logs can be made", () => {
    fs.writeFileSync(path.join(home, "credentials.json"), "{}");
    fs.mkdirSync(path.join(home, "logs"));
    const quiet = quietOf();
    assert.notEqual(quiet, home);
    assert.equal(fs.readFileSync(path.join(quiet, "credentials.json"), "utf8"), "{}");
    assert.throws(() => fs.mkdirSync(path.join(quiet, "logs"), { recursive: true }));
    assert.throws(() => fs.writeFileSync(path.join(quiet, "logs", "up.log"), ""));
    assert.equal(fs.statSync(quiet).mode & 0o777, 0o700);
  });

  it("lets what the CLI installs and remembers lie in the real home", () => {
    const quiet = quietOf();
    fs.mkdirSync(path.join(quiet, "plugins", "resource-docker-v1"));
    fs.writeFileSync(path.join(quiet, "workspaces", "w.json"), "{}");
    assert.deepEqual(fs.readdirSync(path.join(home, "plugins")), ["resource-docker-v1"]);
    assert.deepEqual(fs.readdirSync(path.join(home, "workspaces")), ["w.json"]);
  });

  it("gives the real home what the CLI put into the other one, and drops what is gone", () => {
    fs.writeFileSync(path.join(home, "gone"), "");
    const quiet = quietOf();
    fs.rmSync(path.join(home, "gone"));
    fs.writeFileSync(path.join(quiet, "credentials.json"), "{}");
    assert.equal(quietOf(), quiet);
    assert.equal(fs.readFileSync(path.join(home, "credentials.json"), "utf8"), "{}");
    assert.ok(fs.lstatSync(path.join(quiet, "credentials.json")).isSymbolicLink());
    assert.equal(fs.lstatSync(path.join(quiet, "gone"), { throwIfNoEntry: false }), undefined);
  });

  it("leaves the home as it is where two files of one name disagree", () => {
    const quiet = quietOf();
    fs.writeFileSync(path.join(quiet, "credentials.json"), "1");
    fs.writeFileSync(path.join(home, "credentials.json"), "2");
    assert.equal(quietOf(), home);
  });

  it("lets the program find its own files in the real home", () => {
    assert.equal(pulumiHome(lightened({ PULUMI_HOME: home })), home);
  });

  it("changes nothing where the plain SDK is asked for", () => {
    const plain = { PULUMI_HOME: home, NATS_HUB_LEAF_PLAIN_SDK: "1" };
    assert.deepEqual(lightened(plain), plain);
  });
});
