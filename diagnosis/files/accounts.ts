import { present } from "../../configs/values";
import type { ConfigNode } from "../../configs/format/parse";
import { Located, Section } from "./section";
import type { AccountRead, Exchange, SubjectRights, UserRead } from "./server";

/** Accounts, users and their rights as configuration files write them. */

export function readAccounts(node: ConfigNode | undefined): { account: AccountRead; users: UserRead[] }[] {
  // A list of bare names.
  if (Array.isArray(node?.value)) {
    return node.value.flatMap(({ value, at }) =>
      typeof value === "string"
        ? [{ account: { name: value, at, jetstream: false, exports: [], imports: [] }, users: [] }]
        : [],
    );
  }
  if (!(node?.value instanceof Map)) return [];
  return Section.named(node.value).map(([name, section]) => ({
    account: {
      name,
      at: section.at,
      jetstream: isEnabled(section.node("jetstream")),
      ...present({ storage: storageOf(section.section("jetstream")), limits: limitsOf(section.section("limits")) }),
      exports: section.sections("exports").flatMap(readExport),
      imports: section.sections("imports").flatMap(readImport),
    },
    users: readUsers(section, name),
  }));
}

/** In the account's `jetstream` nothing, or -1, is no limit. */
function storageOf(section: Section | undefined): Located<number> | undefined {
  const file = section?.number("max_file", "max_disk", "disk", "file", "max_store", "store");
  const memory = section?.number("max_memory", "max_mem", "mem", "memory");
  if (file === undefined || memory === undefined || file.value < 0 || memory.value < 0) return undefined;
  // Neither streams nor room for them is meant so.
  if (section?.number("max_streams", "streams")?.value === 0) return undefined;
  return { value: file.value + memory.value, at: file.at };
}

const limitsOf = (section: Section | undefined): AccountRead["limits"] =>
  section === undefined
    ? undefined
    : present({
        leafnodes: section.number("max_leafnodes", "max_leafs"),
        payload: section.number("max_payload"),
      });

function isEnabled(node: ConfigNode | undefined): boolean {
  if (node === undefined) return false;
  const { value } = node;
  return value === true || value instanceof Map || (typeof value === "string" && /^enabled?$/i.test(value));
}

function readExport(section: Section): Exchange[] {
  const accounts = section.node("accounts") && section.texts("accounts").map(({ value }) => value);
  return (["stream", "service"] as const).flatMap((kind) => {
    const subject = section.text(kind);
    const allowed = accounts === undefined || accounts.length === 0 ? {} : { accounts };
    return subject === undefined ? [] : [{ kind, subject: subject.value, at: subject.at, ...allowed }];
  });
}

function readImport(section: Section): Exchange[] {
  return (["stream", "service"] as const).flatMap((kind) => {
    const source = section.section(kind);
    const [account, subject] = [source?.text("account"), source?.text("subject")];
    const prefix = section.text("prefix")?.value;
    const to = section.text("to")?.value ?? (prefix === undefined ? undefined : `${prefix}.${subject?.value ?? ""}`);
    return account === undefined || subject === undefined
      ? []
      : [
          {
            kind,
            subject: subject.value,
            ...present({ to }),
            at: subject.at,
            accounts: [account.value],
          },
        ];
  });
}

/** The users of an account, or of `authorization`. */
export function readUsers(owner: Section | undefined, account: string): UserRead[] {
  if (owner === undefined) return [];
  const fallback = owner.section("default_permissions", "default_permission", "permissions");
  return owner.sections("users").flatMap((user) => {
    const key = user.text("nkey");
    const id: Located<string> | undefined = key ?? user.text("user", "username");
    if (id === undefined) return [];
    const rights = user.section("permissions", "permission", "authorization") ?? fallback;
    const secret = user.text("password", "pass")?.value;
    const types = user.texts("allowed_connection_types", "connection_types", "clients");
    return [
      {
        at: id.at,
        account,
        id: id.value,
        isKey: key !== undefined,
        ...present({ secret }),
        ...(user.isOn("proxy_required") ? { needsProxy: true as const } : {}),
        ...(types.length === 0 ? {} : { types: types.map(({ value }) => value.toUpperCase()) }),
        publish: readRights(rights, ["publish", "pub", "import"]),
        subscribe: readRights(rights, ["subscribe", "sub", "export"]),
      },
    ];
  });
}

function readRights(rights: Section | undefined, names: string[]): SubjectRights {
  if (rights === undefined) return { deny: [] };
  const subjects = (found: Located<string>[]): string[] => found.map(({ value }) => value.split(/\s/)[0] ?? "");
  const answers = rights.node("allow_responses", "publish_allow_responses");
  // A user that may only answer may publish nothing else.
  const onlyAnswers = names.includes("publish") && answers !== undefined && answers.value !== false;
  const node = rights.node(...names);
  const inner = Section.of(node);
  const listed = subjects(inner === undefined ? rights.texts(...names) : inner.texts("allow"));
  // An empty list allows everything (nats-server parsePermSubjects).
  const allow = listed.length > 0 ? { allow: listed } : onlyAnswers ? { allow: [] } : {};
  return { at: node?.at ?? rights.at, ...allow, deny: subjects(inner?.texts("deny") ?? []) };
}
