import * as pulumi from "./sdk/pulumi";
import { resourceName } from "../configs/resources";
import { linkNames } from "../configs/placement";
import { Settings } from "../configs/settings";
import type { LinkCertificates } from "../servers/files/link-tls";
import { Declared } from "./sdk/declared";
import { Authority, Certificate } from "./sdk/resources";

/** The stack's own CA, and the certificates that it signs for leaf links; each is made when it is first asked for. */
export class LinkAuthority {
  private authority: Authority | undefined;

  constructor(
    private readonly args: { settings: Settings; stack: string },
    private readonly parent: pulumi.Resource,
  ) {}

  certificatesOf(server: string): Declared<LinkCertificates> {
    const { settings, stack } = this.args;
    const { validity, renewBefore } = settings.links;
    const isHub = server === settings.hub.name;
    this.authority ??= new Authority(
      "links-authority",
      // It outlives what it signs: sites that are away have time to come back for their next certificate.
      { name: stack, validity: AUTHORITY_LIVES * validity, renewBefore: validity + renewBefore },
      { parent: this.parent },
    );
    const { certificate: ca, key } = this.authority;
    const made = new Certificate(
      resourceName(server, "certificate"),
      {
        owner: server,
        role: isHub ? "hub" : "site",
        names: isHub ? linkNames(settings) : [],
        ca: { certificate: ca, key },
        validity,
        renewBefore,
      },
      { parent: this.parent },
    );
    return { kind: "generated", ca, certificate: made.certificate, key: made.key };
  }
}

/** How many times as long as its certificates the CA is valid. */
const AUTHORITY_LIVES = 10;
