import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import * as authority from "../../../providers/authority";
import { CertificateInputs, CertificateOutputs, create, diff, remove, update } from "../../../providers/certificate";
import { UNKNOWN } from "../../../configs/values";
import { KeyPair } from "../../../servers/x509";
import { reported } from "./reported";

const DAY = 86_400_000;
const NOW = Date.now();
const CA: authority.AuthorityInputs = { name: "dev", validity: 1000 * DAY, renewBefore: 200 * DAY };

const BASIC_CONSTRAINTS_NO_CA = "0603551d130101ff04023000";
const KEY_USAGE_DIGITAL_SIGNATURE = "0603551d0f0101ff040403020780";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

describe("the certificate of a server", () => {
  let ca: authority.AuthorityOutputs;
  let otherCa: authority.AuthorityOutputs;
  let hub: CertificateOutputs;
  let site: CertificateOutputs;
  const signer = ({ certificate, key }: KeyPair): KeyPair => ({ certificate, key });
  const inputs = (change: Partial<CertificateInputs> = {}): CertificateInputs => ({
    owner: "oslo",
    role: "site",
    names: [],
    ca: signer(ca),
    validity: 90 * DAY,
    renewBefore: 30 * DAY,
    ...change,
  });
  const made = async (change: Partial<CertificateInputs> = {}, now = NOW) => (await create(inputs(change), now)).outs;
  const hubInputs = { owner: "hub", role: "hub", names: ["localhost", "127.0.0.1", "::1", "*.hub.example"] } as const;
  const read = ({ certificate }: KeyPair) => new X509Certificate(certificate);
  const updated = async (change: Partial<CertificateInputs> = {}, days = 0) =>
    (await update("oslo", site, inputs(change), NOW + days * DAY)).outs;

  before(async () => {
    ca = (await authority.create(CA, NOW)).outs;
    otherCa = (await authority.create(CA, NOW)).outs;
    hub = await made({ ...hubInputs, names: [...hubInputs.names] });
    site = await made();
  });

  async function changes(change: Partial<Record<keyof CertificateInputs, unknown>>, days = 0) {
    let found = false;
    const news = { ...inputs(), ...change } as CertificateInputs;
    const lines = await reported(async () => (found = (await diff("oslo", site, news, NOW + days * DAY)).changes));
    return { changes: found, lines };
  }

  describe("as it is made", () => {
    it("is signed by the CA, for its owner, and is no CA", () => {
      for (const [own, name] of [[hub, "hub"] as const, [site, "oslo"] as const]) {
        const certificate = read(own);
        assert.equal(certificate.checkIssued(read(ca)) && certificate.verify(read(ca).publicKey), true);
        assert.equal(certificate.verify(read(otherCa).publicKey), false);
        assert.deepEqual([certificate.subject, certificate.ca], [`CN=${name}`, false]);
        assert.equal(certificate.issuer, read(ca).subject);
        const der = certificate.raw.toString("hex");
        assert.ok(der.includes(BASIC_CONSTRAINTS_NO_CA) && der.includes(KEY_USAGE_DIGITAL_SIGNATURE));
      }
    });

    it("is a hub's for servers only, a site's for clients only", () => {
      assert.deepEqual(read(hub).keyUsage, [SERVER_AUTH]);
      assert.deepEqual(read(site).keyUsage, [CLIENT_AUTH]);
    });

    it("has an ECDSA P-256 key of its own", () => {
      for (const own of [hub, site]) {
        assert.equal(read(own).checkPrivateKey(createPrivateKey(own.key)), true);
        assert.equal(read(own).publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
      }
      assert.notEqual(hub.key, site.key);
    });

    it("is for the names and addresses that the sites dial", () => {
      const certificate = read(hub);
      const never = { subject: "never" } as const;
      for (const name of ["localhost", "a.hub.example"]) assert.notEqual(certificate.checkHost(name, never), undefined);
      for (const name of ["hub", "hub.example", "127.0.0.1"]) {
        assert.equal(certificate.checkHost(name, never), undefined, name);
      }
      for (const address of ["127.0.0.1", "::1"]) assert.equal(certificate.checkIP(address), address);
      assert.equal(certificate.checkIP("127.0.0.2"), undefined);
      assert.equal(read(site).subjectAltName, undefined);
    });

    it("is valid from an hour ago, for its validity", () => {
      const { validFrom, validTo } = read(site);
      const second = Math.floor(NOW / 1000) * 1000;
      assert.equal(Date.parse(validFrom), second - 3_600_000);
      assert.equal(Date.parse(validTo), second + 90 * DAY);
      assert.equal(site.notAfter, new Date(second + 90 * DAY).toISOString());
    });

    it("has a random serial number of 128 bits", () => {
      assert.notEqual(read(hub).serialNumber, read(site).serialNumber);
      for (const own of [hub, site]) assert.match(read(own).serialNumber, /^[0-9A-F]{26,32}$/);
    });
  });

  describe("changes", () => {
    it("not while nothing does, and not until renewBefore", async () => {
      assert.deepEqual(await changes({}), { changes: false, lines: [] });
      assert.deepEqual(await changes({}, 59), { changes: false, lines: [] });
    });

    it("with a word, when less than renewBefore is left", async () => {
      const lines = [`certificate of oslo ends on ${site.notAfter.slice(0, 10)}; up renews it`];
      assert.deepEqual(await changes({}, 61), { changes: true, lines });
      assert.deepEqual(await changes({ renewBefore: 91 * DAY }), { changes: true, lines });
    });

    it("with a word, when another CA is given", async () => {
      const lines = ["certificate of oslo is not signed by the CA; up makes another"];
      assert.deepEqual(await changes({ ca: signer(otherCa) }), { changes: true, lines });
    });

    it("when an input differs", async () => {
      const renewedCa = signer((await authority.update("dev", ca, { ...CA, validity: DAY }, NOW)).outs);
      const others = {
        owner: "bergen",
        role: "hub",
        names: ["a.example"],
        validity: DAY,
        renewBefore: DAY,
        ca: renewedCa,
      };
      for (const [input, value] of Object.entries(others)) {
        assert.deepEqual(await changes({ [input]: value }), { changes: true, lines: [] }, input);
      }
    });

    it("never for what is not known, unless its time has come", async () => {
      const unknown = Object.fromEntries(Object.keys(inputs()).map((key) => [key, UNKNOWN]));
      for (const change of [unknown, { ca: UNKNOWN }, { ca: { certificate: UNKNOWN, key: UNKNOWN } }]) {
        assert.deepEqual(await changes(change), { changes: false, lines: [] });
        assert.equal((await changes(change, 61)).changes, true);
      }
    });
  });

  describe("after an update", () => {
    it("is the same, with the same key, when nothing in it changed", async () => {
      const { certificate, key, notAfter } = site;
      const renewedCa = signer((await authority.update("dev", ca, { ...CA, validity: DAY }, NOW)).outs);
      for (const change of [{}, { renewBefore: DAY }, { ca: renewedCa }]) {
        assert.deepEqual(await updated(change), { ...inputs(change), certificate, key, notAfter });
      }
    });

    it("is another, with another key, when its time has come or it must say something else", async () => {
      for (const [change, days] of [
        [{}, 61],
        [{ names: ["a.example"] }, 0],
        [{ validity: 80 * DAY }, 0],
        [{ owner: "bergen" }, 0],
        [{ role: "hub" as const }, 0],
        [{ ca: signer(otherCa) }, 0],
      ] as const) {
        const outs = await updated({ ...change, names: "names" in change ? [...change.names] : [] }, days);
        assert.notEqual(outs.certificate, site.certificate);
        assert.notEqual(outs.key, site.key);
        assert.equal(read(outs).checkPrivateKey(createPrivateKey(outs.key)), true);
        assert.equal(read(outs).checkIssued(new X509Certificate(outs.ca.certificate)), true);
      }
    });

    it("leaves nothing behind when it goes", async () => {
      await remove();
      assert.equal((await create(inputs(), NOW)).id, "oslo");
    });
  });

  describe("in a handshake in which the hub requires a certificate", () => {
    /** "accepted", "refused by the hub", or why the site refuses. */
    function handshake(
      own: KeyPair,
      peer: KeyPair | undefined,
      {
        host = "localhost",
        hubTrusts = ca,
        siteTrusts = ca,
      }: { host?: string; hubTrusts?: KeyPair; siteTrusts?: KeyPair } = {},
    ): Promise<string> {
      return new Promise((resolve, reject) => {
        const required = { requestCert: true, rejectUnauthorized: true };
        const server = createServer({ cert: own.certificate, key: own.key, ca: hubTrusts.certificate, ...required });
        const done = (result: string) => server.close(() => resolve(result));
        server.on("error", reject).on("tlsClientError", () => undefined);
        server.on("secureConnection", (socket) => socket.on("error", () => undefined).end("INFO"));
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo;
          const identity = peer === undefined ? {} : { cert: peer.certificate, key: peer.key };
          // An address is never a name of the handshake; the certificate is still compared with it.
          const name = /^[\d.]+$/.test(host) ? { host, servername: "" } : { host: "127.0.0.1", servername: host };
          const client = connect({ port, ca: siteTrusts.certificate, ...name, ...identity });
          let result = "refused by the hub";
          client.on("data", () => (result = "accepted"));
          client.on("error", (error: NodeJS.ErrnoException) => {
            if (!client.authorized) result = error.code ?? error.message;
          });
          client.on("close", () => done(result));
        });
      });
    }

    it("is accepted by name and by address", async () => {
      assert.equal(await handshake(hub, site), "accepted");
      assert.equal(await handshake(hub, site, { host: "127.0.0.1" }), "accepted");
    });

    it("is accepted while one side has the renewed CA and the other has not", async () => {
      const renewed = (await authority.update("dev", ca, { ...CA, validity: 2000 * DAY }, NOW)).outs;
      const newSite = await made({ ca: signer(renewed) });
      assert.equal(await handshake(hub, site, { hubTrusts: renewed }), "accepted");
      assert.equal(await handshake(hub, site, { siteTrusts: renewed }), "accepted");
      assert.equal(await handshake(hub, newSite), "accepted");
    });

    it("is refused by the hub without one, from another CA, and for the wrong use", async () => {
      assert.equal(await handshake(hub, undefined), "refused by the hub");
      assert.equal(await handshake(hub, await made({ ca: signer(otherCa) })), "refused by the hub");
      assert.equal(await handshake(hub, hub), "refused by the hub");
    });

    it("is refused by the site from another CA, for another name, and for the wrong use", async () => {
      const alien = await made({ ...hubInputs, names: ["localhost"], ca: signer(otherCa) });
      const elsewhere = await made({ ...hubInputs, names: ["hub.example"] });
      assert.match(await handshake(alien, site), /SIGNATURE|ISSUER|SELF_SIGNED/);
      assert.equal(await handshake(elsewhere, site), "ERR_TLS_CERT_ALTNAME_INVALID");
      assert.equal(await handshake(hub, site, { host: "other.example" }), "ERR_TLS_CERT_ALTNAME_INVALID");
      assert.equal(await handshake(await made({ names: ["localhost"] }), site), "INVALID_PURPOSE");
    });

    it("is refused when it has ended", async () => {
      const ended = await made({}, NOW - 91 * DAY);
      assert.equal(await handshake(hub, ended), "refused by the hub");
    });
  });
});
