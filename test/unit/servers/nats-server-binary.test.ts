import { createAccount, createOperator, createUser, fromSeed } from "@nats-io/nkeys";
import fc from "fast-check";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { checkConfig, findNatsServer, maskOutput } from "../../../servers/nats-server-binary";
import { Refusal } from "../../../machine/refusal";
import versions from "../../../machine/versions.json";
import { inTempFolder, withEnvironment } from "../providers/temp-folder";

const text = (seed: Uint8Array): string => new TextDecoder().decode(seed);

describe("the nats-server to run", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ PATH: [temp.path("a"), temp.path("b")].join(delimiter), PULUMI_HOME: temp.path("home") }));

  /** A program that answers `-v` like a nats-server of that version. */
  const put = (file: string, version: string): string => script(file, `echo "nats-server: v${version}"`);
  const script = (file: string, body: string): string => {
    mkdirSync(dirname(temp.path(file)), { recursive: true });
    writeFileSync(temp.path(file), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return temp.path(file);
  };
  const pinned = `home/nats-server/${versions.natsServer.version}/nats-server`;

  it("is the first on PATH that is new enough", async () => {
    put("a/nats-server", "2.15.0");
    put("b/nats-server", "2.16.1");
    assert.deepEqual(await findNatsServer(), { path: temp.path("a/nats-server"), version: "2.15.0" });
  });

  it("is not one on PATH that is too old", async () => {
    put("a/nats-server", "2.9.25");
    put("b/nats-server", "2.15.2");
    assert.equal((await findNatsServer()).path, temp.path("b/nats-server"));
  });

  it("compares versions as numbers", async () => {
    put("a/nats-server", "2.100.0");
    assert.equal((await findNatsServer()).version, "2.100.0");
  });

  it("is the one of `make install` when PATH has none", async () => {
    put(pinned, versions.natsServer.version);
    assert.equal((await findNatsServer()).path, temp.path(pinned));
  });

  it("is the one of `make install` when that on PATH does not run", async () => {
    script("a/nats-server", "exit 1");
    put(pinned, versions.natsServer.version);
    assert.equal((await findNatsServer()).path, temp.path(pinned));
  });

  it("is none where there is none: the refusal says how to get one", async () => {
    await assert.rejects(
      findNatsServer(),
      new Refusal(
        "nats-server 2.15.0 or newer is needed, but none was found; run 'make install', or set natsServer to the path of one",
      ),
    );
  });

  it("is none where all are too old: the refusal names each, its version, and why that is too old", async () => {
    put("a/nats-server", "2.10.27");
    put("b/nats-server", "2.14.9");
    await assert.rejects(findNatsServer(), (error: Error) => {
      assert.match(error.message, /a\/nats-server is 2\.10\.27, .*b\/nats-server is 2\.14\.9: older ones neither/);
      return true;
    });
  });

  it("is the given one, whatever PATH has", async () => {
    put("a/nats-server", "2.15.2");
    const given = put("opt/server", "2.16.0");
    assert.deepEqual(await findNatsServer(given), { path: given, version: "2.16.0" });
  });

  it("is never another than the given one: too old is refused", async () => {
    put("a/nats-server", "2.15.2");
    const given = put("opt/server", "2.14.0");
    await assert.rejects(findNatsServer(given), (error: Error) => {
      assert.equal(
        error.message.startsWith(`natsServer: ${given} is version 2.14.0, but 2.15.0 or newer is needed: `),
        true,
      );
      return true;
    });
  });

  it("is never another than the given one: missing, or no nats-server, is refused", async () => {
    put("a/nats-server", "2.15.2");
    for (const given of [temp.path("none"), script("opt/other", "echo hello"), temp.path("a")]) {
      await assert.rejects(
        findNatsServer(given),
        new Refusal(
          `natsServer: ${given} is not a nats-server that runs here; correct the path, or remove the setting`,
        ),
      );
    }
  });

  it("is asked again once its file was replaced", async () => {
    const given = put("opt/server", "2.14.0");
    await assert.rejects(findNatsServer(given));
    await new Promise((resolve) => setTimeout(resolve, 5));
    put("opt/server", "2.15.2");
    assert.equal((await findNatsServer(given)).version, "2.15.2");
  });

  describe("checks a configuration", () => {
    it("and gives its digest", async () => {
      const path = script("server", `echo "nats-server: configuration file x is valid (sha256:0a1b)" >&2`);
      assert.equal(await checkConfig({ path, version: "2.15.2" }, temp.path("x.conf")), "sha256:0a1b");
    });

    it("and refuses with the server's own words, without the path of the trial file", async () => {
      const path = script("server", `echo "nats-server: $3:7:9: unknown field \\"creds\\"" >&2; exit 1`);
      await assert.rejects(
        checkConfig({ path, version: "2.15.2" }, temp.path("x.conf")),
        new Refusal('nats-server.conf:7:9: unknown field "creds"'),
      );
    });

    it("and shows no seed of a refused one, not even a mistyped one", async () => {
      const seed = text(createUser().getSeed());
      const mistyped = `${seed.slice(0, 9)}1${seed.slice(10)}`;
      const path = script(
        "server",
        `echo "x:1:2: Remote leafnode nkey is not a valid seed: \\"${mistyped}\\"" >&2; exit 1`,
      );
      await assert.rejects(checkConfig({ path, version: "2.15.2" }, temp.path("x.conf")), (error: Error) => {
        assert.equal(error.message, 'x:1:2: Remote leafnode nkey is not a valid seed: "(masked)"');
        return true;
      });
    });
  });
});

describe("masked seeds", () => {
  const makers = [createUser, createAccount, createOperator];
  const seed = fc.nat(makers.length - 1).map((i) => text(makers[i]!().getSeed()));
  const around = fc.constantFrom("", " ", '"', "'", "=", "\n", "\\n", ":", ",", "{", "seed_", "[1] ", "x");

  it("are nowhere in the text, whatever stands around them", () => {
    fc.assert(
      fc.property(
        around,
        seed,
        around,
        (before, one, after) => !maskOutput(before + one + after).includes(one.slice(2)),
      ),
    );
  });

  it("are nowhere in the text when one character is wrong, or the end is missing", () => {
    const wrong = fc.constantFrom("0", "1", "8", "9", "a", "z");
    fc.assert(
      fc.property(seed, fc.integer({ min: 2, max: 57 }), wrong, (one, at, character) => {
        const mistyped = one.slice(0, at) + character + one.slice(at + 1);
        return maskOutput(`nkey: ${mistyped}`) === `nkey: ${one.slice(0, 2)}…(masked)`;
      }),
    );
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 24, max: 57 }),
        (one, end) => !maskOutput(one.slice(0, end)).includes(one.slice(2, 10)),
      ),
    );
  });

  it("are all masked when there are several", () => {
    fc.assert(
      fc.property(fc.array(seed, { maxLength: 3 }), (seeds) => {
        const masked = maskOutput(seeds.join(" "));
        return seeds.every((one) => !masked.includes(one));
      }),
    );
  });

  it("leave public keys alone, which findings name", () => {
    fc.assert(
      fc.property(seed, (one) => {
        const key = fromSeed(new TextEncoder().encode(one)).getPublicKey();
        return maskOutput(`its remote has key ${key}`) === `its remote has key ${key}`;
      }),
      { numRuns: 30 },
    );
  });

  it("leave ordinary words alone", () => {
    const words = 'SUBJECT SOURCE SUBSCRIBE server oslo [ERR] Authorization Violation - Account "OSLO" SU SUABC';
    assert.equal(maskOutput(words), words);
  });
});
