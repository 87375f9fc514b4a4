import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { mermaidOf } from "../../views/topology/mermaid";
import { leadLines } from "../../views/topology/leads";
import { PageArgs, pageOf } from "../../views/topology/page";
import { standingOf } from "../../views/topology/standing";
import { svgFile } from "../../views/topology/svg";
import { Browser, Page, missingBrowser } from "../support/pages/browser";
import { Measured, measure } from "../support/pages/legibility";
import { ALARMS, EVENTS, drawn, fleetOfSize, leadsOf, manySites } from "../support/pages/topologies";

const suite = missingBrowser === undefined ? describe : describe.skip;

/** Names as long as the settings allow, and as many streams. */
function longest(count: number): PageArgs {
  const sites = Array.from({ length: count }, (_, i) => ({ name: `s${i}-`.padEnd(31, "w") }));
  const streams = Array.from({ length: 32 }, (_, i) => ({
    name: `S${i}_`.padEnd(64, "W"),
    subjects: [`s${i}.${"wide-".repeat(20)}>`],
    ...(i % 2 === 0 ? {} : { collect: { mode: "merged" as const } }),
  }));
  return fleetOfSize(count, { hub: { name: "h".padEnd(31, "w") }, sites, streams });
}

/** With a hub of several servers, and which of them led each stream. */
function seenLeading(fleet: PageArgs): PageArgs {
  const topology = { ...fleet.topology, hub: { ...fleet.topology.hub, servers: 5 } };
  return { ...fleet, topology, leads: leadsOf(topology) };
}

/** What is known of a fleet from its settings alone. */
const plannedOf = ({ proof: _proof, ...fleet }: PageArgs): PageArgs => fleet;

