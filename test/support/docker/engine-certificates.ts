import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type KeyPair, type Role, makeAuthority, makeServerCertificate, newKey } from "../../../servers/x509";

/** Files of an engine that asks everybody for a certificate. */
export interface EngineCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The folder with what the client needs: ca.pem, cert.pem and key.pem. */
  readonly client: string;
}

const VALIDITY_MS = 86_400_000;

export async function newAuthority(): Promise<KeyPair> {
  const key = newKey();
  return { key, certificate: await makeAuthority({ name: "engine", key, validity: VALIDITY_MS, now: Date.now() }) };
}

/** Writes a certificate of this CA, its key, and the certificate of the CA that the other end's is of. */
export async function writeCertificate(
  folder: string,
  {
    role,
    ca,
    others = ca.certificate,
    address = "127.0.0.1",
  }: { role: Role; ca: KeyPair; others?: string; address?: string },
): Promise<void> {
  const key = newKey();
  const names = role === "hub" ? [address] : [];
  const parts = { owner: role, role, names, key, ca, validity: VALIDITY_MS, now: Date.now() };
  const files = { ca: others, cert: await makeServerCertificate(parts), key };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.pem`), text, { mode: 0o600 });
}

/** Both ends' certificates, of one new CA; the engine's for its address. */
export async function makeEngineCertificates(folder: string, address: string): Promise<EngineCertificates> {
  const ca = await newAuthority();
  const [engine, client] = [join(folder, "engine"), join(folder, "client")];
  await writeCertificate(engine, { role: "hub", ca, address });
  await writeCertificate(client, { role: "site", ca });
  const of = (name: string) => join(engine, `${name}.pem`);
  return { ca: of("ca"), cert: of("cert"), key: of("key"), client };
}
