import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pulumiBinary, pulumiBinFolder, PULUMI_EXECUTABLES } from "../../../machine/locate";
import { pulumiCli } from "../../../commands/toolchain/pulumi-cli";
import versions from "../../../machine/versions.json";

/** A complete installation of Pulumi, to the eye: its CLI only says its version. */
function pretender(folder: string, version: string): string {
  fs.mkdirSync(folder, { recursive: true });
  for (const name of PULUMI_EXECUTABLES) {
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho v${version}\n`, { mode: 0o755 });
  }
  return path.join(folder, "pulumi");
}

describe("the Pulumi CLI for this machine", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-cli-"));
    env = { PULUMI_HOME: path.join(folder, "home"), PATH: path.join(folder, "bin") };
    fs.mkdirSync(env.PULUMI_HOME!);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("is the one that `npx pulumi` runs, even when PATH has another", async () => {
    pretender(path.join(folder, "bin"), "3.999.0");
    const inHome = pretender(pulumiBinFolder(env), versions.pulumiCli);
    assert.equal(await pulumiCli(env).find(), inHome);
  });

  it("is the one on PATH when the Pulumi home has none", async () => {
    assert.equal(await pulumiCli(env).find(), undefined);
    const onPath = pretender(path.join(folder, "bin"), "3.999.0");
    assert.equal(await pulumiCli(env).find(), onPath);
  });

  it("is not one on PATH that is older than the SDK", async () => {
    pretender(path.join(folder, "bin"), "3.100.0");
    assert.equal(await pulumiCli(env).find(), undefined);
  });

  it("is not complete without the language host", async () => {
    pretender(pulumiBinFolder(env), versions.pulumiCli);
    fs.rmSync(path.join(pulumiBinFolder(env), "pulumi-language-nodejs"));
    assert.equal(await pulumiCli(env).find(), undefined);
  });

  describe("by download", () => {
    /** Stands in for npm's launcher: it "downloads" into the Pulumi home it is given. */
    function launcher(script: string): string {
      const file = path.join(folder, "launcher.js");
      fs.writeFileSync(file, script);
      return file;
    }
    const put = (names: readonly string[], version: string): string => `
      const fs = require("fs"), path = require("path");
      const bin = path.join(process.env.PULUMI_HOME, "versions", process.env.PULUMI_VERSION, "bin");
      fs.mkdirSync(bin, { recursive: true });
      for (const name of ${JSON.stringify(names)})
        fs.writeFileSync(path.join(bin, name), "#!/bin/sh\\necho v${version}\\n", { mode: 0o755 });`;
    const download = (script: string): Promise<void> => pulumiCli(env, launcher(script)).ways[0]!.run();
    const nothingInHome = (): void => assert.deepEqual(fs.readdirSync(env.PULUMI_HOME!), []);

    it("moves a complete release to its place", async () => {
      await download(put([...PULUMI_EXECUTABLES, "pulumi-language-go"], versions.pulumiCli));
      assert.equal(await pulumiCli(env).find(), pulumiBinary(env));
      assert.equal(fs.readdirSync(pulumiBinFolder(env)).length, PULUMI_EXECUTABLES.length + 1);
      assert.deepEqual(fs.readdirSync(env.PULUMI_HOME!), ["versions"]);
    });

    it("leaves nothing of a release without the language host", async () => {
      await assert.rejects(download(put(["pulumi"], versions.pulumiCli)), { message: /lacks the language host/ });
      nothingInHome();
    });

    it("leaves nothing of another version", async () => {
      await assert.rejects(download(put(PULUMI_EXECUTABLES, "3.1.0")), { message: /it says it is version '3\.1\.0'/ });
      nothingInHome();
    });

    it("leaves nothing when it fails, and says why", async () => {
      await assert.rejects(download(`console.error("pulumi: fetch failed"); process.exit(1);`), {
        message: /exited with code 1\n {4}pulumi: fetch failed/,
      });
      nothingInHome();
    });
  });
});
