import { fromSeed } from "@nats-io/nkeys";
import { converse, endpointOf } from "../../../servers/nats/connection";

/**
 * Logs in at a hub's leafnode port with this seed, as a leaf server does, and hangs up at once. No client can do this,
 * and a whole server would blur whose refusal it was.
 */
export async function leafLogin(leafUrl: string, seed: string): Promise<"accepted" | "refused"> {
  const { said } = await converse(endpointOf(leafUrl), {
    timeoutMs: 5_000,
    until: /-ERR|PONG/,
    reply: ({ nonce = "" }) => {
      const pair = fromSeed(new TextEncoder().encode(seed));
      const sig = Buffer.from(pair.sign(new TextEncoder().encode(nonce))).toString("base64url");
      const login = {
        nkey: pair.getPublicKey(),
        sig,
        name: "login-by-hand",
        version: "2.15.0",
        protocol: 1,
        headers: true,
      };
      return `CONNECT ${JSON.stringify(login)}\r\nPING\r\n`;
    },
  });
  if (/-ERR '?Authorization/i.test(said)) return "refused";
  if (/PONG/.test(said)) return "accepted";
  throw new Error(`${leafUrl} neither refused the login nor answered: ${said}`);
}
