import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeAuthority, makeServerCertificate, newKey } from "../../../servers/x509";

/** Files as somebody gives them for `links: { tls: given }`: of the hub, as sites dial it on one machine, and of sites. */
export async function giveCertificates(folder: string, sites: readonly string[]): Promise<void> {
  const [key, now, validity] = [newKey(), Date.now(), 3_600_000];
  const certificate = await makeAuthority({ name: "given", key, validity, now });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ca.pem"), certificate);
  const give = async (owner: string, role: "hub" | "site", names: string[]): Promise<void> => {
    const own = newKey();
    const ca = { certificate, key };
    writeFileSync(
      join(folder, `${owner}.pem`),
      await makeServerCertificate({ owner, role, names, ca, key: own, validity, now }),
    );
    writeFileSync(join(folder, `${owner}-key.pem`), own);
  };
  await give("hub", "hub", ["127.0.0.1", "hub"]);
  await Promise.all(sites.map((site) => give(site, "site", [])));
}
