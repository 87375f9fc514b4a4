import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { backendFolder, clearEmptyAttributes, lockFolder, namedBackend } from "../../../../commands/stack/backend";
import { inTempFolder } from "../../providers/temp-folder";

describe("the backend that is named", () => {
  const PROJECT = "name: x\nbackend:\n  # why\n  url: file://./.state?create_dir=true&metadata=skip\n";

  it("is the environment's, before the project's", () => {
    assert.equal(namedBackend({ PULUMI_BACKEND_URL: "s3://bucket" }, PROJECT), "s3://bucket");
    assert.equal(namedBackend({}, PROJECT), "file://./.state?create_dir=true&metadata=skip");
    assert.equal(namedBackend({ PULUMI_BACKEND_URL: "" }, PROJECT), "file://./.state?create_dir=true&metadata=skip");
  });

  it("is none where neither names one", () => assert.equal(namedBackend({}, "name: x\n"), undefined));
});

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

describe("attributes that a killed run left empty", () => {
  const STATE = ".pulumi/stacks/nats-hub-leaf/dev.json.gz";
  const HISTORY = ".pulumi/history/nats-hub-leaf/dev/dev-1.checkpoint.json.gz";
  const LOCK = ".pulumi/locks/organization/nats-hub-leaf/dev/1.json";
  const temp = inTempFolder();
  const write = (name: string, text: string): string => {
    const file = temp.path(name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  };
  const clear = () => clearEmptyAttributes(temp.path(), "nats-hub-leaf", "dev");

  it("are cleared away from the state, its history and its lock", () => {
    const files = [STATE, HISTORY, LOCK].map((name) => write(`${name}.attrs`, ""));
    clear();
    assert.deepEqual(
      files.filter((file) => fs.existsSync(file)),
      [],
    );
  });

  it("are all that is: whole ones, the state itself and other projects stay", () => {
    const files = [
      write(STATE, ""),
      write(`${HISTORY}.attrs`, "{}"),
      write(".pulumi/stacks/another/dev.json.attrs", ""),
    ];
    clear();
    assert.deepEqual(
      files.filter((file) => !fs.existsSync(file)),
      [],
    );
  });

  it("need no state to be there", () => clear());
});
