import { CHANGE_NAMES, DEPARTURES, Ground, Runtime, SHAPES, Shape, SiteKind } from "./table";

/** Which cells of the table were tried. */

/** One cell of the table: a change of a fleet with such a hub, as a site of this kind sees it. */
export interface Cell extends Shape, SiteKind {
  change: string;
  hub: Runtime;
}

/** All cells of fleets with such a hub and such sites. */
export const cellsOf = ({ hub, kinds }: Ground): Cell[] =>
  CHANGE_NAMES.flatMap((change) =>
    SHAPES.flatMap((shape) => kinds.map((kind) => ({ change, hub, ...shape, ...kind }))),
  );

/** Why a combination makes no sense; undefined when it does. */
export function nonsense({ change, tls, mode }: Cell): string | undefined {
  const departure = DEPARTURES[change];
  if (departure === undefined) return undefined;
  const after = departure({ tls, mode });
  return after.tls === tls && after.mode === mode ? "it is so already: nothing changes" : undefined;
}

const keyOf = ({ change, hub, runtime, reach, tls, mode }: Cell): string =>
  [change, hub, runtime, reach, tls, mode].join("|");

/** Each change, and each shape, with each place; each change with each shape too, unless it leads to another one. */
function pairsOf({ change, hub, runtime, reach, tls, mode }: Cell): string[] {
  const places = [`hub ${hub}, site ${runtime}`, `reach ${reach}`];
  const shape = [`TLS ${tls}`, mode];
  const withPlaces = [change, ...shape].flatMap((one) => places.map((place) => `${one} with ${place}`));
  const withShape = change in DEPARTURES ? [] : shape.map((one) => `${change} with ${one}`);
  return [...withPlaces, ...withShape, shape.join(" with ")];
}

export class Coverage {
  private readonly tried = new Set<string>();
  private readonly sensible: readonly Cell[];

  constructor(private readonly cells: readonly Cell[]) {
    this.sensible = cells.filter((cell) => nonsense(cell) === undefined);
  }

  note(change: string, { tls, mode }: Shape, { hub, kinds }: Ground): void {
    for (const kind of kinds) this.tried.add(keyOf({ change, hub, tls, mode, ...kind }));
  }

  get missing(): Cell[] {
    return this.sensible.filter((cell) => !this.isTried(cell));
  }

  /** Pairs of properties that some cell has, and none that was tried. */
  get missingPairs(): string[] {
    const tried = new Set(this.sensible.filter(this.isTried).flatMap(pairsOf));
    return [...new Set(this.missing.flatMap(pairsOf))].filter((pair) => !tried.has(pair));
  }

  /** One line for each kind of change, and the sum of all. */
  get text(): string {
    const line = (what: string, cells: readonly Cell[]) =>
      `${what.padEnd(28)} ${cells.filter(this.isTried).length} of ${cells.length}`;
    const rows = CHANGE_NAMES.map((change) =>
      line(
        change,
        this.sensible.filter((cell) => cell.change === change),
      ),
    );
    const leftOut = this.cells.length - this.sensible.length;
    return [...rows, line("all", this.sensible), `left out: ${leftOut} (it is so already: nothing changes)`].join("\n");
  }

  private isTried = (cell: Cell): boolean => this.tried.has(keyOf(cell));
}
