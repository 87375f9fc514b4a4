import * as pulumi from "./sdk/pulumi";
import { resourceName } from "../configs/resources";
import { linkNames, routesOf } from "../configs/placement";
import { HubSettings, Settings } from "../configs/settings";
import type { LinkCertificates } from "../servers/files/link-tls";
import type { CertificateRole } from "../servers/x509";
import { Declared } from "./sdk/declared";
import { Authority, Certificate } from "./sdk/resources";

/** The stack's own CA, and the certificates that it signs for links and routes; each is made when it is first asked for. */
export class LinkAuthority {
  private authority: Authority | undefined;

  constructor(
    private readonly args: { settings: Settings; stack: string },
    private readonly parent: pulumi.Resource,
  ) {}

  /** Of the leaf links of the hub or of a site. */
  certificatesOf(server: string): Declared<LinkCertificates> {
    const { settings } = this.args;
    return server === settings.hub.name ? this.make(server, "hub", linkNames(settings)) : this.make(server, "site", []);
  }

  /** Of the routes of a server of the hub, for its name and the address at which the others dial it. */
  routesOf(server: HubSettings): Declared<LinkCertificates> {
    const names = [server.name, routesOf(this.args.settings, server).host];
    return this.make(server.name, "routes", names.sort());
  }

  private make(owner: string, role: CertificateRole, names: string[]): Declared<LinkCertificates> {
    const { settings, stack } = this.args;
    const { validity, renewBefore } = settings.links;
    this.authority ??= new Authority(
      "links-authority",
      // It outlives what it signs: sites that are away have time to come back for their next certificate.
      { name: stack, validity: AUTHORITY_LIVES * validity, renewBefore: validity + renewBefore },
      { parent: this.parent },
    );
    const { certificate: ca, key } = this.authority;
    const made = new Certificate(
      resourceName(owner, "certificate"),
      { owner, role, names, ca: { certificate: ca, key }, validity, renewBefore },
      { parent: this.parent },
    );
    return { kind: "generated", ca, certificate: made.certificate, key: made.key };
  }
}

/** How many times as long as its certificates the CA is valid. */
const AUTHORITY_LIVES = 10;
