import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import versions from "../../../machine/versions.json";

const ROOT = path.resolve(__dirname, "../../..");
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");

interface PackageFile {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

describe("pinned versions", () => {
  const packageFile = JSON.parse(read("package.json")) as PackageFile;

  it("has one version for the Pulumi CLI, its npm launcher and the SDK", () => {
    assert.equal(packageFile.devDependencies.pulumi, versions.pulumiCli);
    assert.equal(packageFile.dependencies["@pulumi/pulumi"], versions.pulumiCli);
  });

  it("builds the same Pulumi CLI with Go", () => {
    assert.ok(
      read("commands/toolchain/go/pulumi/go.mod").includes(`github.com/pulumi/pulumi/pkg/v3 v${versions.pulumiCli}\n`),
    );
  });

  it("builds the pinned language host with Go", () => {
    const module = read("commands/toolchain/go/language-nodejs/go.mod");
    assert.ok(module.includes(`github.com/pulumi/pulumi/sdk/v3 v${versions.pulumiLanguageNodejs}\n`));
  });

  it("builds the pinned nats-server with Go", () => {
    const module = read("commands/toolchain/go/nats-server/go.mod");
    assert.ok(module.includes(`github.com/nats-io/nats-server/v2 v${versions.natsServer.version}\n`));
  });

  it("builds the pinned tools of the tests with Go", () => {
    const { natsCli, natsExporter, actionlint } = versions.testTools;
    assert.ok(read("commands/toolchain/go/actionlint/go.mod").includes(`github.com/rhysd/actionlint v${actionlint}\n`));
    assert.ok(read("commands/toolchain/go/nats-cli/go.mod").includes(`github.com/nats-io/natscli v${natsCli}\n`));
    const exporter = read("commands/toolchain/go/nats-exporter/go.mod");
    assert.ok(exporter.includes(`github.com/nats-io/prometheus-nats-exporter v${natsExporter}\n`));
  });

  it("pins every npm package to one exact version", () => {
    const all = { ...packageFile.dependencies, ...packageFile.devDependencies };
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    assert.deepEqual(loose, []);
  });

  it("names no registry in the lock file, so that each machine uses its own", () => {
    assert.doesNotMatch(read("package-lock.json"), /"resolved"/);
  });
});
