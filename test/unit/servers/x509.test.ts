import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate, createPrivateKey, webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { GivenCertificate, certificateProblem } from "../../../providers/certificate";
import {
  KeyPair,
  Role,
  certificatesIn,
  dayOf,
  isDue,
  makeAuthority,
  makeServerCertificate,
  newKey,
  readCertificate,
} from "../../../servers/x509";

const DAY = 86_400_000;
const NOW = Date.parse("2027-03-01T12:00:00.789Z");

async function newCa(name = "dev", validity = 1000 * DAY): Promise<KeyPair> {
  const key = newKey();
  return { key, certificate: await makeAuthority({ name, key, validity, now: NOW }) };
}

async function newServer(ca: KeyPair, role: Role, names: string[] = [], now = NOW): Promise<KeyPair> {
  const key = newKey();
  const owner = role === "hub" ? "hub" : "oslo";
  return { key, certificate: await makeServerCertificate({ owner, role, names, key, ca, validity: 90 * DAY, now }) };
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

async function signingKey({ key }: KeyPair): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

/** A certificate that this program would not make; self-signed without an issuer. */
async function foreign(subject: string, extensions: x509.Extension[], issuer?: KeyPair): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const made = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer === undefined ? subject : new x509.X509Certificate(issuer.certificate).subject,
    publicKey: keys.publicKey,
    signingKey: issuer === undefined ? keys.privateKey : await signingKey(issuer),
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(NOW - DAY),
    notAfter: new Date(NOW + 90 * DAY),
    extensions,
  });
  return { certificate: made.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
}

