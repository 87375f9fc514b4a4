import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onPath } from "../../machine/locate";
import { Stack } from "../support/stacks/cli";
import { until } from "../support/until";

// The systemd unit that `watch --unit` prints: systemd accepts it, and what it starts works with what it gives.

const parsed = (unit: string): [string, string][] =>
  unit.split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf("=");
    return at < 1 || line.startsWith("#") ? [] : [[line.slice(0, at), line.slice(at + 1)]];
  });

describe("the systemd unit of watch", () => {
  let stack: Stack;
  let unit: string;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-unit-"));
    stack = await Stack.create("served", { sites: [{ name: "oslo" }] });
    await stack.up();
    const { code, stdout } = await stack.shell("node commands/bin.js watch --stack served --unit");
    assert.equal(code, 0);
    unit = stdout;
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await stack.remove();
  });

  const values = (name: string): string[] => parsed(unit).flatMap(([key, value]) => (key === name ? [value] : []));

  it("is accepted by systemd, where there is one", function () {
    if (onPath("systemd-analyze").length === 0) return this.skip();
    const file = join(folder, "nats-hub-leaf-watch-served.service");
    writeFileSync(file, unit);
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    assert.deepEqual([status, stdout, stderr], [0, "", ""]);
  });

  it("has no secret in it, starts again always, and gives no right that is not needed", () => {
    assert.equal(unit.includes(stack.passphrase), false);
    assert.doesNotMatch(unit, /SU[A-Z2-7]{56}/);
    const wanted = { Restart: "always", NoNewPrivileges: "yes", ProtectSystem: "strict", CapabilityBoundingSet: "" };
    for (const [name, value] of Object.entries(wanted)) assert.deepEqual(values(name), [value], name);
  });

  it("starts a watcher that gets the passphrase as a file, and writes nowhere", async () => {
    const file = join(folder, "passphrase");
    writeFileSync(file, stack.passphrase, { mode: 0o600 });
    const environment = values("Environment").map((one) => one.replace("%d", folder));
    // What ProtectSystem and ProtectHome do: nothing can be written but below /dev and /proc.
    const canProtect = process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0;
    const readOnly = canProtect ? "mount -o remount,bind,ro / && ! touch . 2> /dev/null && " : "";
    const line = `${readOnly}cd ${values("WorkingDirectory")[0]} && exec env -i PATH="$PATH" HOME="$HOME" ${environment.join(" ")} ${values("ExecStart")[0]}`;
    const command = canProtect ? `exec unshare --mount bash -c '${line}'` : line;
    const { child, ended } = stack.startShell(command, { PULUMI_CONFIG_PASSPHRASE: "" });
    let said = "";
    child.stdout?.on("data", (text: string) => (said += text));
    try {
      await until("it watches", () => /watching the links of oslo/.test(said) || child.exitCode !== null);
    } finally {
      child.kill("SIGTERM");
    }
    const { code, output } = await ended;
    assert.match(output, /watching the links of oslo/);
    assert.equal(code, 0, output);
  });
});
