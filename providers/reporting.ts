import { Refusal } from "../machine/refusal";
import { sendReport } from "../machine/report";

type Methods = Readonly<Record<string, unknown>>;

/** What a `check` may resolve with. */
interface Checked {
  failures?: readonly { property: string; reason: string; goesOn?: true }[];
}

/** What inputs may say of whose they are. */
interface Owned {
  site?: unknown;
  owner?: unknown;
  declaration?: { site?: unknown; restart?: { name?: unknown } };
}

/** A provider's functions, each of which also reports its refusals as data. */
export const reporting = (provider: Methods): Methods =>
  Object.fromEntries(
    Object.entries(provider).map(([name, work]) => [
      name,
      typeof work === "function" ? withRefusals(work as Work) : work,
    ]),
  );

type Work = (...args: unknown[]) => Promise<unknown>;

function withRefusals(work: Work): Work {
  return async (...args) => {
    try {
      const result = (await work(...args)) as Checked | undefined;
      for (const { property, reason, goesOn } of result?.failures ?? []) {
        const words = goesOn === true ? `${property}: ${reason}` : reason;
        sendReport({ kind: "refused", values: { property }, words });
      }
      return result;
    } catch (error) {
      if (error instanceof Refusal) sendReport({ kind: "refused", ...ownerIn(args), words: error.message });
      throw error;
    }
  };
}

/** The hub or the site whose resource is worked on, by the last inputs. */
function ownerIn(args: readonly unknown[]): { server?: string } {
  const inputs = args.findLast((one) => typeof one === "object" && one !== null) as Owned | undefined;
  const server = inputs?.site ?? inputs?.owner ?? inputs?.declaration?.site ?? inputs?.declaration?.restart?.name;
  return typeof server === "string" ? { server } : {};
}
