import type { Page } from "./browser";

/** What a reader of a page would stumble over, measured in the browser. The functions run in the page. */

declare const document: {
  body: object;
  documentElement: Scrolling;
  querySelectorAll(selector: string): Iterable<Scrolling>;
  createRange(): { selectNodeContents(node: unknown): void; getClientRects(): Iterable<Box> };
  createTreeWalker(root: unknown, what: number): { nextNode(): TextNode | null };
};
declare function getComputedStyle(element: unknown): { fontSize: string };

interface Scrolling {
  tagName: string;
  scrollWidth: number;
  clientWidth: number;
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
  width: number;
  height: number;
}

interface Element {
  tagName: string;
  closest(selector: string): Element | null;
  querySelector(selector: string): Element | null;
  getBoundingClientRect(): Box;
  getScreenCTM?(): { a: number } | null;
}

interface TextNode {
  nodeValue: string | null;
  parentElement: Element;
}

/** How much two boxes of text may share: the room above and below letters. */
const SLACK = 1;

export interface Measured {
  /** Texts that stand on each other. */
  overlaps: string[];
  /** Texts that leave the card that they are on, or the window. */
  strays: string[];
  smallest: number;
  scrollsSideways: boolean;
  texts: number;
}

export const measure = (page: Page): Promise<Measured> =>
  page.run((slack): Measured => {
    const walker = document.createTreeWalker(document.body, 4);
    const seen: { text: string; box: Box }[] = [];
    const strays: string[] = [];
    let smallest = Infinity;
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = (node.nodeValue ?? "").trim();
      const parent = node.parentElement;
      if (text === "" || /^(script|style|title|desc|caption|option)$/i.test(parent.tagName)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const boxes = [...range.getClientRects()].filter(({ width, height }) => width > 0 && height > 0);
      // Chromium gives a range in SVG that is not drawn the box it would have.
      if (boxes.length === 0 || parent.getBoundingClientRect().width === 0) continue;
      const scale = parent.getScreenCTM?.()?.a ?? 1;
      smallest = Math.min(smallest, parseFloat(getComputedStyle(parent).fontSize) * scale);
      // Of the card, of the drawing, which shows nothing outside of itself, and of the window.
      const rooms = [parent.closest(".site, #hub")?.querySelector("rect"), parent.closest("svg")]
        .flatMap((one) => (one === null || one === undefined ? [] : [one.getBoundingClientRect()]))
        .concat({ left: 0, right: document.documentElement.clientWidth, top: -Infinity, bottom: Infinity } as Box);
      for (const box of boxes) {
        seen.push({ text, box });
        const isIn = (room: Box) =>
          box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
        if (!rooms.every(isIn)) strays.push(text);
      }
    }
    seen.sort((a, b) => a.box.top - b.box.top);
    const overlaps: string[] = [];
    seen.forEach(({ text, box }, i) => {
      for (let j = i + 1; j < seen.length; j += 1) {
        const other = seen[j]!;
        if (other.box.top >= box.bottom - slack) break;
        const isBeside = other.box.left >= box.right - slack || other.box.right <= box.left + slack;
        if (!isBeside) overlaps.push(`${text} / ${other.text}`);
      }
    });
    const scrolling = [document.documentElement, ...document.querySelectorAll("body *")];
    const scrollsSideways = scrolling.some(
      ({ scrollWidth, clientWidth, tagName }) => /^(html|figure)$/i.test(tagName) && scrollWidth > clientWidth,
    );
    return { overlaps, strays, smallest, scrollsSideways, texts: seen.length };
  }, SLACK);
