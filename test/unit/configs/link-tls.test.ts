import assert from "node:assert/strict";
import { declareHub, declareLeaf } from "../../../configs/plan/declare";
import { CA_FILE, LINK_FILE, linkTls } from "../../../configs/link-tls";
import { settingsOf } from "../../support/rules/settings";

describe("the TLS of a leaf link", () => {
  it("is certificate and key of one file, so that both change in one step", () => {
    const { cert_file, key_file } = linkTls();
    assert.deepEqual([cert_file, key_file], [LINK_FILE, LINK_FILE]);
  });

  it("names its files without a folder: they lie beside the configuration, wherever the server runs", () => {
    for (const file of [CA_FILE, LINK_FILE]) assert.doesNotMatch(file, /\//);
  });

  for (const tls of ["generated", "given"] as const) {
    it(`is declared at both ends when certificates are ${tls}`, () => {
      assert.deepEqual(declared(tls), { hub: true, site: true });
    });
  }

  it("is declared at neither end without certificates", () => {
    assert.deepEqual(declared("off"), { hub: undefined, site: undefined });
  });

  it("needs a restart of the hub and a reload of a site: the listener cannot change it, a remote can", () => {
    const { hub, site } = declarations("generated");
    assert.deepEqual(["tls" in hub.restart, "tls" in hub.reload], [true, false]);
    assert.deepEqual(["tls" in site.restart, "tls" in site.reload], [false, true]);
  });
});

function declarations(tls: "off" | "generated" | "given") {
  const settings = settingsOf({ links: { tls }, sites: [{ name: "oslo" }] });
  const [oslo] = settings.sites;
  return { hub: declareHub(settings, {}, {}), site: declareLeaf(settings, oslo!, {}, {}, "tls://hub:7422") };
}

function declared(tls: "off" | "generated" | "given") {
  const { hub, site } = declarations(tls);
  return { hub: hub.restart.tls, site: site.reload.tls };
}
