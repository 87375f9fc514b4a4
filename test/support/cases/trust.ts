import { hashSync } from "bcryptjs";
import { KeyPair, createAccount, createOperator, createUser } from "@nats-io/nkeys";
import { publicKeyOf, signerOf } from "../../../servers/nats/authenticator";
import { Role, makeAuthority, makeServerCertificate, newKey } from "../../../servers/x509";

/**
 * Keys, JWTs, certificates and hashes for the files of one case. One name stands for one pair of keys in all files.
 *
 *   <SEED:name>, <PUBLIC:name>           a user's seed and its public key
 *   <ACCOUNT-SEED:name>                  an account's seed
 *   <ACCOUNT-PUBLIC:name>                an account's public key
 *   <OPERATOR-PUBLIC:op>                 an operator's public key
 *   <OPERATOR-JWT:op>                    a self-signed operator
 *   <ACCOUNT-JWT:name>                   an account with JetStream (SYS without), signed by the operator `op`
 *   <ACCOUNT-JWT:name@other>             the account, signed by another operator
 *   <CORE-ACCOUNT-JWT:name>              the account without JetStream
 *   <CREDS:user@account>                 the text of a credentials file
 *   <EXPIRED-CREDS:user@account>         credentials that ended an hour ago
 *   <DUMMY-CREDS:user>                   the seed of the user with a JWT that is none
 *   <BCRYPT:password>                    a bcrypt hash
 *   <CA-CERT>, <CA-CERT:other>           a CA; the one without a name signs
 *   <CERT:host>, <KEY:host>              the certificate of a TLS server, and its key; its subject is CN=host
 *   <CLIENT-CERT:name>, <KEY:name>       the certificate of a TLS client, and its key; its subject is CN=name
 */
export class Trust {
  private readonly pairs = new Map<string, KeyPair>();
  private readonly keys = new Map<string, string>();
  private readonly certificates = new Map<string, Promise<string>>();

  async fill(text: string): Promise<string> {
    let filled = "";
    let from = 0;
    for (const found of text.matchAll(/<([A-Z]+(?:-[A-Z]+)*)(?::([^<>\s]+))?>/g)) {
      filled += text.slice(from, found.index) + (await this.value(found[1]!, found[2] ?? ""));
      from = found.index + found[0].length;
    }
    return filled + text.slice(from);
  }

  private async value(placeholder: string, name: string): Promise<string> {
    switch (placeholder) {
      case "SEED":
        return seedOf(this.user(name));
      case "PUBLIC":
        return publicKeyOf(seedOf(this.user(name)));
      case "ACCOUNT-SEED":
        return seedOf(this.account(name));
      case "ACCOUNT-PUBLIC":
        return publicKeyOf(seedOf(this.account(name)));
      case "OPERATOR-PUBLIC":
        return publicKeyOf(seedOf(this.operator(name)));
      case "OPERATOR-JWT":
        return jwt(this.operator(name), this.operator(name), name, { type: "operator" });
      case "ACCOUNT-JWT":
        return this.accountJwt(name, !name.startsWith("SYS"));
      case "CORE-ACCOUNT-JWT":
        return this.accountJwt(name, false);
      case "CREDS":
        return this.credentials(name);
      case "EXPIRED-CREDS":
        return this.credentials(name, { exp: nowInSeconds() - 3600 });
      case "DUMMY-CREDS":
        return decorated("e30.e30.e30", this.user(name));
      case "BCRYPT":
        return hashSync(name, 4).replace(/^\$2b/, "$2a");
      case "CA-CERT":
        return this.authority(name);
      case "CERT":
        return this.certificate(name, "hub");
      case "CLIENT-CERT":
        return this.certificate(name, "site");
      case "KEY":
        return this.privateKey(name);
      default:
        throw new Error(`unknown placeholder <${placeholder}>`);
    }
  }

  private readonly user = (name: string): KeyPair => once(this.pairs, `user ${name}`, createUser);
  private readonly account = (name: string): KeyPair => once(this.pairs, `account ${name}`, createAccount);
  private readonly operator = (name: string): KeyPair => once(this.pairs, `operator ${name}`, createOperator);

  private accountJwt(nameAndOperator: string, hasJetStream: boolean): string {
    const [name = "", operator = "op"] = nameAndOperator.split("@");
    const storage = hasJetStream ? { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 } : {};
    const open = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    return jwt(this.operator(operator), this.account(name), name, { type: "account", limits: { ...open, ...storage } });
  }

  private credentials(userAndAccount: string, claims: object = {}): string {
    const [name = "", account = ""] = userAndAccount.split("@");
    const user = this.user(userAndAccount);
    const nats = { type: "user", subs: -1, data: -1, payload: -1 };
    return decorated(jwt(this.account(account), user, name, nats, claims), user);
  }

  private readonly privateKey = (name: string): string => once(this.keys, name, newKey).trimEnd();

  private authority(name: string): Promise<string> {
    return once(this.certificates, `CA ${name}`, async () => {
      const key = this.privateKey(`CA ${name}`);
      return (await makeAuthority({ name: `ca ${name}`, key, validity: DAY_MS, now: Date.now() })).trimEnd();
    });
  }

  private certificate(owner: string, role: Role): Promise<string> {
    return once(this.certificates, `${role} ${owner}`, async () => {
      const ca = { certificate: await this.authority(""), key: this.privateKey("CA ") };
      const key = this.privateKey(owner);
      const parts = { owner, role, names: [owner], key, ca, validity: DAY_MS, now: Date.now() };
      return (await makeServerCertificate(parts)).trimEnd();
    });
  }
}

const DAY_MS = 86_400_000;

const nowInSeconds = (): number => Math.floor(Date.now() / 1000);

function once<T>(known: Map<string, T>, name: string, make: () => T): T {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}

const seedOf = (pair: KeyPair): string => new TextDecoder().decode(pair.getSeed());

const base64 = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString("base64url");

/** A JWT as nats-server reads it. The server does not check `jti`. */
function jwt(issuer: KeyPair, subject: KeyPair, name: string, nats: object, claims: object = {}): string {
  const body = {
    jti: name,
    iat: nowInSeconds(),
    iss: publicKeyOf(seedOf(issuer)),
    name,
    sub: publicKeyOf(seedOf(subject)),
    nats: { ...nats, version: 2 },
    ...claims,
  };
  const signed = `${base64({ typ: "JWT", alg: "ed25519-nkey" })}.${base64(body)}`;
  return `${signed}.${Buffer.from(signerOf(seedOf(issuer)).sign(Buffer.from(signed))).toString("base64url")}`;
}

const decorated = (token: string, user: KeyPair): string =>
  [
    "-----BEGIN NATS USER JWT-----",
    token,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    seedOf(user),
    "------END USER NKEY SEED------",
  ].join("\n");
