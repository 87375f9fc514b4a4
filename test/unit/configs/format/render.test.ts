import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "../../../../configs/format/parse";
import { quote, render } from "../../../../configs/format/render";
import { AccountConfig, ServerConfig, UserConfig } from "../../../../configs/server-config";

/** Any text, and often one made of what means something in the configuration format. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom('"', "'", "\\", "$", "#", "/", "{", "}", "[", "]", ":", "=", ",", ";", " ", "\n"),
  }),
  fc.string({ unit: fc.constantFrom("\u0000", "\u0007", "\t", "\r", "\n", "\u001b", "\u007f", "\\", "x", "n", "0") }),
  fc.constantFrom("$HOME", "# no comment", "// none", "true", "10GB", "include x", "(", "\\x41", "€😀", ""),
);
const subjectRule = fc.record({ allow: fc.array(text), deny: fc.array(text) }, { requiredKeys: [] });
const user: fc.Arbitrary<UserConfig> = fc.record(
  {
    nkey: text,
    allowed_connection_types: fc.array(fc.constantFrom("LEAFNODE", "STANDARD")),
    permissions: fc.record({ publish: subjectRule, subscribe: subjectRule }, { requiredKeys: [] }),
  },
  { requiredKeys: ["nkey"] },
);
const amount = fc.maxSafeNat();
const account: fc.Arbitrary<AccountConfig> = fc.record(
  {
    users: fc.array(user, { maxLength: 3 }),
    jetstream: fc.record({ max_mem: amount, max_file: amount }),
    exports: fc.array(fc.record({ stream: text, accounts: fc.array(text) }), { maxLength: 2 }),
    imports: fc.array(fc.record({ service: fc.record({ account: text, subject: text }) }), { maxLength: 2 }),
  },
  { requiredKeys: ["users"] },
);
const config: fc.Arbitrary<ServerConfig> = fc
  .record({
    server_name: text,
    listen: text,
    http: text,
    max_payload: amount,
    log_file: text,
    logfile_size_limit: amount,
    logfile_max_num: amount,
    jetstream: fc.record({
      store_dir: text,
      domain: text,
      max_memory_store: amount,
      max_file_store: amount,
      sync_interval: text,
    }),
    leafnodes: fc.oneof(
      fc.record({ listen: text, no_advertise: fc.constant(true as const) }),
      fc.record({
        reconnect: text,
        remotes: fc.array(fc.record({ urls: fc.array(text), account: text, nkey: text }), { maxLength: 2 }),
      }),
    ),
    accounts: fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/), account, { maxKeys: 3 }),
    system_account: text,
  })
  // Plain objects, as `parse` makes them; fast-check makes ones without a prototype.
  .map((made) => structuredClone(made));

describe("a rendered configuration", () => {
  it("gives the configuration back when it is parsed, whatever its strings hold", () => {
    fc.assert(
      fc.property(config, (given) => {
        assert.deepEqual(parse(render(given)), given);
      }),
      { numRuns: 200 },
    );
  });

  it("is the same text for the same configuration", () => {
    fc.assert(
      fc.property(config, (given) => {
        assert.equal(render(given), render(structuredClone(given)));
      }),
      { numRuns: 50 },
    );
  });

  it("keeps every string on one line, so that no string can end its entry", () => {
    fc.assert(
      fc.property(text, (given) => {
        assert.match(quote(given), /^"[^\n\r\t\u0000]*"$/);
      }),
    );
  });

  it("has lines of key and value, groups in braces and lists without commas", () => {
    const account: AccountConfig = { users: [{ nkey: "UA" }, { nkey: "UB", permissions: {} }], exports: [] };
    const given = { server_name: "hub", max_payload: 1024, accounts: { HUB: account } } as unknown as ServerConfig;
    assert.equal(
      render(given),
      [
        'server_name: "hub"',
        "max_payload: 1024",
        "accounts: {",
        "  HUB: {",
        "    users: [",
        "      {",
        '        nkey: "UA"',
        "      }",
        "      {",
        '        nkey: "UB"',
        "        permissions: {}",
        "      }",
        "    ]",
        "    exports: []",
        "  }",
        "}",
        "",
      ].join("\n"),
    );
  });

  it("leaves out what is undefined", () => {
    const given = { server_name: "oslo", log_file: undefined, jetstream: { domain: undefined } };
    assert.equal(render(given as unknown as ServerConfig), 'server_name: "oslo"\njetstream: {}\n');
  });

  it("quotes a key that is no plain word", () => {
    const given = { "a b": 1, "2": true } as unknown as ServerConfig;
    assert.deepEqual(render(given).trimEnd().split("\n").sort(), ['"2": true', '"a b": 1']);
  });
});

describe("a quoted string", () => {
  const QUOTED: Readonly<Record<string, string>> = {
    hub: '"hub"',
    "": '""',
    'say "hi"': '"say \\"hi\\""',
    "C:\\nats": '"C:\\\\nats"',
    "a\nb\rc\td": '"a\\nb\\rc\\td"',
    "\u0000\u001b\u007f": '"\\x00\\x1b\\x7f"',
    $HOME: '"$HOME"',
    "a # b // c": '"a # b // c"',
    "ø€😀": '"ø€😀"',
    true: '"true"',
    "10GB": '"10GB"',
  };
  for (const [given, quoted] of Object.entries(QUOTED)) {
    it(`of ${JSON.stringify(given)} is ${quoted}`, () => {
      assert.equal(quote(given), quoted);
    });
  }
});
