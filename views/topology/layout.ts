import { Density, STYLES, cardHeight, linkOffset, neededWidth } from "./cards";
import { SiteStanding } from "./standing";

/** Where everything stands: the hub on top, the sites below it in columns, each column along a trunk that leads to the hub. */

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly density: Density;
  readonly width: number;
  readonly height: number;
  readonly hub: { x: number; y: number; width: number; height: number; center: number };
  /** Of all cards. */
  readonly card: { width: number; height: number };
  /** The upper left corners of the cards, in the order of the sites. */
  readonly slots: readonly Place[];
  readonly columns: number;
  /** Height of the line that joins the trunks; not used by large cards, which have links of their own. */
  readonly bus: number;
  /** From a card's left edge to its trunk. */
  readonly stub: number;
  /** From a card's upper edge to where its link arrives. */
  readonly linkOffset: number;
}

/** Most sites that are drawn so. */
const LARGE = 3;
const MEDIUM = 32;

/** Between cards: beside each other, where the trunk runs, and below each other. */
const GAPS: Record<Density, { column: number; row: number }> = {
  large: { column: 36, row: 0 },
  medium: { column: 38, row: 18 },
  small: { column: 24, row: 8 },
};
/** From the hub to the first row. */
const LINK_ROOM: Record<Density, number> = { large: 110, medium: 64, small: 56 };

export function layoutOf(
  standings: readonly SiteStanding[],
  { width, margin, hubHeight, hubWidth }: { width: number; margin: number; hubHeight: number; hubWidth: number },
): Layout {
  const room = width - 2 * margin;
  const density = densityOf(standings, room);
  const { column: gap, row: rowGap } = GAPS[density];
  const { widest } = STYLES[density];
  const needed = Math.max(0, ...standings.map((one) => neededWidth(one, density)));
  // The trunk of the first column needs a gap too.
  const leading = density === "large" ? 0 : gap;
  const most = Math.max(1, Math.floor((room + gap - leading) / (needed + gap)));
  const rows = Math.ceil(standings.length / most);
  const columns = rows === 0 ? 1 : Math.ceil(standings.length / rows);
  const cardWidth = Math.floor(Math.min(Math.max(widest, needed), (room - leading + gap) / columns - gap));
  const height = standings.length === 0 ? 0 : cardHeight(standings, density);
  const used = columns * (cardWidth + gap) - gap;
  const left = margin + (room - used) / 2 + (density === "large" ? 0 : gap / 4);
  const hub = { x: (width - hubWidth) / 2, y: margin, width: hubWidth, height: hubHeight, center: width / 2 };
  const top = hub.y + hub.height + LINK_ROOM[density];
  const slots = standings.map((_, i) => ({
    x: left + (i % columns) * (cardWidth + gap),
    y: top + Math.floor(i / columns) * (height + rowGap),
  }));
  const bottom = standings.length === 0 ? hub.y + hub.height : top + rows * (height + rowGap) - rowGap;
  return {
    ...{ density, width, height: bottom + margin, hub, card: { width: cardWidth, height }, slots, columns },
    ...{ bus: hub.y + hub.height + LINK_ROOM[density] / 2 + 4, stub: gap / 2, linkOffset: linkOffset(density) },
  };
}

function densityOf(standings: readonly SiteStanding[], room: number): Density {
  if (standings.length > MEDIUM) return "small";
  const width = Math.max(0, ...standings.map((one) => neededWidth(one, "large"))) + GAPS.large.column;
  const fits = standings.length * width - GAPS.large.column <= room;
  return standings.length <= LARGE && fits ? "large" : "medium";
}
