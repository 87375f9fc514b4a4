import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:https";
import { createServer as createSocket } from "node:net";
import { delimiter } from "node:path";
import {
  type EngineAccess,
  EngineUnreachable,
  engineName,
  optionsOf,
  saidBy,
  statusOf,
  withEngine,
} from "../../../../servers/docker/engine";
import { Refusal } from "../../../../machine/refusal";
import { makeAuthority, makeServerCertificate, newKey } from "../../../../servers/x509";
import { inTempFolder, withEnvironment } from "../../providers/temp-folder";
import { withFakeDocker } from "./fake-docker";

const ping = (engine: EngineAccess, timeoutMs?: number): Promise<unknown> =>
  withEngine(engine, (docker) => docker.ping(), timeoutMs);

/** The message of an engine that cannot be reached. */
async function unreachable(trying: Promise<unknown>): Promise<string> {
  const error: unknown = await trying.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof EngineUnreachable, String(error));
  return error.message;
}

describe("a Docker engine", () => {
  const temp = inTempFolder();
  const docker = withFakeDocker();
  beforeEach(
    () => (docker.answer = ({ what }) => (what === "GET /_ping" ? [200] : [404, { message: "no such thing" }])),
  );

  describe("is reached", () => {
    for (const elsewhere of ["tcp://192.0.2.1:2376", "ssh://edge@oslo.example", undefined])
      describe(`where the settings say, with ${elsewhere ?? "nothing"} in the environment`, () => {
        withEnvironment(() => ({ DOCKER_HOST: elsewhere, DOCKER_CERT_PATH: undefined }));

        it("through its socket", async () => {
          await ping({ url: docker.url });
          assert.deepEqual(
            docker.asked.map(({ what }) => what),
            ["GET /_ping"],
          );
        });

        it("over the network", () => {
          const { host, port, protocol, socketPath, ca } = optionsOf({ url: "tcp://[2001:db8::1]" });
          assert.deepEqual(
            [host, port, protocol, socketPath, ca],
            ["2001:db8::1", "2375", "http", undefined, undefined],
          );
        });
      });

    describe("where the environment says", () => {
      withEnvironment(() => ({ DOCKER_HOST: docker.url, DOCKER_CERT_PATH: undefined }));

      it("when the settings name none", async () => {
        await ping({});
        assert.equal(docker.asked.length, 1);
        assert.equal(engineName({}), docker.url);
      });
    });

    describe("at its usual place", () => {
      withEnvironment(() => ({ DOCKER_HOST: "", HOME: temp.path() }));

      it("when nobody names one", () => {
        assert.match(optionsOf({}).socketPath ?? "", /\/docker\.sock$/);
        assert.match(engineName({}), /^unix:\/\/\/.*docker\.sock$/);
      });
    });
  });

  describe("that cannot be reached", () => {
    it("is named with the cure: no socket", async () => {
      const url = `unix://${temp.path("none.sock")}`;
      assert.equal(
        await unreachable(ping({ url })),
        `Docker engine ${url}: connect ENOENT ${temp.path("none.sock")}: nothing listens on its socket; ` +
          "install or start Docker, or correct the setting 'engine'",
      );
    });

    it("is named with the cure: nobody listens", async () => {
      const port = await closedPort();
      assert.match(
        await unreachable(ping({ url: `tcp://127.0.0.1:${port}` })),
        /^Docker engine tcp:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .*: nothing listens there; start Docker, or /,
      );
    });

    it("is named with the cure: it does not answer in time", async () => {
      docker.answer = () => undefined;
      assert.equal(
        await unreachable(ping({ url: docker.url }, 50)),
        `Docker engine ${docker.url}: it was silent for too long: it does not answer; bring the machine or its network back`,
      );
    });

    for (const [code, cure] of [
      ["EACCES", "this user may not use its socket; add the user to the group 'docker', or run as another user"],
      ["ENOTFOUND", "its host name is not known; correct the setting 'engine'"],
      ["EHOSTUNREACH", "its host cannot be reached; bring the machine or its network back"],
      ["ECONNRESET", "it closed the connection; see its log, and check that the certificates match"],
      ["EUNHEARDOF", "bring the engine back, or correct the setting 'engine'"],
    ] as const)
      it(`is named with the cure: ${code}`, async () => {
        const failing = withEngine({ url: "tcp://oslo.example" }, () =>
          Promise.reject(Object.assign(new Error(`connect ${code}`), { code })),
        );
        assert.equal(await unreachable(failing), `Docker engine tcp://oslo.example: connect ${code}: ${cure}`);
      });
  });

  describe("that refuses", () => {
    it("is quoted in its own words, with its status", async () => {
      docker.answer = () => [409, { message: "container nats-dev-hub is not running" }];
      const error: unknown = await ping({ url: docker.url }).catch((thrown: unknown) => thrown);
      assert.equal(error instanceof EngineUnreachable, false);
      assert.equal(statusOf(error), 409);
      assert.equal(saidBy(error), "container nats-dev-hub is not running");
    });

    it("is refused with the cure when it wants certificates and was given none", async () => {
      docker.answer = () => [400, { message: "Client sent an HTTP request to an HTTPS server." }];
      assert.match(
        await unreachable(ping({ url: docker.url })),
        /: Client sent an HTTP request to an HTTPS server\.: give the certificates that match it in 'engineCertificates'$/,
      );
    });

    it("leaves alone what the work itself refuses", async () => {
      const refusal = new Refusal("oslo: no");
      await assert.rejects(
        withEngine({ url: docker.url }, () => Promise.reject(refusal)),
        refusal,
      );
    });
  });

  describe("at tcp:// with TLS", () => {
    let server: Server;
    let url: string;
    const pem = (name: string, text: string) => writeFileSync(temp.path(`${name}.pem`), text);
    beforeEach(async () => {
      const [caKey, now, validity] = [newKey(), Date.now(), 3_600_000];
      const ca = { key: caKey, certificate: await makeAuthority({ name: "engine", key: caKey, validity, now }) };
      const signed = async (owner: string, role: "hub" | "site", names: string[]) => {
        const key = newKey();
        return { key, cert: await makeServerCertificate({ owner, role, names, ca, key, validity, now }) };
      };
      const own = await signed("client", "site", []);
      for (const [name, text] of Object.entries({ ca: ca.certificate, ...own })) pem(name, text);
      const ofEngine = await signed("engine", "hub", ["127.0.0.1"]);
      server = createServer({ ...ofEngine, ca: ca.certificate, requestCert: true }, (_, response) =>
        response.end("OK"),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      url = `tcp://127.0.0.1:${address.port}`;
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it("is reached with the certificates that are given", () => ping({ url, certificates: temp.path() }));

    it("is refused with the cure when it does not have one of that CA's", async () => {
      const key = newKey();
      pem("ca", await makeAuthority({ name: "another", key, validity: 3_600_000, now: Date.now() }));
      assert.match(
        await unreachable(ping({ url, certificates: temp.path() })),
        /certificate.*: give the certificates that match it in 'engineCertificates'$/,
      );
    });

    it("says which file of its certificates is missing", async () => {
      assert.equal(
        await unreachable(ping({ url, certificates: temp.path("none") })),
        `Docker engine ${url}: ENOENT: no such file or directory, open '${temp.path("none", "ca.pem")}'; ` +
          "put it there, or correct 'engineCertificates'",
      );
    });
  });

  describe("at ssh://", () => {
    withEnvironment(() => ({ PATH: `${temp.path()}${delimiter}${process.env.PATH ?? ""}`, TALKS_TO: docker.socket }));

    /** Puts a program in the place of ssh. */
    const ssh = (script: string): void => {
      writeFileSync(temp.path("ssh"), script);
      chmodSync(temp.path("ssh"), 0o700);
    };
    const passOn = () =>
      ssh(
        `#!${process.execPath}
        require("node:fs").writeFileSync(__dirname + "/arguments", JSON.stringify(process.argv.slice(2)));
        const socket = require("node:net").connect(process.env.TALKS_TO);
        process.stdin.pipe(socket).pipe(process.stdout);`,
      );

    it("is reached with this machine's ssh, which asks nobody and fails when the machine is silent", async () => {
      passOn();
      await ping({ url: "ssh://edge@oslo.example:2222" });
      assert.equal(docker.asked.length, 1);
      const args = JSON.parse(readFileSync(temp.path("arguments"), "utf8")) as string[];
      assert.deepEqual(args.slice(-9), [
        ...["-l", "edge", "-p", "2222", "--", "oslo.example"],
        ...["docker", "system", "dial-stdio"],
      ]);
      for (const option of ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5"])
        assert.ok(args.includes(option), option);
    });

    it("is asked at the socket that its address names, and only once logged in to for requests in a row", async () => {
      passOn();
      await ping({ url: "ssh://oslo.example/run/user/1000/docker.sock" });
      const args = JSON.parse(readFileSync(temp.path("arguments"), "utf8")) as string[];
      assert.deepEqual(args.slice(-4), [
        "docker",
        "'--host=unix:///run/user/1000/docker.sock'",
        "system",
        "dial-stdio",
      ]);
      rmSync(temp.path("arguments"));
      await ping({ url: "ssh://oslo.example/run/user/1000/docker.sock" });
      assert.equal(docker.asked.length, 2);
      assert.equal(existsSync(temp.path("arguments")), false);
    });

    it("is not logged in to by more than a few at once", async () => {
      passOn();
      let [now, most] = [0, 0];
      docker.opened = () => (most = Math.max(most, ++now));
      await Promise.all(Array.from({ length: 12 }, () => ping({ url: "ssh://many.example" })));
      assert.deepEqual([docker.asked.length, most], [12, 4]);
    });

    it("is given up when it is silent for too long", async () => {
      passOn();
      docker.answer = () => undefined;
      assert.match(
        await unreachable(ping({ url: "ssh://silent.example" }, 500)),
        /silent for too long: it does not answer; bring the machine or its network back$/,
      );
    });

    it("is worked with there: many bytes, there and back", async () => {
      passOn();
      const bytes = Buffer.alloc(3_000_000, "nats");
      docker.answer = ({ body }) => [200, body];
      const echo = await withEngine({ url: "ssh://oslo.example" }, async (client) => {
        await client.getContainer("hub").putArchive(bytes, { path: "/" });
        return docker.asked.at(-1)?.body;
      });
      assert.ok(echo?.equals(bytes));
    });

    for (const [said, cure] of [
      ["Host key verification failed", /connect to it once with ssh by hand, check its key and accept it/],
      ["edge@oslo.example: Permission denied (publickey)", /let this user's ssh log in there/],
      ["bash: line 1: docker: command not found", /install Docker there, on the PATH that a command over ssh has/],
      ["permission denied while trying to connect to the Docker daemon socket", /add it to the group 'docker'/],
      ["dial unix /var/run/docker.sock: connect: permission denied", /add it to the group 'docker'/],
      ["dial unix /var/run/docker.sock: connect: no such file or directory", /start Docker there/],
      ["ssh: connect to host oslo.example port 22: No route to host", /bring the engine back, or correct the setting/],
    ] as const)
      it(`is refused in the words of ssh: ${said}`, async () => {
        ssh(`#!/bin/sh\nprintf 'Warning: something else\\r\\n%s.\\r\\n' '${said}' >&2\nexit 255\n`);
        const message = await unreachable(ping({ url: "ssh://edge@oslo.example" }));
        assert.ok(message.startsWith(`Docker engine ssh://edge@oslo.example: ${said}: `), message);
        assert.match(message, cure);
      });

    it("is refused in clear words when its host key has changed", async () => {
      ssh(
        "#!/bin/sh\necho '@ REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.' >&2\nexit 255\n",
      );
      assert.equal(
        await unreachable(ping({ url: "ssh://changed.example" })),
        "Docker engine ssh://changed.example: its host key is not the known one: " +
          "make sure that it is the right machine; then remove the old key from the known hosts (ssh-keygen -R)",
      );
    });
  });

  describe("with what would lead the plugin elsewhere in the environment", () => {
    withEnvironment(() => ({ DOCKER_HOST: undefined, DOCKER_CERT_PATH: "certs", DOCKER_CONTEXT: "work" }));
    const unset = /the Docker plugin uses the certificates of DOCKER_CERT_PATH for this engine too.*: unset it/;

    it("is refused where the plugin would use certificates that fit nothing", async () => {
      assert.match(await unreachable(ping({ url: docker.url })), unset);
      assert.match(await unreachable(ping({})), unset);
      process.env.DOCKER_HOST = "ssh://oslo.example";
      assert.match(await unreachable(ping({})), unset);
    });

    it("takes certificates from there at tcp://, as the plugin does, and none at ssh://", async () => {
      assert.match(await unreachable(ping({ url: "tcp://127.0.0.1:1" })), /open 'certs\/ca\.pem'/);
      assert.equal(optionsOf({ url: "ssh://oslo.example" }).host, "docker");
    });

    it("is refused where a context is all that names it", async () => {
      delete process.env.DOCKER_CERT_PATH;
      assert.match(
        await unreachable(ping({})),
        /DOCKER_CONTEXT names 'work', but contexts are not read here: set DOCKER_/,
      );
      await ping({ url: docker.url });
      process.env.DOCKER_HOST = docker.url;
      await ping({});
    });
  });
});

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createSocket();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}
