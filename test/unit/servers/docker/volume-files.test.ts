import assert from "node:assert/strict";
import { isGone } from "../../../../servers/docker/archive";
import { VolumeFiles, makeStore } from "../../../../servers/docker/volume-files";
import { inTempFolder } from "../../providers/temp-folder";
import { archiveOf, entriesOf, withFakeDocker } from "./fake-docker";

const FOLDER = "/nats/config";

describe("the files of a server in a container", () => {
  const temp = inTempFolder();
  const docker = withFakeDocker();
  /** The volume: what was put there last, or what a test puts there. */
  let volume: Record<string, string>;
  beforeEach(() => {
    volume = {};
  });

  /** Opens the files of a container whose volume holds what `volume` does. */
  async function opened(): Promise<VolumeFiles> {
    const archive = await archiveOf("config", volume);
    docker.answer = ({ what }) => {
      if (what === "GET /containers/0a1b/archive") return [200, archive];
      return what === "PUT /containers/0a1b/archive" ? [200] : [404, { message: "No such container: 0a1b" }];
    };
    return VolumeFiles.open(
      { url: docker.url },
      { container: "0a1b", name: "nats-dev-hub", lockFolder: temp.path("hub") },
    );
  }

  const written = async () => entriesOf(docker.asked.at(-1)!.body);

  /** Publishes, and opens what was published. */
  async function reopened(files: VolumeFiles): Promise<VolumeFiles> {
    await files.publish();
    volume = Object.fromEntries((await written()).map(({ name, text }) => [name, text]));
    return opened();
  }

  it("are named in messages by their container, and know where the server finds its store", async () => {
    const { where, paths } = await opened();
    assert.deepEqual([where, paths], ["container nats-dev-hub", { store: "/nats/data/store" }]);
    assert.deepEqual(docker.asked[0]?.query, { path: FOLDER });
  });

  it("are none in a fresh volume", async () => {
    const files = await opened();
    assert.deepEqual([files.read("nats-server.conf"), files.list("links")], [undefined, []]);
  });

  it("are read as they were published, in folders too", async () => {
    const files = await opened();
    const texts = { "nats-server.conf": "port: 4222\n", "hub.json": '{"a":"ü"}', "links/oslo.UA.json": "{}\n" };
    for (const [name, text] of Object.entries(texts)) files.write(name, text);
    const after = await reopened(files);
    for (const [name, text] of Object.entries(texts)) assert.equal(after.read(name), text);
  });

  it("are listed by folder, in order and without those of other folders", async () => {
    const files = await opened();
    for (const name of ["links/b.json", "links/a.json", "linksmore/c.json", "hub.json"]) files.write(name, "{}");
    assert.deepEqual((await reopened(files)).list("links"), ["a.json", "b.json"]);
  });

  it("change nothing before they are published", async () => {
    (await opened()).write("hub.json", "{}");
    assert.deepEqual(
      docker.asked.map(({ what }) => what),
      ["GET /containers/0a1b/archive"],
    );
  });

  it("are root's and readable for the server's group alone", async () => {
    const files = await opened();
    files.write("hub.json", "{}");
    await files.publish();
    for (const { type, mode, uid, gid } of await written())
      assert.deepEqual([type, mode, uid, gid], ["file", 0o440, 0, 1000]);
  });

  it("are written with the configuration last, and with one file for all that is in folders", async () => {
    const files = await opened();
    for (const name of ["nats-server.conf", "links/oslo.json", "links/bergen.json", "link.pem"]) files.write(name, "x");
    await files.publish();
    const entries = await written();
    assert.deepEqual(
      entries.map(({ name }) => name),
      ["link.pem", "folders.json", "nats-server.conf"],
    );
    assert.deepEqual(JSON.parse(entries[1]!.text), { "links/oslo.json": "x", "links/bergen.json": "x" });
    assert.deepEqual(docker.asked.at(-1)?.query, { path: FOLDER });
  });

  it("are gone once they are removed: one of a folder, and one that the archive endpoint can only empty", async () => {
    volume = { "link.pem": "old", "folders.json": JSON.stringify({ "links/oslo.json": "{}" }) };
    const files = await opened();
    for (const name of ["link.pem", "links/oslo.json"]) files.remove(name);
    assert.deepEqual([files.read("link.pem"), files.list("links")], [undefined, []]);
    const after = await reopened(files);
    assert.deepEqual([after.read("link.pem"), after.list("links")], [undefined, []]);
    assert.equal(volume["link.pem"], "");
  });

  it("leave no trace of one that was never there and is removed", async () => {
    const files = await opened();
    files.remove("link.pem");
    await files.publish();
    assert.deepEqual(
      (await written()).map(({ name }) => name),
      ["folders.json"],
    );
  });

  it("are changed by one at a time", async () => {
    const files = await opened();
    const order: string[] = [];
    const step = (name: string) =>
      files.locked(async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push(`${name} ends`);
      });
    await Promise.all([step("one"), step("two")]);
    assert.deepEqual(
      order.map((text) => text.split(" ")[1]),
      ["begins", "ends", "begins", "ends"],
    );
  });

  it("pass on that the container is gone", async () => {
    const opening = VolumeFiles.open(
      { url: docker.url },
      { container: "gone", name: "nats-dev-hub", lockFolder: temp.path("hub") },
    );
    await assert.rejects(opening, isGone);
  });

  it("have a store beside them that the server alone may use", async () => {
    docker.answer = () => [200];
    await makeStore({ url: docker.url }, "0a1b");
    assert.deepEqual(docker.asked.at(-1)?.query, { path: "/nats/data" });
    const [store] = await written();
    assert.deepEqual(store, { name: "store/", type: "directory", mode: 0o700, uid: 1000, gid: 1000, text: "" });
  });
});
