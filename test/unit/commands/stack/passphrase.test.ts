import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { passphraseCure, wrongPassphrase } from "../../../../commands/stack/passphrase";
import { inTempFolder } from "../../providers/temp-folder";

const ROOT = path.resolve(__dirname, "../../../..");

/** In another shell than the one that the stack was made in. */
describe("a passphrase that does not open the stack's secrets", () => {
  const temp = inTempFolder();
  const target = (stack: string, env: NodeJS.ProcessEnv) => ({ binary: "", projectFolder: temp.path(), stack, env });
  beforeEach(() => fs.copyFileSync(path.join(ROOT, "Pulumi.dev.yaml"), temp.path("Pulumi.dev.yaml")));

  it("is known by the salt in the stack's file", () => {
    assert.equal(wrongPassphrase(target("dev", { PULUMI_CONFIG_PASSPHRASE: "" })), undefined);
    assert.match(wrongPassphrase(target("dev", { PULUMI_CONFIG_PASSPHRASE: "abc" })) ?? "", /^stack 'dev': /);
  });

  it("cannot be known without a salt, or where a key service has them", () => {
    fs.writeFileSync(temp.path("Pulumi.lab.yaml"), "config: {}\n");
    assert.equal(wrongPassphrase(target("lab", { PULUMI_CONFIG_PASSPHRASE: "abc" })), undefined);
    fs.appendFileSync(temp.path("Pulumi.dev.yaml"), "secretsprovider: awskms://alias/x\n");
    assert.equal(wrongPassphrase(target("dev", { PULUMI_CONFIG_PASSPHRASE: "abc" })), undefined);
  });

  const CURES: Record<string, { stack: string; env: NodeJS.ProcessEnv; cure: RegExp }> = {
    "of dev, which has none": {
      stack: "dev",
      env: { PULUMI_CONFIG_PASSPHRASE: "abc" },
      cure: /'dev' needs none: run 'unset PULUMI_CONFIG_PASSPHRASE'$/,
    },
    "of dev, from a file": {
      stack: "dev",
      env: { PULUMI_CONFIG_PASSPHRASE_FILE: "f" },
      cure: /run 'unset PULUMI_CONFIG_PASSPHRASE_FILE'$/,
    },
    "of another stack, from a file": {
      stack: "prod",
      env: { PULUMI_CONFIG_PASSPHRASE_FILE: "f" },
      cure: /of PULUMI_CONFIG_PASSPHRASE_FILE, which is set in this shell; set it to that of 'prod'$/,
    },
    "of another stack, before its file": {
      stack: "prod",
      env: { PULUMI_CONFIG_PASSPHRASE: "abc", PULUMI_CONFIG_PASSPHRASE_FILE: "f" },
      cure: /or run 'unset PULUMI_CONFIG_PASSPHRASE' so that f is used$/,
    },
  };
  for (const [title, { stack, env, cure }] of Object.entries(CURES)) {
    it(`has a cure: ${title}`, () => assert.match(passphraseCure(target(stack, env)), cure));
  }
});
