import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { AuthorityInputs, AuthorityOutputs, create, diff, remove, update } from "../../../providers/authority";
import { UNKNOWN } from "../../../configs/values";
import { makeServerCertificate, newKey } from "../../../servers/x509";
import { reported } from "./reported";

const DAY = 86_400_000;
const NOW = Date.parse("2027-03-01T12:00:00.789Z");
const INPUTS: AuthorityInputs = { name: "dev", validity: 1000 * DAY, renewBefore: 200 * DAY };

/** The DER of an extension: object identifier, critical, value. */
const BASIC_CONSTRAINTS_CA_PATHLEN_0 = "0603551d130101ff040830060101ff020100";
const KEY_USAGE_CERT_SIGN_CRL_SIGN = "0603551d0f0101ff040403020106";

describe("the CA of a stack", () => {
  let made: AuthorityOutputs;
  before(async () => (made = (await create(INPUTS, NOW)).outs));
  const read = ({ certificate }: AuthorityOutputs) => new X509Certificate(certificate);
  const renewed = async (change: Partial<AuthorityInputs> = {}, days = 801) =>
    (await update("dev", made, { ...INPUTS, ...change }, NOW + days * DAY)).outs;

  async function changes(change: Partial<Record<keyof AuthorityInputs, unknown>>, days = 0) {
    let found = false;
    const news = { ...INPUTS, ...change } as AuthorityInputs;
    const lines = await reported(async () => (found = (await diff("dev", made, news, NOW + days * DAY)).changes));
    return { changes: found, lines };
  }

  it("signs itself, as a CA that signs certificates of servers only", () => {
    const certificate = read(made);
    assert.equal(certificate.ca, true);
    assert.equal(certificate.subject, "O=nats-hub-leaf\nCN=dev");
    assert.equal(certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey), true);
    const der = certificate.raw.toString("hex");
    assert.ok(der.includes(BASIC_CONSTRAINTS_CA_PATHLEN_0));
    assert.ok(der.includes(KEY_USAGE_CERT_SIGN_CRL_SIGN));
    assert.equal(made.fingerprint, certificate.fingerprint256);
  });

  it("has an ECDSA P-256 key, which belongs to the certificate", () => {
    const { publicKey } = read(made);
    assert.equal(publicKey.asymmetricKeyType, "ec");
    assert.equal(publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    assert.match(made.key, /^-----BEGIN PRIVATE KEY-----\n/);
  });

  it("is valid from an hour ago, for its validity", () => {
    const { validFrom, validTo } = read(made);
    assert.equal(new Date(validFrom).toISOString(), "2027-03-01T11:00:00.000Z");
    assert.equal(new Date(validTo).toISOString(), made.notAfter);
    assert.equal(made.notAfter, "2029-11-25T12:00:00.000Z");
  });

  it("has a random serial number of 128 bits each time", async () => {
    const serials = await Promise.all(
      [0, 1, 2, 3].map(async () => read((await create(INPUTS, NOW)).outs).serialNumber),
    );
    assert.equal(new Set(serials).size, 4);
    for (const serial of serials) assert.match(serial, /^[0-9A-F]{26,32}$/);
  });

  it("stays while nothing changes, and until renewBefore", async () => {
    assert.deepEqual(await changes({}), { changes: false, lines: [] });
    assert.deepEqual(await changes({}, 799), { changes: false, lines: [] });
  });

  it("changes, with a word, when less than renewBefore is left", async () => {
    const lines = ["CA of the leaf links ends on 2029-11-25; up renews it with the same key"];
    assert.deepEqual(await changes({}, 801), { changes: true, lines });
  });

  it("changes when an input differs, and never for one that is not known", async () => {
    for (const change of [{ validity: 900 * DAY }, { renewBefore: 100 * DAY }, { name: "lab" }]) {
      assert.deepEqual(await changes(change), { changes: true, lines: [] });
    }
    const unknown = { name: UNKNOWN, validity: UNKNOWN, renewBefore: UNKNOWN };
    assert.deepEqual(await changes(unknown), { changes: false, lines: [] });
    assert.equal((await changes(unknown, 801)).changes, true);
  });

  it("is renewed with its key and its subject", async () => {
    const outs = await renewed();
    assert.equal(outs.key, made.key);
    assert.notEqual(outs.certificate, made.certificate);
    assert.equal(outs.notAfter, "2032-02-04T12:00:00.000Z");
    assert.equal(outs.fingerprint, read(outs).fingerprint256);
    assert.deepEqual(read(outs).publicKey.export({ format: "jwk" }), read(made).publicKey.export({ format: "jwk" }));
    assert.equal(read(outs).subject, read(made).subject);
    assert.notEqual(read(outs).serialNumber, read(made).serialNumber);
  });

  it("signs after a renewal for all that it signed before, and before for all after", async () => {
    const after = await renewed();
    const parts = { owner: "oslo", role: "site", names: [], key: newKey(), validity: DAY } as const;
    for (const ca of [made, after]) {
      const certificate = new X509Certificate(await makeServerCertificate({ ...parts, ca, now: NOW }));
      for (const signer of [made, after].map(read)) {
        assert.equal(certificate.checkIssued(signer) && certificate.verify(signer.publicKey), true);
      }
    }
  });

  it("gets a new certificate for another validity, with the same key", async () => {
    const outs = await renewed({ validity: 500 * DAY }, 0);
    assert.equal(outs.key, made.key);
    assert.equal(outs.notAfter, "2028-07-13T12:00:00.000Z");
  });

  it("keeps its certificate when only renewBefore or the stack's name changes", async () => {
    const { certificate, key, fingerprint, notAfter } = made;
    const kept = { certificate, key, fingerprint, notAfter };
    for (const change of [{ renewBefore: 100 * DAY }, { name: "lab" }, {}]) {
      assert.deepEqual(await renewed(change, 0), { ...INPUTS, ...change, ...kept });
    }
  });

  it("keeps its subject when a renamed stack renews it", async () => {
    assert.equal(read(await renewed({ name: "lab" })).subject, "O=nats-hub-leaf\nCN=dev");
  });

  it("leaves nothing behind", async () => {
    await remove();
    assert.equal((await create(INPUTS, NOW)).id, "dev");
  });
});
