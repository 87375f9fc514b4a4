import assert from "node:assert/strict";
import { parseSitesTable } from "../../../../configs/reading/parse-sites";
import { judgedSettings } from "../../../../configs/reading/read-settings";
import { SITE_COLUMNS } from "../../../../configs/reading/sites-csv";
import { describeProblem } from "../../../../configs/problem";
import { settingsOf } from "../../../support/rules/settings";

const judged = (file: string, text: string, more: Record<string, unknown> = {}) =>
  judgedSettings({ ...more, sitesFile: file }, parseSitesTable(file, text), { emptyPassphrase: false });

function sites(file: string, text: string) {
  const { settings, problems } = judged(file, text);
  assert.deepEqual(problems, []);
  return settings?.sites;
}

const problems = (file: string, text: string, more: Record<string, unknown> = {}): string[] =>
  judged(file, text, more).problems.map(describeProblem);

const OSLO_AND_BERGEN = settingsOf({
  sites: [{ name: "oslo", quota: "4GiB", ports: { client: 4301 }, rotation: 2 }, { name: "bergen" }],
}).sites;

describe("a table of sites in CSV", () => {
  it("is the sites that the stack config would have", () => {
    const text = "name,quota,ports.client,rotation\noslo,4GiB,4301,2\nbergen,,,\n";
    assert.deepEqual(sites("sites.csv", text), OSLO_AND_BERGEN);
  });

  it("has columns for all settings of a site, in groups too", () => {
    const columns = [...SITE_COLUMNS.keys()];
    for (const name of ["name", "expect", "engine", "quota", "ports.client", "ports.monitor", "logs.sizeLimit"]) {
      assert.ok(columns.includes(name), `${name} is missing in ${columns.join(" ")}`);
    }
    assert.deepEqual(
      ["rotation", "ports.client", "logs.keep", "quota"].map((name) => SITE_COLUMNS.get(name)),
      ["number", "number", "number", "text"],
    );
  });

  const SAME: Readonly<Record<string, string>> = {
    "a byte order mark and the line ends of Windows":
      "\uFEFF# the north; all of it\r\nname,quota,ports.client,rotation\r\noslo,4GiB,4301,2\r\nbergen,,,\r\n",
    "quoted cells": '"name","quota","ports.client","rotation"\n"oslo","4GiB","4301","2"\n"bergen","","",""\n',
    "blanks round its cells": "name  , quota , ports.client, rotation\noslo  , 4GiB  , 4301, 2\nbergen, , ,",
    "comments, empty lines and empty rows":
      "# the north\nname,quota,ports.client,rotation\n\noslo,4GiB,4301,2\n,,,\n# later: tromso\nbergen,,,\n",
    "semicolons, as spreadsheets of many countries write":
      "name;quota;ports.client;rotation\noslo;4GiB;4301;2\nbergen;;;",
    "an empty column without a name": "name,quota,ports.client,rotation,\noslo,4GiB,4301,2,\nbergen,,,,\n",
  };
  for (const [what, text] of Object.entries(SAME)) {
    it(`may have ${what}`, () => assert.deepEqual(sites("sites.csv", text), OSLO_AND_BERGEN));
  }

  it("without a row is a fleet without sites", () => assert.deepEqual(sites("sites.csv", "name,quota\n"), []));

  it("with mistakes is refused with file, line and column of each, all at once", () => {
    const text = [
      "name,quota,colour,quota,rotation,ports.client",
      "Oslo,4GiB,red,,0,",
      '"bergen",many,,,x,70000',
      "# a comment",
      ",4GiB,,,0,",
      "tromso,4GiB",
      "narvik,1GiB,,,0,",
      "narvik,1GiB,,,0,",
    ].join("\n");
    const found = problems("fleet/sites.csv", text, { hub: { maxFile: "1TiB" }, smokeTest: "never" });
    const line = "^fleet/sites\\.csv line ";
    for (const expected of [
      `${line}1, column colour: is not a setting of a site; use some of name, expect, `,
      `${line}1, column quota: is twice in the header; keep one`,
      `${line}2, column name: 'Oslo' must be 1 to 31 lower-case letters`,
      `${line}3, column quota: 'many' is not a size: write it like "256MiB"; `,
      `${line}3, column rotation: is string, not number; write a value of type number`,
      `${line}3, column ports\\.client: 70000 is too large; use 65535 or less`,
      `${line}5, column name: is missing; give it`,
      `${line}6: has 2 cells, but the header has 6; give each row a cell for every column`,
      `${line}8, column name: 'narvik' is used twice; site names must differ`,
      "^smokeTest: 'never' is not allowed",
    ]) {
      assert.equal(
        found.filter((problem) => new RegExp(expected).test(problem)).length,
        1,
        `${expected}\n${found.join("\n")}`,
      );
    }
    assert.equal(found.length, 10, found.join("\n"));
  });

  it("names the places of a rule that knows two of them", () => {
    const text = "name,ports.client\noslo,4301\nbergen,4301\n";
    assert.match(
      problems("sites.csv", text)[0] ?? "",
      /^sites\.csv line 3, column ports\.client: port 4301 is taken by sites\.csv line 2, column ports\.client; /,
    );
  });

  it("takes no part of a cell for a comment", () => {
    assert.match(
      problems("sites.csv", "name\nnar#vik\n")[0] ?? "",
      /^sites\.csv line 2, column name: 'nar#vik' must be/,
    );
  });

  it("shows no seed that somebody wrote into it", () => {
    const seed = `SU${"A".repeat(56)}`;
    assert.equal(problems("sites.csv", `name,${seed}\n${seed},1\n`).join().includes(seed), false);
  });

  const BROKEN: Readonly<Record<string, [string, RegExp]>> = {
    "has no header": ["", /^sites\.csv: has no header row; begin it with/],
    "has no column for names": ["oslo,4GiB\n", /^sites\.csv line 1: the header has no column 'name'; begin/],
    "has a quote that never ends": ['name,quota\noslo,1GiB\n"bergen,2GiB\na,b\n', /^sites\.csv line 3: a quoted cell /],
    "has a quote within a cell": ['name,quota\noslo,1"GiB\n', /^sites\.csv line 2: has a quote within a cell; quote/],
    "is not UTF-8": ["n\0a\0m\0e\0", /^sites\.csv: is not UTF-8 text; save it as "CSV UTF-8"/],
    "has cells in a column without a name": ["name,\noslo,x\n", /^sites\.csv line 1, column 2: has cells but no name/],
  };
  for (const [what, [text, expected]] of Object.entries(BROKEN)) {
    it(`is refused when it ${what}`, () => {
      const found = problems("sites.csv", text, { keys: { oslo: {} } });
      assert.match(found[0] ?? "", expected);
    });
  }

  it("that cannot be read is one problem: no rule judges a fleet without its sites", () => {
    assert.equal(problems("sites.csv", "", { keys: { oslo: { link: "x" } } }).length, 1);
  });
});

