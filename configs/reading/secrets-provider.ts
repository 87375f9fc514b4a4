/** What a stack's file says of the encryption of its secrets. */
export interface Encryption {
  /** What encrypts them, where the file names it: a cloud's key service, or "passphrase". */
  readonly secretsProvider?: string;
  /** Whether it holds what secrets are encrypted with: the salt of a passphrase, or the key that a provider keeps. */
  readonly isSealed: boolean;
}

/** Whether a passphrase opens the secrets, as the CLI decides it: Pulumi Cloud keeps a key of its own by default. */
export function isByPassphrase({ secretsProvider = "default", isSealed }: Encryption, backend = ""): boolean {
  if (secretsProvider !== "default") return secretsProvider === "passphrase";
  return isSealed || !backend.startsWith("https:");
}