suite(
  `the picture of a fleet in a browser${missingBrowser === undefined ? "" : ` (skipped: ${missingBrowser})`}`,
  () => {
    let browser: Browser;
    let folder: string;
    let files = 0;
    before(async () => {
      browser = await Browser.start();
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-page-"));
    });
    after(async () => {
      await browser?.close();
      fs.rmSync(folder, { recursive: true, force: true });
    });

    const open = (text: string, { ending = "html", dark = false, width = 1280 } = {}): Promise<Page> => {
      const file = path.join(folder, `${(files += 1)}.${ending}`);
      fs.writeFileSync(file, text);
      return browser.open(file, { dark, width });
    };
    /** Of the sites that are seen, in their order on the page. */
    const namesDrawn = (page: Page): Promise<string[]> =>
      page.evaluate(`[...document.querySelectorAll("figure .site")]
      .filter((site) => site.getBoundingClientRect().width > 0)
      .map((site) => site.querySelector("text").textContent)`);

    const SIZES: readonly [string, PageArgs][] = [
      ...[0, 1, 2, 20, 200].map((count): [string, PageArgs] => [`${count} sites`, fleetOfSize(count)]),
      ["3 sites with the longest names and 32 streams", longest(3)],
      ["40 sites with the longest names and 32 streams", longest(40)],
      ["2 sites and a hub of five", seenLeading(fleetOfSize(2))],
      ["40 sites with the longest names and a hub of five", seenLeading(longest(40))],
      ["2 sites and a hub of five whose leaders nobody saw", { ...seenLeading(fleetOfSize(2)), leads: [] }],
      ["200 sites of a plan", plannedOf(fleetOfSize(200))],
    ];

    for (const [what, fleet] of SIZES) {
      describe(`of ${what}`, () => {
        let page: Page;
        let measured: Measured;
        before(async () => {
          page = await open(pageOf(fleet));
          await page.evaluate(`document.querySelectorAll("details").forEach((one) => (one.open = true))`);
          measured = await measure(page);
        });
        after(() => page.close());

        it("has no text on another", () => assert.deepEqual(measured.overlaps, []));
        it("has no text outside of its card or of the window", () => assert.deepEqual(measured.strays, []));
        it("has no text smaller than 11 px", () => assert.ok(measured.smallest >= 11, `${measured.smallest} px`));
        it("does not scroll sideways at 1280 px", () => assert.equal(measured.scrollsSideways, false));
        it("asks for nothing else, and nothing is wrong with it", () =>
          assert.deepEqual([page.requested, page.complaints], [[], []]));
        it("shows every site by its whole name", async () => {
          const names = fleet.topology.sites.map(({ name }) => name);
          assert.deepEqual(await namesDrawn(page), names);
        });
      });
    }

    it("shows the servers of the hub, which of them leads what, and when that was seen", async () => {
      const fleet = seenLeading(fleetOfSize(2));
      const page = await open(pageOf(fleet));
      const lines = await page.evaluate<string[]>(
        `[...document.querySelectorAll("#hub text")].map((line) => line.textContent)`,
      );
      assert.deepEqual(lines.slice(-6), leadLines(fleet.topology, fleet.leads).slice(-6));
      assert.match(lines.join(), /hub-2 leads HUB\/ALARMS/);
      assert.match(lines.at(-1) ?? "", /^seen between 3 Nov 2026, \d\d:\d\d UTC and 3 Nov 2026, 1\d:\d\d UTC$/);
      const cells = await page.evaluate<string[]>(
        `[...document.querySelectorAll("tbody td small")].map((cell) => cell.textContent)`,
      );
      assert.equal(cells.filter((text) => / led by hub-\d, seen 3 Nov 2026/.test(text)).length, 4);
      await page.close();
    });

    describe("with a filter", () => {
      let page: Page;
      before(async () => (page = await open(pageOf(fleetOfSize(200)))));
      after(() => page.close());
      const find = (text: string): Promise<void> =>
        page.evaluate(`{ const field = document.getElementById("find"); field.value = ${JSON.stringify(text)};
        field.dispatchEvent(new Event("input")); }`);
      const press = (state: string): Promise<void> =>
        page.evaluate(`document.querySelector('button[data-state="${state}"]').click()`);
      const heightOf = (selector: string): Promise<number> =>
        page.evaluate(`document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().height`);
      afterEach(() => find(""));

      it("shows the sites that match, all words of them, and no others", async () => {
        await find("OSLO_1 oslo-1");
        const expected = ["oslo-10", "oslo-11", "oslo-12", "oslo-13", "oslo-14", "oslo-15", "oslo-16", "oslo-17"];
        assert.deepEqual(await namesDrawn(page), [...expected, "oslo-18", "oslo-19"]);
        assert.equal(await page.evaluate(`document.getElementById("shown").textContent`), "10 of 200 sites");
      });

      it("moves them together below the hub, legibly", async () => {
        const before = await heightOf("figure .fleet");
        await find("hamar");
        assert.ok((await heightOf("figure .fleet")) < before / 4);
        const { overlaps, strays } = await measure(page);
        assert.deepEqual([overlaps, strays], [[], []]);
      });

      it("hides the same sites in the table", async () => {
        await find("tromso-7");
        assert.deepEqual(
          await page.evaluate(`[...document.querySelectorAll("tbody:not([hidden]) th code:first-child")]
          .map((name) => name.textContent).filter((name) => name === name.toLowerCase())`),
          ["tromso-7"],
        );
      });

      it("shows the sites in one state, and all again", async () => {
        await press("unproven");
        const unproven = await namesDrawn(page);
        await press("unproven");
        assert.deepEqual(
          unproven,
          fleetOfSize(200).unproven.filter((name) => unproven.includes(name)),
        );
        assert.equal(unproven.length, 14);
        assert.equal((await namesDrawn(page)).length, 200);
      });

      it("leaves the hub when nothing matches, and puts everything back", async () => {
        const before = await heightOf("figure .fleet");
        await find("no such site");
        assert.deepEqual(await namesDrawn(page), []);
        assert.ok((await heightOf("#hub")) > 0);
        await find("");
        assert.deepEqual(
          await namesDrawn(page),
          fleetOfSize(200).topology.sites.map(({ name }) => name),
        );
        assert.equal(await heightOf("figure .fleet"), before);
      });
    });

    for (const dark of [false, true]) {
      it(`has text that stands out from what is behind it, on a ${dark ? "dark" : "light"} screen`, async () => {
        const page = await open(pageOf(fleetOfSize(2)), { dark });
        const colours = await page.evaluate<Record<string, string>>(`Object.fromEntries(
        ["ground", "card", "ink", "muted", "hub", "hub-ink", "hub-muted", "proven", "old", "unproven", "pending", "none"]
          .map((name) => [name, getComputedStyle(document.documentElement).getPropertyValue("--" + name)]))`);
        await page.close();
        const pairs = [
          ...["ink", "muted", "proven", "old", "unproven", "pending", "none"].map((name) => [name, "card"]),
          ...["ink", "muted"].map((name) => [name, "ground"]),
          ...["hub-ink", "hub-muted"].map((name) => [name, "hub"]),
        ];
        const faint = pairs.filter(([text = "", behind = ""]) => contrast(colours[text]!, colours[behind]!) < 4.5);
        assert.deepEqual(faint, []);
        assert.equal(luminance(colours.ground!) < 0.2, dark);
      });
    }

    it("runs nothing that a name smuggles in", async () => {
      const fleet = fleetOfSize(2);
      const [site = assert.fail()] = fleet.topology.sites;
      const name = `"><img src=x onerror="document.title='run'"><script>document.title='run'</script>`;
      const page = await open(pageOf({ ...fleet, topology: { ...fleet.topology, sites: [{ ...site, name }] } }));
      assert.deepEqual(
        await page.evaluate(`[document.title, document.querySelectorAll("img").length, document.scripts.length]`),
        ["Fleet staging", 0, 0],
      );
      assert.deepEqual([page.requested, page.complaints], [[], []]);
      await page.close();
    });

    it("is whole as a file of SVG too", async () => {
      const { topology, ...known } = fleetOfSize(20);
      const page = await open(svgFile({ topology, standings: standingOf(topology, known), title: "Fleet" }), {
        ending: "svg",
      });
      assert.deepEqual(
        await page.evaluate(`[document.documentElement.tagName, document.querySelectorAll(".site").length]`),
        ["svg", 20],
      );
      assert.deepEqual([page.requested, page.complaints], [[], []]);
      await page.close();
    });

    describe("as Mermaid text", () => {
      let page: Page;
      before(async () => {
        const library = fs
          .readFileSync(require.resolve("@mermaid-js/tiny"), "utf8")
          .replaceAll("</script", "<\\/script");
        page = await open(`<!doctype html><meta charset="utf-8"><body><script>${library}</script>`);
        // As GitHub has it; the limits are Mermaid's own.
        await page.evaluate(`mermaid.initialize({ startOnLoad: false, securityLevel: "strict" })`);
      });
      after(() => page.close());
      /** The labels of the nodes that Mermaid draws. */
      const render = (text: string): Promise<string[]> =>
        page.evaluate(`mermaid.render("drawn", ${JSON.stringify(text)}).then(({ svg }) => {
        document.body.innerHTML = svg;
        return [...document.querySelectorAll(".node")].map((node) => node.textContent.trim());
      })`);

      for (const count of [0, 2, 20, 200]) {
        it(`is drawn by Mermaid itself, of ${count} sites`, async () => {
          const { topology } = fleetOfSize(count);
          const nodes = await render(mermaidOf(topology));
          assert.equal(nodes.length, Math.min(count, 20) + (count > 20 ? 2 : 1));
          for (const { name, account } of topology.sites.slice(0, 20))
            assert.ok(
              nodes.some((text) => text.startsWith(`${name}account ${account}`)),
              name,
            );
        });
      }

      it("is drawn with the servers of the hub, and which of them leads", async () => {
        const { topology, leads } = seenLeading(fleetOfSize(2));
        const nodes = await render(mermaidOf(topology, new Map(), leads));
        assert.ok(nodes.some((text) => text.includes("hub-2 leads HUB/ALARMS") && text.includes("hub-5 leads")));
      });

      it("is drawn within Mermaid's limits when every one of 1000 sites is marked", async () => {
        const topology = drawn({ sites: manySites(1000), streams: [EVENTS, ALARMS] });
        const nodes = await render(mermaidOf(topology, new Map(topology.sites.map(({ name }) => [name, "restarts"]))));
        assert.equal(nodes.length, 62);
        assert.ok(nodes.includes("and 940 more sites940 restarts"), nodes.at(-2));
      });

      it("shows a hostile name as text", async () => {
        const { hub, sites } = drawn({ sites: [{ name: "oslo" }] });
        const name = `x"]; click s1 "https://x" #quot; <img src=x> \`a\` {b} [c] %% 1. d`;
        const [site = assert.fail()] = sites;
        const [first] = await render(mermaidOf({ hub, sites: [{ ...site, name }] }));
        assert.equal(first, `${name}account OSLOprocess`);
        assert.deepEqual(await page.evaluate(`document.querySelectorAll("img, a").length`), 0);
      });
    });
  },
);

/** The relative luminance of `#rrggbb`, and the contrast of two, as WCAG 2 has them. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}
