import { resolve } from "node:path";
import { factsOf } from "../../diagnosis/book/facts";
import { readBook, reportsHub } from "../../fleet/book/record";
import type { StreamsInputs } from "../../providers/streams";
import { siteStreamName } from "../../configs/names";
import { balanceTable } from "../words/doctor-words";
import { isOf } from "../../configs/text/urn";
import type { Deployment } from "../stack/pending";

/** The account book of a stack as the last look left it, as a table; empty where there is none. */
export function balanceOf(state: Deployment, projectFolder: string): string[] {
  const ofSites = (state.deployment?.resources ?? []).filter(isOf("Streams"));
  return balanceTable(
    ofSites.map(({ inputs }) => {
      const { site, root, streams } = inputs as unknown as StreamsInputs;
      const booked = streams.flatMap((stream) => {
        const book = readBook(resolve(projectFolder, root), stream, site);
        const facts = book && factsOf(book, site, { tellsOfHub: reportsHub(book, site) });
        return facts === undefined ? [] : [{ stream: siteStreamName(stream, site), book: facts.balance }];
      });
      return { site, streams: booked };
    }),
  );
}
