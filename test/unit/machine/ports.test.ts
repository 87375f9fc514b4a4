import assert from "node:assert/strict";
import fs, { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { allocatePort, isFree, releasePort } from "../../../machine/ports";
import { inTempFolder, withEnvironment } from "../providers/temp-folder";

describe("ports", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ PULUMI_HOME: temp.path("home") }));
  const registry = (...parts: string[]) => temp.path("home", "nats-hub-leaf", "ports", ...parts);
  const server = (name: string): string => {
    mkdirSync(temp.path(name), { recursive: true });
    return temp.path(name);
  };

  it("are below those that the kernel hands to outgoing connections", async () => {
    const port = await allocatePort(server("oslo"));
    assert.equal(port >= 20_000 && port <= 29_999, true);
  });

  it("are reserved by a private file that names the server's folder", async () => {
    const port = await allocatePort(server("oslo"));
    assert.equal(readFileSync(registry(String(port)), "utf8"), temp.path("oslo"));
    assert.equal(statSync(registry(String(port))).mode & 0o777, 0o600);
  });

  it("never meet, whoever asks at the same time", async () => {
    const folders = Array.from({ length: 40 }, (_, i) => server(`site-${i}`));
    const ports = await Promise.all(folders.map(allocatePort));
    assert.equal(new Set(ports).size, 40);
  });

  it("stay reserved while the server is stopped and its folder is there", async () => {
    const oslo = server("oslo");
    const port = await allocatePort(oslo);
    assert.equal(await isFree(port), true);
    const others = await Promise.all(Array.from({ length: 20 }, () => allocatePort(server("bergen"))));
    assert.equal(others.includes(port), false);
  });

  describe("looked for from a certain one on", () => {
    const random = Math.random;
    afterEach(() => (Math.random = random));
    const lookFrom = (port: number) => {
      Math.random = () => (port - 20_000) / 10_000 + 1e-9;
      mkdirSync(registry(), { recursive: true });
    };

    it("pass over what a living server holds", async () => {
      lookFrom(24_680);
      writeFileSync(registry("24680"), server("bergen"));
      assert.equal(await allocatePort(server("oslo")), 24_681);
    });

    it("take over what is held by a server whose folder is gone", async () => {
      lookFrom(24_680);
      writeFileSync(registry("24680"), temp.path("gone"));
      assert.equal(await allocatePort(server("oslo")), 24_680);
      assert.equal(readFileSync(registry("24680"), "utf8"), temp.path("oslo"));
    });

    it("pass over one that another run takes over at the same time", async () => {
      lookFrom(24_680);
      writeFileSync(registry("24680"), temp.path("gone"));
      const { existsSync } = fs;
      // The other one is quicker, between this one's look and what it does then.
      fs.existsSync = (path) => {
        if (path === temp.path("gone")) writeFileSync(registry("24680"), server("bergen"));
        return existsSync(path);
      };
      try {
        assert.equal(await allocatePort(server("oslo")), 24_681);
      } finally {
        fs.existsSync = existsSync;
      }
      assert.equal(readFileSync(registry("24680"), "utf8"), temp.path("bergen"));
      assert.deepEqual(readdirSync(registry()).sort(), ["24680", "24681"]);
    });

    it("pass over one that another run is about to take over", async () => {
      lookFrom(24_680);
      writeFileSync(registry("24680"), temp.path("gone"));
      writeFileSync(registry("24680.claim"), "");
      assert.equal(await allocatePort(server("oslo")), 24_681);
    });

    it("pass over one that a process listens on, and leave no reservation of it", async () => {
      lookFrom(24_680);
      const foreign = createServer();
      await new Promise<void>((resolve) => foreign.listen(24_680, "127.0.0.1", resolve));
      try {
        assert.equal(await allocatePort(server("oslo")), 24_681);
        assert.deepEqual(readdirSync(registry()), ["24681"]);
      } finally {
        foreign.close();
      }
    });

    it("go on at the low end after the last one", async () => {
      lookFrom(29_999);
      writeFileSync(registry("29999"), server("bergen"));
      assert.equal(await allocatePort(server("oslo")), 20_000);
    });

    it("pass over a reservation that another process has not finished writing", async () => {
      lookFrom(24_680);
      writeFileSync(registry("24680"), "");
      assert.equal(await allocatePort(server("oslo")), 24_681);
    });
  });

  it("are given back by the server that holds them", async () => {
    const port = await allocatePort(server("oslo"));
    releasePort(port, temp.path("oslo"));
    assert.deepEqual(readdirSync(registry()), []);
  });

  it("are not given back by another server", async () => {
    const port = await allocatePort(server("oslo"));
    releasePort(port, temp.path("bergen"));
    assert.deepEqual(readdirSync(registry()), [String(port)]);
  });

  it("that were never reserved are given back without an error", () => {
    releasePort(21_000, temp.path("oslo"));
  });

  it("cannot be reserved where a file is in the way of the folder: the refusal names it", async () => {
    mkdirSync(temp.path("home", "nats-hub-leaf"), { recursive: true });
    writeFileSync(temp.path("home", "nats-hub-leaf", "ports"), "");
    await assert.rejects(allocatePort(server("oslo")), (error: Error) => {
      assert.match(error.message, /nats-hub-leaf\/ports: ports cannot be reserved .*set PULUMI_HOME/);
      return true;
    });
    rmSync(temp.path("home"), { recursive: true });
  });
});
