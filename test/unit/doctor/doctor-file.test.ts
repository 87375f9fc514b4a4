import assert from "node:assert/strict";
import { describeProblem } from "../../../configs/problem";
import { parseFleetFile } from "../../../configs/reading/fleet-file";
import { newSeed } from "../../support/rules/settings";

describe("the file of a fleet that somebody else deployed", () => {
  const SMALLEST = { hub: { url: "nats://hub.example:4222" }, sites: [{ name: "oslo" }] };
  const problemsOf = (file: unknown): string[] =>
    parseFleetFile(typeof file === "string" ? file : JSON.stringify(file)).problems.map(describeProblem);
  const withHub = (hub: object) => ({ ...SMALLEST, hub: { ...SMALLEST.hub, ...hub } });
  const withSite = (site: object) => ({ ...SMALLEST, sites: [{ name: "oslo", ...site }] });

  it("needs no more than the hub's address and the names of the sites", () => {
    assert.deepEqual(problemsOf(SMALLEST), []);
  });

  it("takes a hub of several servers, a site of several, and one behind a region", () => {
    const urls = ["nats://a.example:4222", "nats://b.example:4222"];
    const region = { name: "region", servers: ["region-1", "region-2"] };
    const plot = { name: "plot", via: "region", viaAccount: "CROP", streams: [{ name: "HARVEST", at: "region" }] };
    assert.deepEqual(problemsOf({ hub: { urls }, sites: [region, plot] }), []);
  });

  const REFUSED: Record<string, [file: unknown, problem: RegExp]> = {
    "no hub": [{ sites: [{ name: "oslo" }] }, /^hub: is missing/],
    "no site": [{ ...SMALLEST, sites: [] }, /^sites: too small/],
    "a misspelt key": [withSite({ acount: "OSLO" }), /^sites\[0\]: 'acount' does not belong here; check the spelling/],
    "a word that there is not": [
      withSite({ expect: "maybe" }),
      /^sites\[0\].expect: is another word; use one of online, offline/,
    ],
    "two sites of a name": [
      { ...SMALLEST, sites: [{ name: "oslo" }, { name: "oslo" }] },
      /^sites\[1\].name: 'oslo' is used twice/,
    ],
    "a hub with its address twice": [withHub({ urls: ["nats://hub:4222"] }), /^hub: .*give one of 'url' and 'urls'/],
    "a region that there is not": [withSite({ via: "bergen" }), /^sites\[0\].via: names no other site of the file/],
    "a site that is its own region": [withSite({ via: "oslo" }), /^sites\[0\].via: names no other site/],
    "a stream collected at no site": [
      withSite({ streams: [{ name: "EVENTS", at: "bergen" }] }),
      /^sites\[0\].streams\[0\].at: names no other site/,
    ],
    "a login in the address": [withHub({ url: "nats://a:b@hub:4222" }), /^hub.url: .*without a login/],
    "no login in a login": [withHub({ system: {} }), /^hub.system: .*give one of 'seed', 'creds'/],
    "two logins in one": [
      withHub({ system: { seed: { file: "a" }, creds: { file: "b" } } }),
      /^hub.system: .*give one of 'seed', 'creds'/,
    ],
    "a user without password": [withHub({ system: { user: "sys" } }), /^hub.system: /],
    "a secret from two places": [
      withHub({ system: { seed: { file: "a", env: "B" } } }),
      /^hub.system.seed: .*one of 'file' and 'env'/,
    ],
    "text that is no YAML": ["hub: [", /^line 1, column \d+: .*; write YAML there$/],
  };
  for (const [mistake, [file, problem]] of Object.entries(REFUSED)) {
    it(`refuses ${mistake}, with the place and the cure`, () => {
      const problems = problemsOf(file);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0]!, problem);
    });
  }

  it("names every mistake at once", () => {
    assert.equal(problemsOf({ hub: {}, sites: [{ name: "" }, { nome: "x" }] }).length, 4);
  });

  it("refuses a secret in the file itself, without showing it", () => {
    const seed = newSeed();
    const problems = problemsOf({
      ...withHub({ system: { seed }, [seed.slice(0, 8)]: 1 }),
      accounts: { OSLO: { user: "a", password: seed } },
    });
    assert.match(problems.join("\n"), /hub.system.seed: is no group; write { file: … } or { env: … }/);
    assert.match(problems.join("\n"), /accounts.OSLO.password: is no group/);
    assert.equal(problems.join("\n").includes(seed), false);
  });
});
