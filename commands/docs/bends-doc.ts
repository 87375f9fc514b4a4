import { BENDS } from "../../components/sdk/bends";
import { table, withPart } from "../../views/settings/page";

/** docs/architecture.md with the table of changes to the SDK. Errors: a page without the marks. */
export const withBends = (page: string): string =>
  withPart(
    page,
    ["<!-- bends -->", "<!-- end of bends -->"],
    table(
      ["what", "where", "saves", "relies on", "optional"],
      BENDS.map(({ what, where, saves, reliesOn, isOptional }) => [
        what,
        where.includes("/") ? where.replace("../../", "") : `components/sdk/${where}`,
        saves,
        reliesOn,
        isOptional ? "yes" : "no: states hold it",
      ]),
    ),
  );
