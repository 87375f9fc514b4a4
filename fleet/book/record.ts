import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { collectingAccount } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { Collection, open, withoutSite } from "../../diagnosis/book/ledger";
import { exclusively } from "../../machine/exclusively";
import { readJson, removeOfStack, writePrivate } from "../../machine/folders";
import { withLock } from "../../servers/files/server-files";

/** The account book on disk: one file for each stream of the hub, beside the stack's servers. */

const folderOf = (root: string): string => join(resolve(root), "book");

/** Names the hub's stream: `OSLO.EVENTS`. */
export const bookName = (stream: StreamSettings, site: string): string =>
  `${collectingAccount(stream, site)}.${stream.name}`;

/** The folder with the book of a stream: what else is noted about that stream may lie there. */
export const bookFolder = (root: string, stream: StreamSettings, site: string): string =>
  join(folderOf(root), bookName(stream, site));

const fileOf = (root: string, stream: StreamSettings, site: string): string =>
  join(bookFolder(root, stream, site), "book.json");

/** The book; undefined if none was begun. A damaged file counts as missing. */
export function readBook(root: string, stream: StreamSettings, site: string): Collection | undefined {
  try {
    const found = readJson<Partial<Collection>>(fileOf(root, stream, site));
    return found?.version === 1 ? (found as Collection) : undefined;
  } catch {
    return undefined;
  }
}

/** Changes the book of a stream; one after the other, also between processes. */
export function changeBook<T>(
  root: string,
  stream: StreamSettings,
  site: string,
  work: (book: Collection | undefined, write: (book: Collection) => void) => Promise<T> | T,
): Promise<T> {
  const file = fileOf(root, stream, site);
  return exclusively(file, () =>
    withLock(bookFolder(root, stream, site), async () =>
      work(readBook(root, stream, site), (book) => writePrivate(file, JSON.stringify(book))),
    ),
  );
}

/** Acknowledges everything that is reported of the site's stream. Resolves with the number of differences. */
export const acknowledge = (root: string, stream: StreamSettings, site: string, note: string): Promise<number> =>
  changeBook(root, stream, site, (book, write) => {
    const record = book?.sites[site];
    if (book === undefined || record === undefined) return 0;
    const accepted = { at: new Date().toISOString(), note };
    const accept = <D extends { accepted?: unknown }>(all: readonly D[]): D[] =>
      all.map((one) => (one.accepted === undefined ? { ...one, accepted } : one));
    const isTold = reportsHub(book, site);
    const count = open(record.differences).length + (isTold ? open(book.hub.differences).length : 0);
    if (count === 0) return 0;
    write({
      ...book,
      hub: isTold ? { ...book.hub, differences: accept(book.hub.differences) } : book.hub,
      sites: { ...book.sites, [site]: { ...record, differences: accept(record.differences) } },
    });
    return count;
  });

/** What left the hub's stream is reported with one of its sites, not with each. */
export const reportsHub = ({ sites }: Collection, site: string): boolean => Object.keys(sites).sort()[0] === site;

/** Books the last position of a source before it is removed: afterwards it cannot be asked. */
export const bookLastPosition = (root: string, stream: StreamSettings, site: string, position: number): Promise<void> =>
  changeBook(root, stream, site, (book, write) => {
    const record = book?.sites[site];
    if (book === undefined || record === undefined) return;
    const { [record.source]: before = 0, ...others } = book.positions;
    write({ ...book, positions: { ...others, [record.source]: Math.max(before, position) } });
  });

/** Ends the book of a site whose stream is taken away; `discarded`: of its messages that went from the hub with it. */
export const forgetBook = (root: string, stream: StreamSettings, site: string, discarded = 0): Promise<void> =>
  changeBook(root, stream, site, (book, write) => {
    if (book?.sites[site] === undefined) return;
    const left = withoutSite(book, site, discarded);
    if (left !== undefined) return write(left);
    rmSync(fileOf(root, stream, site), { force: true });
  });

export const removeBooks = (root: string): void => removeOfStack(folderOf(root), root);
