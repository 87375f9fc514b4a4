import assert from "node:assert/strict";
import * as os from "node:os";
import * as path from "node:path";
import { backendFolder, lockFolder } from "../../../toolchain/backend";

describe("the backend's folder", () => {
  it("is found from the project's folder, without the URL's options", () => {
    assert.equal(backendFolder("file://./.state?create_dir=true", "/project"), "/project/.state");
  });

  it("may be absolute or in the home folder", () => {
    assert.equal(backendFolder("file:///var/state", "/project"), "/var/state");
    assert.equal(backendFolder("file://~", "/project"), os.homedir());
    assert.equal(backendFolder("file://~/state", "/project"), path.join(os.homedir(), "state"));
  });

  it("is none where the state lies elsewhere", () => {
    assert.equal(backendFolder("s3://bucket", "/project"), undefined);
  });

  it("keeps the locks of each stack of each project apart", () => {
    assert.equal(lockFolder("/s", "nats-hub-leaf", "dev"), "/s/.pulumi/locks/organization/nats-hub-leaf/dev");
  });
});