describe("a table of sites in YAML", () => {
  it("is the list that would stand in the stack config", () => {
    const text = "- name: oslo\n  quota: 4GiB\n  ports: { client: 4301 }\n  rotation: 2\n- name: bergen\n";
    assert.deepEqual(sites("sites.yaml", text), OSLO_AND_BERGEN);
  });

  it("with mistakes is refused with file, line and setting of each", () => {
    const text = "# the north\n- name: oslo\n  ports:\n    client: 70000\n- quotta: 1GiB\n  name: bergen\n- quota: 1\n";
    assert.deepEqual(
      problems("sites.yml", text).map((problem) => problem.split(";")[0]),
      [
        "sites.yml line 4, ports.client: 70000 is too large",
        "sites.yml line 5: 'quotta' is not a setting",
        "sites.yml line 7, name: is missing",
        "sites.yml line 7, quota: is number, not string",
      ],
    );
  });

  const BROKEN: Readonly<Record<string, [string, RegExp]>> = {
    "is no YAML": [
      "- name: oslo\n  name: bergen\n",
      /^sites\.yaml line 2, column 3: is not YAML: Map keys must be unique/,
    ],
    "is no list": ["sites:\n  - name: oslo\n", /^sites\.yaml: is not a list of sites; write '- name: …'/],
    "is empty": ["", /^sites\.yaml: is not a list of sites/],
  };
  for (const [what, [text, expected]] of Object.entries(BROKEN)) {
    it(`is refused when it ${what}`, () => assert.match(problems("sites.yaml", text)[0] ?? "", expected));
  }
});

describe("the table of sites", () => {
  it("is a file of a known ending", () => {
    assert.match(
      problems("sites.xlsx", "x").join(),
      /^sitesFile: 'sites\.xlsx' is not a table of sites; name a file that ends in/,
    );
  });

  it("stands in the place of `sites`, not beside it", () => {
    const found = problems("sites.csv", "name\noslo\n", { sites: [{ name: "bergen" }] });
    assert.deepEqual(found, ["sites: are set here and in sites.csv; move them all there, or remove sitesFile"]);
  });

  it("is never taken for empty because nobody read it", () => {
    const { settings, problems } = judgedSettings({ sitesFile: "sites.csv" }, undefined, { emptyPassphrase: false });
    assert.equal(settings, undefined);
    assert.match(problems.map(describeProblem).join(), /^sitesFile: has not been read; pass what readSitesFile/);
  });

  it("holds a thousand sites, and says so in short when it holds more", () => {
    const text = ["name", ...Array.from({ length: 1001 }, (_, i) => `site-${i}`)].join("\n");
    assert.match(problems("sites.csv", text)[0] ?? "", /^sites\.csv: a list of 1001 is too large; use 1000 or less$/);
  });
});
