import assert from "node:assert/strict";
import { configDifferences } from "../../../../configs/format/config-differences";
import { newKey, newSeed } from "../../../support/rules/settings";

const [KEY, OTHER, SEED] = [newKey(), newKey(), newSeed()];
const WRITTEN = `
accounts {
  OSLO {
    jetstream { max_mem: 0, max_file: 100000 }
    users [
      { nkey: ${KEY}, permissions { publish { allow: ["$JS.S.>", "$JSC.R.>"] } } }
    ]
    exports [ { service: "$JS.FC.EVENTS.>", accounts: [HUB] } ]
  }
}
leafnodes { remotes [ { urls: ["nats-leaf://hub:7422"], account: OSLO, nkey: ${SEED} } ] }
`;

describe("the differences of a configuration file from what was written", () => {
  const edited = (from: string, to: string) => {
    assert.ok(WRITTEN.includes(from));
    return configDifferences(WRITTEN.replace(from, to), WRITTEN);
  };

  it("are none when it says the same in another way", () => {
    assert.deepEqual(configDifferences(WRITTEN.replaceAll("{", "{\n# by hand\n"), WRITTEN), []);
  });

  it("name a limit, with what was written", () => {
    assert.deepEqual(edited("max_file: 100000", "max_file: 5"), [
      "accounts.OSLO.jetstream.max_file is 5, this program wrote 100000",
    ]);
  });

  it("name a user more, a user less, and what one may do", () => {
    assert.deepEqual(edited("users [", `users [ { nkey: ${OTHER} }`), [`accounts.OSLO.users also has {nkey:${OTHER}}`]);
    assert.match(edited(KEY, OTHER).join(), new RegExp(`users lacks .*${KEY}.*users also has .*${OTHER}`));
    assert.deepEqual(edited('"$JSC.R.>"', '">"'), [
      `accounts.OSLO.users of ${KEY}.permissions.publish.allow lacks $JSC.R.>`,
      `accounts.OSLO.users of ${KEY}.permissions.publish.allow also has >`,
    ]);
  });

  it("name mappings, exports and whole blocks", () => {
    assert.deepEqual(edited("accounts {", 'no_auth_user: guest\naccounts {\n  NEW { mappings { "a": "b" } }\n'), [
      "accounts.NEW is {mappings:{a:b}}, this program wrote none",
      "no_auth_user is guest, this program wrote none",
    ]);
    assert.deepEqual(edited("accounts: [HUB]", ""), [
      "accounts.OSLO.exports.accounts is none, this program wrote [HUB]",
    ]);
  });

  it("show no seed, password or login", () => {
    const secret = "hunter2";
    const all = [
      ...edited(SEED, newSeed()),
      ...edited("users [", `users [ { user: guest, password: ${secret} }`),
      ...edited("nats-leaf://hub", `nats-leaf://guest:${secret}@hub`),
      ...edited(`nkey: ${SEED}`, `credentials: ${newSeed()}`),
      ...edited("accounts {", `authorization { token: ${secret} }\naccounts {`),
    ].join("\n");
    assert.doesNotMatch(all, new RegExp(`${secret}|SU[A-Z2-7]{20}`));
    assert.match(all, /nkey is \(hidden\), this program wrote \(hidden\)/);
  });

  it("say of a file that makes no sense only that", () => {
    assert.deepEqual(configDifferences("accounts {", WRITTEN), ["nats-server cannot read it"]);
  });
});
