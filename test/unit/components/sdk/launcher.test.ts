import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

/** The program that serves Pulumi's dynamic resources, as the engine starts it from Pulumi.yaml. */

const ROOT = path.join(__dirname, "../../../..");
const FOLDER = path.join(ROOT, "components/sdk/launcher");
const LAUNCHER = path.join(FOLDER, "pulumi-resource-pulumi-nodejs");
const LARGE = ["typescript/lib", "@npmcli/arborist"];

/** Tells on its error stream, when it is asked by a signal, which of the large modules were loaded. */
const reporter = `process.on("SIGUSR2", () => {
  const loaded = ${JSON.stringify(LARGE)}.filter((part) => Object.keys(require.cache).some((file) => file.includes(part)));
  process.stderr.write("loaded: " + JSON.stringify(loaded) + "\\n");
});`;

async function lineOf(child: ChildProcess, from: "stdout" | "stderr", pattern: RegExp): Promise<string> {
  let text = "";
  const stream = child[from];
  assert.ok(stream);
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += chunk.toString();
    const found = pattern.exec(text);
    if (found !== null) return found[0];
  }
  throw new Error(`ended without ${String(pattern)}: ${text}`);
}

describe("the launcher of dynamic resources", () => {
  let child: ChildProcess | undefined;

  afterEach(async () => {
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    child = undefined;
  });

  it("is what Pulumi.yaml names, and can be executed", () => {
    const project = parse(fs.readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8")) as {
      plugins: { providers: { name: string; path: string }[] };
    };
    assert.deepEqual(project.plugins.providers, [{ name: "pulumi-nodejs", path: "./components/sdk/launcher" }]);
    fs.accessSync(LAUNCHER, fs.constants.X_OK);
  });

  it("serves without the compiler and npm's dependency tree, which cost half a second", async () => {
    const preload = path.join(fs.mkdtempSync("/tmp/launcher-"), "reporter.js");
    fs.writeFileSync(preload, reporter);
    child = spawn(LAUNCHER, ["127.0.0.1:1"], {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: `--require ${preload}` },
    });
    try {
      // The engine reads the port of the service from the first line.
      assert.match(await lineOf(child, "stdout", /^\d+\n/), /^\d+\n$/);
      const report = lineOf(child, "stderr", /loaded: .*\n/);
      child.kill("SIGUSR2");
      assert.equal(await report, "loaded: []\n");
    } finally {
      fs.rmSync(path.dirname(preload), { recursive: true, force: true });
    }
  });
});
