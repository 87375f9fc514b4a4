import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../../..");
const ROOMS = (JSON.parse(readFileSync(join(ROOT, "rooms.json"), "utf8")) as { room: string }[]).map(
  ({ room }) => room,
);

/** Facts that stood in several places, each by what would show that it does again. */
const FACTS: Record<string, { shows: RegExp; home: string[] }> = {
  "the roles of keys": { shows: /"operator", "reader"/, home: ["configs/keys.ts"] },
  "the names of a server's resources": {
    shows: /\}-(identity|link|server|streams|container|certificate)`|"-(identity|container)"/,
    home: [],
  },
  "how a URN is read": { shows: /split\("::"\)|nats:FleetCheck/, home: ["configs/text/urn.ts"] },
  "the types of Docker's resources": { shows: /"docker:index|"pulumi:providers/, home: ["configs/text/urn.ts"] },
  "the scheme of a link": { shows: /\? "nats-leaf" : "tls"/, home: ["configs/link-tls.ts"] },
  "how long something is waited for": {
    shows: /for \(const deadline = [^\n]*await/,
    home: ["machine/until.ts"],
  },
  "how versions compare": { shows: /from "semver/, home: ["machine/version.ts"] },
  "how a finding is shown": {
    shows: /`  (cause|evidence|next) +\$\{/,
    home: ["diagnosis/engine/finding.ts"],
  },
  "how the words of a problem or a finding are masked": {
    shows: /\w+: maskSeeds\(\w+\),\n +\w+: maskSeeds/,
    home: [],
  },
  "which sites are reached through the hub": {
    shows: /=== "hub" \? \{ throughHub/,
    home: ["configs/plan/declare.ts"],
  },
  "how a site and the hub's streams of it are reached": {
    shows: /\? \{ hubOperator|hubOperator: seed|hubOperator: \w+\.seed/,
    home: ["fleet/sourcing/access.ts"],
  },
  "what is left out where it is not known": {
    shows: /\.\.\.\((\w+) === undefined \? \{\} : \{ (?:\w+: )?\1 \}\)/,
    home: [],
  },
};

const sources = ROOMS.flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${room}/${file}`),
).map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }));

describe("a fact of the program", () => {
  for (const [fact, { shows, home }] of Object.entries(FACTS)) {
    it(`stands once: ${fact}`, () => {
      const found = sources.filter(({ text }) => shows.test(text)).map(({ file }) => file);
      assert.deepEqual(found, home);
    });
  }
});
