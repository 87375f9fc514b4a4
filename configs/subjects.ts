/** NATS subject patterns: tokens separated by dots, `*` for one token, `>` for the rest. */

export const PROBE_PREFIX = "_probe";
export const SOURCE_PREFIX = "_source";
/** Where a site's server is asked and reloaded through the hub. */
export const ADMIN_PREFIX = "_site";
/** Where the watcher asks the JetStream of an account on the hub. */
export const WATCH_PREFIX = "_watch";
/** Subjects that belong to the server or to this program; no stream may take them. */
export const RESERVED = ["$JS.>", "$JSC.>", "$NRG.>", "$SYS.>", "$KV.>", "$O.>", "$MQTT.>", "_INBOX.>", "_R_.>"].concat(
  `${PROBE_PREFIX}.>`,
  `${SOURCE_PREFIX}.>`,
  `${ADMIN_PREFIX}.>`,
);

/** The two forms of flow control subjects: nats-server 2.16 makes the second one its default (`js_ack_fc_v2`). */
export type FlowControlForm = "v1" | "v2";

/** What the consumers of a stream subscribe for flow control; in the second form `*` is a hash of the account's name. */
export const flowControlSubjects = (domain: string, stream: string): Record<FlowControlForm, string> => ({
  v1: `$JS.FC.${stream}.>`,
  v2: `$JS.FC.${domain}.*.${stream}.>`,
});

/** Why `subject` is not a usable stream subject, or undefined when it is. */
export function subjectProblem(subject: string): string | undefined {
  if (subject === "") return "is empty";
  if (/[\s\u0000-\u001f\u007f]/.test(subject)) return "contains white space or a control character";
  const tokens = subject.split(".");
  if (tokens.includes("")) return "has an empty token";
  if (tokens.slice(0, -1).includes(">")) return "has '>' before its last token";
  if (tokens.some((token) => token.length > 1 && /[*>]/.test(token))) return "has a wildcard inside a token";
  return undefined;
}

/** The reserved pattern that `subject` touches, or undefined. */
export const reservedBy = (subject: string): string | undefined => RESERVED.find((taken) => overlaps(subject, taken));

/** Whether some subject matches both patterns. */
export function overlaps(a: string, b: string): boolean {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; ; i++) {
    const l = left[i];
    const r = right[i];
    if (l === undefined || r === undefined) return l === r;
    if (l === ">" || r === ">") return true;
    if (l !== "*" && r !== "*" && l !== r) return false;
  }
}

/** Whether `pattern` matches every subject that `subject` matches. */
export function covers(pattern: string, subject: string): boolean {
  const left = pattern.split(".");
  const right = subject.split(".");
  for (let i = 0; ; i++) {
    const l = left[i];
    const r = right[i];
    if (l === ">") return r !== undefined;
    if (l === undefined || r === undefined) return l === r;
    if (r === ">" || (l !== "*" && l !== r)) return false;
  }
}