describe("X.509", () => {
  let ca: KeyPair;
  let hub: KeyPair;
  let site: KeyPair;
  before(async () => {
    ca = await newCa();
    hub = await newServer(ca, "hub", ["hub.example", "127.0.0.1", "2001:db8::1"]);
    site = await newServer(ca, "site");
  });

  it("is not loaded by a stack that makes no certificate, nor to compare one", () => {
    const script = `
      const load = require("nats-hub-leaf/load");
      const { diff } = load("certificate");
      load("authority");
      const olds = JSON.parse(process.argv[1]);
      diff("oslo", olds, olds).then(({ changes }) => {
        const loaded = Object.keys(require.cache).some((file) => /peculiar|reflect-metadata/.test(file));
        console.log(JSON.stringify({ changes, loaded }));
      });`;
    const { notAfter } = readCertificate(site.certificate);
    const inputs = { owner: "oslo", role: "site", names: [], ca, validity: 90 * DAY, renewBefore: -1e15 };
    const olds = JSON.stringify({ ...inputs, ...site, notAfter: notAfter.toISOString() });
    const said = execFileSync(process.execPath, ["-e", script, olds], { encoding: "utf8" });
    assert.deepEqual(JSON.parse(said), { changes: false, loaded: false });
  });

  describe("reads", () => {
    it("what a certificate says", () => {
      assert.deepEqual(readCertificate(hub.certificate), {
        subject: "CN=hub",
        issuer: "O=nats-hub-leaf, CN=dev",
        notBefore: new Date("2027-03-01T11:00:00Z"),
        notAfter: new Date("2027-05-30T12:00:00Z"),
        names: ["hub.example", "127.0.0.1", "2001:db8::1"],
        isCa: false,
      });
      assert.equal(readCertificate(ca.certificate).isCa, true);
      assert.deepEqual(readCertificate(site.certificate).names, []);
    });

    it("a date that needs four digits for its year", async () => {
      const { certificate } = await newCa("dev", 30 * 365 * DAY);
      assert.equal(readCertificate(certificate).notAfter.toISOString(), "2057-02-21T12:00:00.000Z");
      assert.ok(new X509Certificate(certificate).raw.includes("20570221120000Z"));
    });

    it("names with commas as one name, and no e-mail addresses or URIs", async () => {
      const names = new x509.SubjectAlternativeNameExtension([
        { type: "email", value: "DNS:a@b.example" },
        { type: "dns", value: "a, DNS:evil.example" },
        { type: "url", value: "https://c.example/, DNS:d.example" },
        { type: "dns", value: "e.example" },
      ]);
      const { certificate } = await foreign("CN=x", [names]);
      assert.deepEqual(readCertificate(certificate).names, ["a, DNS:evil.example", "e.example"]);
    });

    it("the first of several, and says when there is none", () => {
      const both = `# hub\n${hub.certificate}\n# ca\n${ca.certificate}`;
      assert.equal(readCertificate(both).subject, "CN=hub");
      assert.equal(certificatesIn(both).length, 2);
      assert.throws(() => readCertificate(hub.key), /holds no certificate in PEM/);
      const broken = hub.certificate.replace(/\n.{20}/, "\n");
      assert.throws(() => readCertificate(broken), /cannot be read/);
    });
  });

  it("counts what is left against renewBefore", () => {
    const end = new Date(NOW + 10 * DAY).toISOString();
    assert.deepEqual(
      [9 * DAY, 10 * DAY, 10 * DAY + 1].map((renewBefore) => isDue(end, renewBefore, NOW)),
      [false, false, true],
    );
    assert.equal(dayOf(end), "2027-03-11");
  });

  describe("given as files", () => {
    const given = (change: Partial<GivenCertificate> = {}): GivenCertificate => ({
      ...hub,
      ca: ca.certificate,
      role: "hub",
      names: ["hub.example", "127.0.0.1"],
      now: NOW,
      ...change,
    });

    it("is right for a hub and for a site", () => {
      assert.equal(certificateProblem(given()), undefined);
      assert.equal(certificateProblem(given({ ...site, role: "site" })), undefined);
    });

    it("is right with several CAs, with a certificate between, and trusted by itself", async () => {
      const other = await newCa("other");
      assert.equal(certificateProblem(given({ ca: other.certificate + ca.certificate })), undefined);
      const signer = new x509.BasicConstraintsExtension(true, undefined, true);
      const root = await foreign("CN=root", [signer]);
      const between = await foreign("CN=between", [signer], root);
      const own = await newServer(between, "site");
      const chain = `${own.certificate}${between.certificate}\n`;
      const files = { role: "site", key: own.key, ca: root.certificate } as const;
      assert.equal(certificateProblem(given({ ...files, certificate: chain })), undefined);
      assert.match(certificateProblem(given({ ...files, certificate: own.certificate })) ?? "", /but by CN=between/);
      const alone = await foreign("CN=alone", []);
      assert.equal(certificateProblem(given({ ...alone, role: "site", ca: alone.certificate })), undefined);
    });

    it("counts the renewed of two certificates of one CA", async () => {
      const ended = { name: "dev", key: ca.key, validity: DAY, now: NOW - 10 * DAY };
      const old = await makeAuthority({ ...ended, before: ca.certificate });
      assert.match(certificateProblem(given({ ca: old })) ?? "", /^ca: O=nats-hub-leaf, CN=dev ended on 2027-02-20; /);
      assert.equal(certificateProblem(given({ ca: old + ca.certificate })), undefined);
    });

    const cases: [string, () => Promise<Partial<GivenCertificate>> | Partial<GivenCertificate>, RegExp][] = [
      ["no certificate", () => ({ certificate: hub.key }), /^certificate: holds no certificate; give a file in PEM/],
      ["an unreadable CA", () => ({ ca: ca.certificate.replace(/\n.{20}/, "\n") }), /^ca: .* cannot be read; give/],
      ["no key", () => ({ key: "x" }), /^key: holds no private key; give/],
      [
        "an encrypted key",
        () => ({
          key: createPrivateKey(hub.key)
            .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
            .toString(),
        }),
        /^key: is encrypted, but a server has no one to ask for the passphrase; give it decrypted/,
      ],
      ["another's key", () => ({ key: site.key }), /^key: does not belong to the certificate; give/],
      [
        "another CA of the same name",
        async () => ({ ca: (await newCa()).certificate }),
        /^certificate: CN=hub is not signed by the given CA, but by O=nats-hub-leaf, CN=dev; give/,
      ],
      [
        "a signature that only claims to be the CA's",
        async () => foreign("CN=hub", [], await newCa()),
        /^certificate: CN=hub is not signed by the given CA/,
      ],
      [
        "one that has ended",
        () => ({ now: NOW + 91 * DAY }),
        /^certificate: CN=hub ended on 2027-05-30; give a renewed/,
      ],
      [
        "one that is not valid yet",
        () => newServer(ca, "hub", ["hub.example"], NOW + DAY),
        /^certificate: CN=hub is not valid before 2027-03-02T11:00:00.000Z; give/,
      ],
      ["a site's for a hub", () => site, /^certificate: lacks the extended key usage serverAuth: the hub is dialled; /],
      [
        "a hub's for a site",
        () => ({ role: "site" }),
        /lacks the extended key usage clientAuth: a site dials; have it/,
      ],
      [
        "another name",
        () => ({ names: ["hub.example", "other.example"] }),
        /^certificate: is not for other.example, which the sites dial; it has hub.example, 127.0.0.1, 2001:db8::1; /,
      ],
      ["another address", () => ({ names: ["127.0.0.2"] }), /is not for 127.0.0.2, which the sites dial; /],
      [
        "a name in the common name only",
        async () => ({ ...(await newServer(ca, "hub")), names: ["hub"] }),
        /is not for hub, which the sites dial; it has no name; /,
      ],
      [
        "a CA that is none",
        async () => {
          const noCa = await foreign("CN=none", [new x509.BasicConstraintsExtension(false, undefined, true)]);
          return { ...(await foreign("CN=hub", [], noCa)), ca: noCa.certificate };
        },
        /^ca: CN=none is not a CA; give a CA's certificate$/,
      ],
    ];
    for (const [title, change, problem] of cases) {
      it(`is refused with ${title}`, async () => {
        const files = given(await change());
        const said = certificateProblem(files) ?? "";
        assert.match(said, problem);
        assert.ok(!said.includes(files.key.split("\n")[1] ?? "none"));
      });
    }

    it("is right with a usage for everything, or with none", async () => {
      for (const extensions of [[], [new x509.ExtendedKeyUsageExtension(["2.5.29.37.0"])]]) {
        const own = await foreign("CN=oslo", extensions, ca);
        assert.equal(new X509Certificate(own.certificate).ca, false);
        assert.equal(certificateProblem(given({ ...own, role: "site" })), undefined);
      }
    });
  });
});
