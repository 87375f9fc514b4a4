import { present } from "../../configs/values";
import { applicationPermissions } from "../../configs/permissions";
import { covers, overlaps } from "../../configs/subjects";
import { ApplicationFacts } from "../../diagnosis/facts/facts";
import { converse, endpointOf, ServerInfo } from "../../servers/nats/connection";
import { nkeyLogin } from "../../servers/nats/authenticator";
import { messageOf } from "../../machine/refusal";

/**
 * What the site's server grants the key of its applications. It logs in and asks for its own permissions; it publishes
 * nothing.
 */

const LOGIN_TIMEOUT_MS = 3_000;
const INBOX = "_INBOX.doctor";
/** Its number distinguishes the answer from everything else that the connection receives. */
const SID = 1;

interface Rights {
  publish?: { allow?: string[]; deny?: string[] };
}

/** What applications of a site are to publish on. */
interface Granted {
  site: string;
  /** The subjects, and the names, of the site's streams. */
  subjects: readonly string[];
  streams: readonly string[];
}

interface UserInfo {
  data?: { permissions?: Rights };
  error?: { description?: string };
}

/** The words of the last refusal in what a server said; undefined when it refused nothing. */
export const refusalIn = (said: string): string | undefined => [...said.matchAll(/^-ERR '(.*)'/gm)].at(-1)?.[1];

/** What a server says to a client when it accepts no connections; undefined when it says who it is, or nothing. */
export const refusalOf = (url: string): Promise<string | undefined> =>
  converse(endpointOf(url), { timeoutMs: LOGIN_TIMEOUT_MS }).then(
    () => undefined,
    (error: unknown) => refusalIn(messageOf(error)),
  );

/** The last of the server's INFO: after the login it holds what the account may do. */
function lastInfo(said: string): ServerInfo | undefined {
  const line = [...said.matchAll(/^INFO (\{.*\})\s*$/gm)].at(-1)?.[1];
  return line === undefined ? undefined : (JSON.parse(line) as ServerInfo);
}

/** Subjects that the rights do not let through, wholly or in part, beyond what this program denies. */
function denied({ publish }: Rights, { site, subjects, streams }: Granted): string[] {
  const { allow = [], deny = [] } = publish ?? {};
  const declared = applicationPermissions(site, streams).publish.deny ?? [];
  const added = deny.filter((one) => !declared.includes(one));
  return subjects.filter(
    (subject) =>
      added.some((one) => overlaps(one, subject)) || (allow.length > 0 && !allow.some((one) => covers(one, subject))),
  );
}

/** Never throws. Undefined when the server does not answer, which other parts report. */
export async function applicationFacts(
  url: string,
  seed: string,
  granted: Granted,
): Promise<ApplicationFacts | undefined> {
  const login = ({ nonce = "" }: ServerInfo): string => {
    const options = { ...nkeyLogin(seed)(nonce), name: "nats-hub-leaf", lang: "none", version: "1", verbose: false };
    const connect = `CONNECT ${JSON.stringify({ ...options, protocol: 1, headers: true, no_responders: true })}`;
    return `${connect}\r\nSUB ${INBOX}.* ${SID}\r\nPUB $SYS.REQ.USER.INFO ${INBOX}.1 0\r\n\r\nPING\r\n`;
  };
  try {
    const { said } = await converse(endpointOf(url), {
      reply: login,
      until: /^H?MSG [^]*\r\n[^]*\r\n|^-ERR/m,
      timeoutMs: LOGIN_TIMEOUT_MS,
    });
    const refused = refusalIn(said);
    if (refused !== undefined && !/Permissions Violation/i.test(refused)) return { refused };
    const maxPayload = lastInfo(said)?.max_payload;
    const answer = /^MSG [^\r]*\r\n(\{.*\})\r$/m.exec(said)?.[1];
    const rights = answer === undefined ? undefined : (JSON.parse(answer) as UserInfo).data?.permissions;
    return {
      ...present({ maxPayload }),
      ...(rights === undefined ? {} : { denied: denied(rights, granted) }),
    };
  } catch (error) {
    const refused = refusalIn(messageOf(error));
    return refused === undefined ? undefined : { refused };
  }
}
