import { NatsConnection } from "nats";
import { messageOf } from "../../machine/refusal";
import { nkeyLogin } from "./authenticator";
import { converse, endpointOf, isNoResponders } from "./connection";

/** Attempts that a server is to refuse, and their controls. */

/** An attack that has no answer in this time was refused. */
export const ATTACK_TIMEOUT_MS = 500;

/**
 * A control without an answer in this time failed. It gets more time, because a site that is slow to answer is not a
 * breach.
 */
export const CONTROL_TIMEOUT_MS = 5_000;

/** Whether anyone answers. A request that the server forbids is never answered. */
export async function answers(
  connection: NatsConnection,
  subject: string,
  timeout: number,
  body = "",
): Promise<boolean> {
  try {
    await connection.request(subject, body, { timeout });
    return true;
  } catch (error) {
    if (isNoResponders(error) || /TIMEOUT|timeout|Permissions/i.test(messageOf(error))) return false;
    throw error;
  }
}

/** Whether the leafnode port keeps a login that it must refuse: with an unknown key, or with none. */
export async function leafPortKeeps(url: string, seed: string | undefined): Promise<boolean> {
  const { said } = await converse(endpointOf(url), {
    timeoutMs: 3_000,
    // A refused leaf is told so; an accepted one is sent the account's interest or a ping.
    until: /-ERR|PING|LS\+/,
    reply: ({ nonce = "" }) => {
      const login = seed === undefined ? {} : nkeyLogin(seed)(nonce);
      return `CONNECT ${JSON.stringify({ ...login, name: "isolation-attack", version: "2.15.0", protocol: 1, headers: true })}\r\nPING\r\n`;
    },
  });
  return !/-ERR/.test(said) && /PONG|PING|LS\+/.test(said.replace(/^INFO.*$/m, ""));
}
