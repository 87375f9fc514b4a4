import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import {
  LinkCertificates,
  certificatesDigest,
  pemsOf,
  writeCertificates,
  writtenCertificates,
} from "../../../../servers/files/link-tls";
import { LocalFiles } from "../../../../servers/files/server-files";
import { makeFolder } from "../../../../machine/folders";
import { Refusal } from "../../../../machine/refusal";
import { inTempFolder } from "../../providers/temp-folder";

/** What a PEM looks like; nothing here reads what is in one. */
const pem = (what: string): string => `-----BEGIN ${what}-----\nMIIB\n-----END ${what}-----\n`;
const PEMS = { ca: pem("CA"), certificate: pem("CERTIFICATE"), key: pem("PRIVATE KEY") };
const GENERATED: LinkCertificates = { kind: "generated", ...PEMS };

describe("the certificates of a server's leaf links", () => {
  const temp = inTempFolder();
  const files = () => new LocalFiles(temp.path("server"));
  const FILES = { "ca.pem": PEMS.ca, "oslo.pem": PEMS.certificate, "oslo-key.pem": PEMS.key };

  /** A folder as somebody gives it. */
  const given = (change: Partial<typeof FILES> = {}): LinkCertificates => {
    const folder = makeFolder(temp.path("certs"));
    for (const [name, text] of Object.entries({ ...FILES, ...change })) writeFileSync(temp.path("certs", name), text);
    return { kind: "given", folder, server: "oslo" };
  };

  it("are what was generated", () => {
    const { ca, certificate, key } = pemsOf(GENERATED);
    assert.deepEqual({ ca, certificate, key }, PEMS);
  });

  it("are read from the folder that is given, by the server's name", () => {
    assert.deepEqual(pemsOf(given()), PEMS);
  });

  for (const name of Object.keys(FILES)) {
    it(`name ${name} when it is missing from that folder, and what to do`, () => {
      const certificates = given();
      const file = temp.path("certs", name);
      rmSync(file);
      assert.throws(
        () => pemsOf(certificates),
        (error: Error) =>
          error instanceof Refusal &&
          error.message.startsWith(`links.certificates: ${file}: ENOENT`) &&
          error.message.endsWith("; put it there, or correct the folder"),
      );
    });
  }

  it("are refused with the file's name when a folder stands in its place", () => {
    const certificates = given();
    rmSync(temp.path("certs", "oslo.pem"));
    makeFolder(temp.path("certs", "oslo.pem"));
    assert.throws(() => certificatesDigest(certificates), /^Refusal: links\.certificates: .*oslo\.pem: EISDIR/);
  });

  describe("when they are written", () => {
    it("are two files for this user alone: the CA, and certificate and key in one", () => {
      writeCertificates(files(), GENERATED);
      const read = (name: string) => readFileSync(temp.path("server", name), "utf8");
      assert.equal(read("ca.pem"), PEMS.ca);
      assert.equal(read("link.pem"), `${PEMS.certificate}${PEMS.key}`);
      for (const name of ["ca.pem", "link.pem"])
        assert.equal(statSync(temp.path("server", name)).mode & 0o777, 0o600, name);
    });

    it("keep certificate and key apart when the given files do not end their last line", () => {
      writeCertificates(files(), given({ "oslo.pem": PEMS.certificate.trimEnd(), "oslo-key.pem": PEMS.key.trimEnd() }));
      assert.equal(files().read("link.pem"), `${PEMS.certificate}${PEMS.key}`);
    });

    it("replace those of before", () => {
      writeCertificates(files(), { ...GENERATED, ca: pem("OLD CA"), key: pem("OLD KEY") });
      writeCertificates(files(), GENERATED);
      assert.deepEqual([files().read("ca.pem"), files().read("link.pem")], [PEMS.ca, PEMS.certificate + PEMS.key]);
    });

    it("leave those of before as they are when one of the given files is missing", () => {
      writeCertificates(files(), GENERATED);
      const certificates = given({ "ca.pem": pem("OTHER CA") });
      rmSync(temp.path("certs", "oslo-key.pem"));
      assert.throws(() => writeCertificates(files(), certificates), Refusal);
      assert.equal(files().read("ca.pem"), PEMS.ca);
    });
  });

  it("are taken away when there are none any more, and nothing else is", () => {
    files().write("hub.json", "{}");
    writeCertificates(files(), GENERATED);
    writeCertificates(files(), undefined);
    assert.deepEqual(
      ["ca.pem", "link.pem", "hub.json"].map((name) => files().read(name)),
      [undefined, undefined, "{}"],
    );
  });

  it("are none where there never were any, and no folder is made for that", () => {
    writeCertificates(files(), undefined);
    assert.equal(existsSync(temp.path("server")), false);
  });

  describe("by their digest", () => {
    const digestOfWritten = (certificates: LinkCertificates | undefined): string => {
      writeCertificates(files(), certificates);
      return writtenCertificates(files());
    };

    it("are those that lie beside the configuration once they were written", () => {
      const unended = { "ca.pem": PEMS.ca.trimEnd(), "oslo.pem": `${PEMS.certificate}\n\n` };
      for (const certificates of [GENERATED, given(), given(unended), undefined])
        assert.equal(digestOfWritten(certificates), certificatesDigest(certificates));
    });

    it("are the same when the ones of a CA's stack are given as files", () => {
      assert.equal(certificatesDigest(given()), certificatesDigest(GENERATED));
    });

    it("are empty where there are none", () => {
      assert.deepEqual([certificatesDigest(undefined), writtenCertificates(files())], ["", ""]);
    });

    it("are others when the CA, the certificate or the key is another", () => {
      const digests = [{}, { ca: pem("B") }, { certificate: pem("B") }, { key: pem("B") }].map((change) =>
        certificatesDigest({ ...GENERATED, ...change }),
      );
      assert.equal(new Set(digests).size, 4);
    });

    it("are not those that were written when somebody changed or removed one of the files", () => {
      for (const name of ["ca.pem", "link.pem"]) {
        writeCertificates(files(), GENERATED);
        files().write(name, pem("OTHER"));
        const changed = writtenCertificates(files());
        files().remove(name);
        const removed = writtenCertificates(files());
        for (const written of [changed, removed]) {
          assert.notEqual(written, certificatesDigest(GENERATED), name);
          assert.notEqual(written, "", name);
        }
      }
    });
  });
});
