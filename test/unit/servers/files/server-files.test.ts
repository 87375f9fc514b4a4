import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalFiles, withLock } from "../../../../servers/files/server-files";
import { inTempFolder } from "../../providers/temp-folder";

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("the files of a server on this machine", () => {
  const temp = inTempFolder();
  const filesOf = (folder = "oslo") => new LocalFiles(temp.path(folder));

  it("lie in its folder, which messages name, beside its store and its log", () => {
    const { where, paths } = filesOf();
    assert.equal(where, temp.path("oslo"));
    assert.deepEqual(paths, { store: temp.path("oslo", "jetstream"), log: temp.path("oslo", "nats-server.log") });
  });

  it("are read as they were written", () => {
    filesOf().write("hub.json", "{}\n");
    assert.equal(filesOf().read("hub.json"), "{}\n");
  });

  it("are undefined where there are none", () => {
    assert.equal(filesOf().read("hub.json"), undefined);
    assert.equal(filesOf().read("links/oslo.json"), undefined);
  });

  it("are for this user alone, as are the folders that they are in", () => {
    filesOf("dev/hub").write("links/oslo.json", "{}");
    assert.deepEqual(
      ["dev", "dev/hub", "dev/hub/links", "dev/hub/links/oslo.json"].map((path) => modeOf(temp.path(path))),
      [0o700, 0o700, 0o700, 0o600],
    );
  });

  it("are for this user alone when they replace one that everybody may read", () => {
    mkdirSync(temp.path("oslo"));
    writeFileSync(temp.path("oslo", "link.pem"), "old", { mode: 0o644 });
    filesOf().write("link.pem", "new");
    assert.deepEqual([filesOf().read("link.pem"), modeOf(temp.path("oslo", "link.pem"))], ["new", 0o600]);
  });

  it("are gone when they are removed, whether they were there or not", () => {
    filesOf().write("hub.json", "{}");
    for (const name of ["hub.json", "hub.json", "links/oslo.json"]) filesOf().remove(name);
    assert.deepEqual(readdirSync(temp.path("oslo")), []);
  });

  it("are listed by folder, in order", () => {
    for (const name of ["hub.json", "links/oslo.json", "links/bergen.json"]) filesOf().write(name, "{}");
    assert.deepEqual(filesOf().list("links"), ["bergen.json", "oslo.json"]);
  });

  it("are none in a folder that is not there, which is not made", () => {
    assert.deepEqual(filesOf().list("links"), []);
    assert.equal(existsSync(temp.path("oslo")), false);
  });

  it("are where the server reads them as soon as they are written: nothing is left to publish", async () => {
    filesOf().write("hub.json", "{}");
    await filesOf().publish();
    assert.deepEqual(readdirSync(temp.path("oslo")), ["hub.json"]);
  });

  describe("while one works on them", () => {
    it("let the next wait until it is done", async () => {
      const order: string[] = [];
      const work = (name: string) => async () => {
        order.push(`${name} begins`);
        await sleep(10);
        order.push(`${name} ends`);
      };
      await Promise.all(["a", "b"].map((name) => filesOf().locked(work(name))));
      const [first] = (order[0] ?? "").split(" ");
      const second = first === "a" ? "b" : "a";
      assert.deepEqual(order, [`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`]);
    });

    it("let one on those of another server go on", async () => {
      const done = await filesOf("oslo").locked(() => filesOf("bergen").locked(async () => "done"));
      assert.equal(done, "done");
    });

    it("are free again when it fails, with its error", async () => {
      const failing = filesOf().locked(() => Promise.reject(new Error("no room")));
      await assert.rejects(failing, { message: "no room" });
      assert.equal(await filesOf().locked(async () => "mine"), "mine");
    });
  });

  it("fail what has their lock when the folder goes away meanwhile, and nothing else", async () => {
    const work = async () => {
      rmSync(temp.path("oslo.lock"), { recursive: true });
      // The lock looks after itself each second.
      await sleep(1_500);
    };
    await assert.rejects(withLock(temp.path("oslo"), work, 2_000), /oslo\.lock/);
  });
});
