import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { natsServerBinary } from "../../../machine/locate";
import { downloadNatsServer, natsServer } from "../../../commands/toolchain/nats-server";
import { publishedSum } from "../../../commands/toolchain/release";
import versions from "../../../machine/versions.json";

const VERSION = versions.natsServer.version;

/** A program that says what nats-server says of its version. */
function pretender(folder: string, version: string): string {
  const file = path.join(folder, "nats-server");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
  return file;
}

describe("nats-server for this machine", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-nats-"));
    env = { PULUMI_HOME: path.join(folder, "home"), PATH: path.join(folder, "bin") };
    fs.mkdirSync(env.PULUMI_HOME!);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("is the one on PATH when that is new enough", async () => {
    const onPath = pretender(path.join(folder, "bin"), versions.natsServer.minimum);
    assert.equal(await natsServer(env).find(), onPath);
  });

  it("is the one in the Pulumi home when the one on PATH is too old", async () => {
    pretender(path.join(folder, "bin"), "2.9.10");
    const inHome = pretender(path.dirname(natsServerBinary(env)), VERSION);
    assert.equal(await natsServer(env).find(), inHome);
  });

  it("is missing when there is none", async () => {
    assert.equal(await natsServer(env).find(), undefined);
  });

  describe("by download", () => {
    let site: http.Server;
    let files: Record<string, Buffer>;
    const releases = (): string => `http://127.0.0.1:${(site.address() as AddressInfo).port}/releases`;

    beforeEach(async () => {
      files = {};
      site = http.createServer((request, response) => {
        const file = files[path.basename(request.url ?? "")];
        response.writeHead(file === undefined ? 404 : 200).end(file);
      });
      await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => new Promise((resolve) => site.close(resolve)));

    /** Publishes archives for every platform the way the project does, with the sums of `summed` (default: true ones). */
    function publish(saysVersion: string, summed?: Buffer): void {
      const lines: string[] = [];
      for (const platform of ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"]) {
        const inside = `nats-server-v${VERSION}-${platform}`;
        pretender(path.join(folder, "pack", inside), saysVersion);
        const archive = spawnSync("tar", ["-czf", "-", "-C", path.join(folder, "pack"), inside]).stdout;
        files[`${inside}.tar.gz`] = archive;
        lines.push(
          `${createHash("sha256")
            .update(summed ?? archive)
            .digest("hex")}  ${inside}.tar.gz`,
        );
      }
      files.SHA256SUMS = Buffer.from(`${lines.join("\n")}\n`);
    }

    // The programs that the test stands in for are scripts: the real PATH runs tar and sh.
    const nothingInHome = (): void => assert.deepEqual(fs.readdirSync(env.PULUMI_HOME!), []);

    it("takes an archive whose checksum is the published one", async () => {
      publish(VERSION);
      await downloadNatsServer(env, releases());
      assert.equal(await natsServer(env).find(), natsServerBinary(env));
      assert.deepEqual(fs.readdirSync(path.dirname(natsServerBinary(env))), ["nats-server"]);
    });

    it("refuses an archive with another checksum and leaves nothing", async () => {
      publish(VERSION, Buffer.from("something else"));
      await assert.rejects(downloadNatsServer(env, releases()), { message: /has SHA-256 .*it was not used/ });
      nothingInHome();
    });

    it("refuses a program that says it is another version", async () => {
      publish("2.14.0");
      await assert.rejects(downloadNatsServer(env, releases()), {
        message: `it says it is version '2.14.0', not ${VERSION}`,
      });
      nothingInHome();
    });

    it("says what could not be fetched", async () => {
      await assert.rejects(downloadNatsServer(env, releases()), { message: /SHA256SUMS: HTTP 404$/ });
    });

    it("says so when the place cannot be reached", async () => {
      await assert.rejects(downloadNatsServer(env, "http://127.0.0.1:9"), { message: /SHA256SUMS: not reachable/ });
    });
  });

  describe("published checksums", () => {
    const sum = "a".repeat(64);

    it("are found by the file's whole name", () => {
      assert.equal(publishedSum(`${"b".repeat(64)}  x.tar.gz.asc\n${sum}  x.tar.gz\n`, "x.tar.gz"), sum);
    });

    it("may carry the mark of binary mode", () => {
      assert.equal(publishedSum(`${sum} *x.tar.gz\n`, "x.tar.gz"), sum);
    });

    it("are none when the line holds no SHA-256", () => {
      assert.equal(publishedSum("abc  x.tar.gz\n", "x.tar.gz"), undefined);
    });
  });
});
