import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { natsServerBinary, onPath, pulumiBinary, pulumiHome } from "../../../machine/locate";
import versions from "../../../machine/versions.json";

describe("where the toolchain lies", () => {
  it("is PULUMI_HOME when that is set", () => {
    assert.equal(pulumiHome({ PULUMI_HOME: "/opt/pulumi" }), "/opt/pulumi");
  });

  it("is .pulumi in the home folder when PULUMI_HOME is not set, or empty", () => {
    assert.equal(pulumiHome({}), path.join(os.homedir(), ".pulumi"));
    assert.equal(pulumiHome({ PULUMI_HOME: "" }), path.join(os.homedir(), ".pulumi"));
  });

  it("is for the CLI the place where npm's launcher looks", () => {
    assert.equal(pulumiBinary({ PULUMI_HOME: "/opt/p" }), `/opt/p/versions/${versions.pulumiCli}/bin/pulumi`);
  });

  it("is for nats-server a folder of its version", () => {
    assert.equal(
      natsServerBinary({ PULUMI_HOME: "/opt/p" }),
      `/opt/p/nats-server/${versions.natsServer.version}/nats-server`,
    );
  });

  describe("on PATH", () => {
    let folder: string;
    beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-path-"))));
    afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

    const put = (name: string, text: string, mode: number): void => {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), text, { mode });
    };

    it("finds all of a name, in PATH's order", () => {
      put("b/tool", "x", 0o755);
      put("a/tool", "x", 0o755);
      const PATH = [path.join(folder, "b"), path.join(folder, "none"), path.join(folder, "a")].join(path.delimiter);
      assert.deepEqual(onPath("tool", { PATH }), [path.join(folder, "b/tool"), path.join(folder, "a/tool")]);
    });

    it("passes over files that are not executable or empty", () => {
      put("a/tool", "x", 0o644);
      put("b/tool", "", 0o755);
      const PATH = [path.join(folder, "a"), path.join(folder, "b")].join(path.delimiter);
      assert.deepEqual(onPath("tool", { PATH }), []);
    });
  });
});
