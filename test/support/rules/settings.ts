import { createUser } from "@nats-io/nkeys";
import { readSettings } from "../../../configs/reading/read-settings";
import { RawSettings, Settings } from "../../../configs/settings";
import { publicKeyOf } from "../../../servers/nats/authenticator";

/** The settings that a stack config becomes; a mistake in it fails the test that made it. */
export function settingsOf(raw: RawSettings): Settings {
  const { settings, problems } = readSettings(raw);
  if (settings === undefined) throw new Error(`the test's own settings are wrong: ${JSON.stringify(problems)}`);
  return settings;
}

/** The seed of a new user nkey. No seed is ever written into a test. */
export const newSeed = (): string => new TextDecoder().decode(createUser().getSeed());

/** The public key of a new user nkey. */
export const newKey = (): string => publicKeyOf(newSeed());
