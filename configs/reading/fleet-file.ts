import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { Problem } from "../problem";
import { maskSeeds } from "../seeds";

/** The file that describes a fleet which this program did not deploy (docs/doctor.md). Nothing secret stands in it. */

const text = z.string().min(1);
const url = z.string().regex(/^(nats|tls):\/\/[^\s/@]+$/, "nats://host:port or tls://host:port, without a login");

const ONE_OF = "one of 'file' and 'env'";
/** Where a secret is read from. */
const secret = z
  .strictObject({ file: text.optional(), env: text.optional() })
  .refine(({ file, env }) => (file === undefined) !== (env === undefined), ONE_OF);

/** How to log in: with an nkey, with a credentials file, or with user and password. */
const login = z
  .strictObject({
    seed: secret.optional(),
    creds: secret.optional(),
    user: text.optional(),
    password: secret.optional(),
  })
  .refine(
    ({ seed, creds, user, password }) =>
      [seed, creds, user].filter((one) => one !== undefined).length === 1 &&
      (user === undefined) === (password === undefined),
    "one of 'seed', 'creds', and 'user' with 'password'",
  );

const tls = z.strictObject({ ca: text.optional(), cert: text.optional(), key: text.optional() });

const stream = z.strictObject({
  /** Name at the site. */
  name: text,
  /** Name on the hub. @default `name` */
  hub: text.optional(),
  /** The account on the hub that has the hub's stream. @default the site's account */
  hubAccount: text.optional(),
  /** The site whose stream takes it, when a region collects it for the hub. @default the hub */
  at: text.optional(),
  /** Login of the account at the site that has the stream. @default the site's `login` */
  login: login.optional(),
});

const site = z.strictObject({
  /** The server name of the site: the hub lists its link under it. Any other name needs `servers` or `url`. */
  name: text,
  /** Server names of the site, when it has several or other ones than `name`. */
  servers: z.array(text).min(1).optional(),
  /** The site that its link ends at, when that is a region and not the hub. */
  via: text.optional(),
  /** The account at `via` that the link belongs in. */
  viaAccount: text.optional(),
  /** The account on the hub that the link belongs in. */
  account: text.optional(),
  /** The account at the site that the link belongs in; looked at when `system` is given. */
  localAccount: text.optional(),
  /** JetStream domain of the site. */
  domain: text.optional(),
  expect: z.enum(["online", "offline"]).default("online"),
  /** Client URL of the site; without it the site's streams are asked over the hub and `domain`. */
  url: url.optional(),
  tls: tls.optional(),
  /** Login of the site's system account, at its `url`. */
  system: login.optional(),
  /** Login of the account that has the site's streams, at its `url`. */
  login: login.optional(),
  streams: z.array(stream).optional(),
});

const fleetFile = z.strictObject({
  hub: z
    .strictObject({
      url: url.optional(),
      /** Of several servers of the hub: the first one that answers is asked. */
      urls: z.array(url).min(1).optional(),
      domain: text.optional(),
      tls: tls.optional(),
      /** Login of the hub's system account: links and their accounts. */
      system: login.optional(),
    })
    .refine((hub) => (hub.url === undefined) !== (hub.urls === undefined), "one of 'url' and 'urls'"),
  /** Logins on the hub, by account: the hub's streams and their sources. */
  accounts: z.record(text, login).default({}),
  sites: z.array(site).min(1),
});

export type FleetFile = z.output<typeof fleetFile>;
export type ForeignSite = FleetFile["sites"][number];
export type ForeignStream = NonNullable<ForeignSite["streams"]>[number];
export type Login = z.output<typeof login>;
export type Secret = z.output<typeof secret>;
export type Tls = z.output<typeof tls>;

/** Groups that people write a secret into by mistake. */
const SECRETS = /\.(seed|creds|password)$/;

function problemOf(issue: z.core.$ZodIssue): Problem[] {
  const where = z.core.toDotPath(issue.path);
  const at = where === "" ? "the file" : where;
  switch (issue.code) {
    case "unrecognized_keys": {
      const problem = `${issue.keys.map((key) => `'${key}'`).join(", ")} does not belong here`;
      return [{ where: at, problem, cure: "check the spelling against docs/doctor.md, or remove it" }];
    }
    case "invalid_type":
      if (SECRETS.test(where)) {
        const cure = "write { file: … } or { env: … }, and put the secret itself there";
        return [{ where: at, problem: "is no group", cure }];
      }
      return [{ where: at, problem: `is missing, or is no ${issue.expected}`, cure: "see docs/doctor.md" }];
    case "invalid_value":
      return [{ where: at, problem: "is another word", cure: `use one of ${issue.values.map(String).join(", ")}` }];
    case "invalid_format":
    case "custom":
      return [{ where: at, problem: "is not what belongs here", cure: `give ${issue.message}` }];
    default:
      return [{ where: at, problem: issue.message.toLowerCase(), cure: "see docs/doctor.md" }];
  }
}

/** The client URLs of the hub's servers. */
export const hubUrls = ({ hub: { url: one, urls } }: FleetFile): string[] => urls ?? (one === undefined ? [] : [one]);

/** The site of that name. */
export const siteOf = ({ sites }: FleetFile, name: string | undefined): ForeignSite | undefined =>
  sites.find((site) => site.name === name);

/** Places that name a site which the file does not have, or the site itself. */
const unknownReferences = (file: FleetFile): Problem[] =>
  file.sites.flatMap(({ name, via, streams = [] }, i) => {
    const named: [string, string | undefined][] = [
      [`sites[${i}].via`, via],
      ...streams.map(({ at }, j): [string, string | undefined] => [`sites[${i}].streams[${j}].at`, at]),
    ];
    return named.flatMap(([where, other]) =>
      other === undefined || (other !== name && siteOf(file, other) !== undefined)
        ? []
        : [{ where, problem: "names no other site of the file", cure: "give the name of a site, such as a region" }],
    );
  });

/** Two of a name would be one line in the report. */
const repeatedNames = ({ sites }: FleetFile): Problem[] =>
  sites.flatMap(({ name }, i) =>
    sites.findIndex((other) => other.name === name) === i
      ? []
      : [{ where: `sites[${i}].name`, problem: `'${name}' is used twice`, cure: "name each site once" }],
  );

/** Every mistake at once; no value of the file stands in a problem, for it may be a secret in the wrong place. */
export function parseFleetFile(yaml: string): { file?: FleetFile; problems: Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    return {
      problems: [{ where: `line ${line}, column ${col}`, problem: maskSeeds(error.message), cure: "write YAML there" }],
    };
  }
  let raw: unknown;
  try {
    raw = document.toJS();
  } catch {
    return { problems: [{ where: "the file", problem: "its aliases cannot be followed", cure: "write them out" }] };
  }
  const parsed = fleetFile.safeParse(raw);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(problemOf) };
  const problems = [...repeatedNames(parsed.data), ...unknownReferences(parsed.data)];
  return problems.length > 0 ? { problems } : { file: parsed.data, problems };
}
