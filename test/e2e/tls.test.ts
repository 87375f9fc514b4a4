import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { connect as connectTls } from "node:tls";
import type { RawSettings } from "../../configs/settings";
import { converse, endpointOf } from "../../servers/nats/connection";
import { makeAuthority, makeServerCertificate, newKey } from "../../servers/x509";
import { Stack } from "../support/stacks/cli";
import { arrived, hubStart, linkIds, publish } from "../support/stacks/traffic";

// Leaf links with TLS: both ends verified, renewed without dropping a link.

const settings = (links: NonNullable<RawSettings["links"]>): RawSettings => ({
  links,
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
});

const pem = (stack: Stack, server: string, file: string): string => {
  const folder = server === "hub" ? "hub" : path.join("sites", server);
  return fs.readFileSync(path.join(stack.fleet, folder, file), "utf8");
};

/**
 * The serial number of the certificate that the hub's leafnode listener shows to a site; the error when it hangs up
 * within the time (ms).
 */
async function shownTo(stack: Stack, identity: { ca: string; link?: string }, timeoutMs = 300): Promise<string> {
  const { host, port } = endpointOf((await stack.outputs()).hub.leafnodes);
  const net = await import("node:net");
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once("data", () => {
      const { ca, link } = identity;
      const own = link === undefined ? {} : { cert: link, key: link };
      const secure = connectTls({ socket, ca, ...own, servername: "hub" });
      secure.once("secureConnect", () => {
        const serial = secure.getPeerCertificate().serialNumber;
        // A server that refuses the client's certificate says so after the handshake (TLS 1.3).
        secure.once("data", () => resolve(serial));
        setTimeout(() => resolve(serial), timeoutMs).unref();
        secure.once("error", (error: Error) => resolve(error.message));
      });
      secure.once("error", (error: Error) => resolve(error.message));
    });
  });
}

/** Enough for a hub that is busy. */
const REFUSAL_TIMEOUT_MS = 3_000;

/** Certificate and key of a site of somebody else's stack. */
async function strangersLink(): Promise<string> {
  const [caKey, key, now, validity] = [newKey(), newKey(), Date.now(), 3_600_000];
  const certificate = await makeAuthority({ name: "another", key: caKey, validity, now });
  const ca = { certificate, key: caKey };
  return `${await makeServerCertificate({ owner: "oslo", role: "site", names: [], ca, key, validity, now })}${key}`;
}

describe("TLS on leaf links", () => {
  let stack: Stack;
  let links: Record<string, number>;
  before(async () => {
    stack = await Stack.create("tls", settings({ tls: "generated", validity: "30d", renewBefore: "1d" }));
    await stack.up();
    links = await linkIds(stack);
  });
  after(() => stack.remove());

  it("is what the proven links use", async () => {
    const { proof } = await stack.outputs();
    assert.deepEqual(
      proof.map(({ site, link, status }) => [site, link, status]),
      [
        ["oslo", "up", "proven"],
        ["bergen", "up", "proven"],
      ],
    );
    const { hub } = await stack.outputs();
    const { info } = await converse(endpointOf(hub.leafnodes), { timeoutMs: 2_000 });
    assert.deepEqual(
      [(info as { tls_required?: boolean }).tls_required, (info as { tls_verify?: boolean }).tls_verify],
      [true, true],
    );
  });

  it("refuses a site that has no certificate, and one of another CA's", async () => {
    const ca = pem(stack, "oslo", "ca.pem");
    assert.match(await shownTo(stack, { ca, link: pem(stack, "oslo", "link.pem") }), /^[0-9A-F]+$/);
    const refusal = /certificate required|bad certificate|unknown ca|ECONNRESET|socket hang up|closed/i;
    assert.match(await shownTo(stack, { ca }, REFUSAL_TIMEOUT_MS), refusal);
    assert.match(await shownTo(stack, { ca, link: await strangersLink() }, REFUSAL_TIMEOUT_MS), refusal);
  });

  it("is followed by a clean preview", () => stack.isClean());

  it("is renewed by a reload: no link drops, and the hub shows the new certificate", async () => {
    const identity = { ca: pem(stack, "oslo", "ca.pem"), link: pem(stack, "oslo", "link.pem") };
    const before = { serial: await shownTo(stack, identity), hub: await hubStart(stack) };
    stack.configure(settings({ tls: "generated", validity: "60d", renewBefore: "1d" }));
    const { output } = await stack.up();
    assert.match(output, /hub: up reloads the hub with other certificates; links stay/);
    assert.notEqual(await shownTo(stack, identity), before.serial);
    assert.deepEqual(await hubStart(stack), before.hub);
    assert.deepEqual(await linkIds(stack), links);
    const client = await stack.applicationOf("oslo");
    const texts = await publish(client, "oslo", { first: 0, count: 20 });
    assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
  });

  it("shows in a preview when somebody changed a certificate by hand, and up repairs it", async () => {
    const file = path.join(stack.fleet, "sites/oslo/link.pem");
    fs.copyFileSync(path.join(stack.fleet, "sites/bergen/link.pem"), file);
    const { output } = await stack.succeeds("preview");
    assert.match(output, /site oslo: its server has certificates that were changed by hand; up repairs it/);
    await stack.up();
    await stack.isClean();
  });

  it("has no key in clear in the state", async () => {
    const keys = ["hub", "oslo", "bergen"].map((server) => pem(stack, server, "link.pem"));
    const bodies = keys.map((text) => /BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/]{40})/.exec(text)?.[1] ?? "none");
    for (const { file, text } of stack.stateTexts()) {
      for (const body of bodies) assert.equal(text.includes(body), false, file);
    }
  });

  it("takes certificates that are given as files by a reload, and refuses wrong ones before anything is touched", async () => {
    const folder = path.join(stack.folder, "certs");
    fs.mkdirSync(folder);
    const parts = (server: string): { certificate: string; key: string } => {
      const [certificate = "", key = ""] = pem(stack, server, "link.pem").split(/(?=-----BEGIN PRIVATE)/);
      return { certificate, key };
    };
    fs.writeFileSync(path.join(folder, "ca.pem"), pem(stack, "hub", "ca.pem"));
    for (const server of ["hub", "oslo", "bergen"]) {
      fs.writeFileSync(path.join(folder, `${server}.pem`), parts(server).certificate);
      fs.writeFileSync(path.join(folder, `${server}-key.pem`), parts(server).key);
    }
    stack.configure(settings({ tls: "given", certificates: "certs" }));
    const bergensKey = fs.readFileSync(path.join(folder, "bergen-key.pem"));
    fs.rmSync(path.join(folder, "bergen-key.pem"));
    fs.copyFileSync(path.join(folder, "bergen-key.pem").replace("bergen", "oslo"), path.join(folder, "hub-key.pem"));
    const { output } = await stack.fails("preview");
    assert.match(output, /certificates of hub: key: .* belong/);
    assert.match(output, /bergen-key\.pem: .*; put it there, or correct the folder/);
    fs.writeFileSync(path.join(folder, "bergen-key.pem"), bergensKey);
    fs.writeFileSync(path.join(folder, "hub-key.pem"), parts("hub").key);
    await stack.up();
    assert.deepEqual(await linkIds(stack), links);
    await stack.isClean();
  });

  it("is given up by a restart of the hub, and the sites come back", async () => {
    stack.configure(settings({}));
    assert.match((await stack.up()).output, /hub: up restarts the hub/);
    await stack.isClean();
    assert.equal(fs.existsSync(path.join(stack.fleet, "hub/link.pem")), false);
  });
});
