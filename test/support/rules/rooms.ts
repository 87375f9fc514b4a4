import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface Room {
  room: string;
  does: string;
  pure?: true;
}

/** The table of rooms, from the top down. */
export const ROOMS = JSON.parse(readFileSync(join(resolve(__dirname, "../../.."), "rooms.json"), "utf8")) as Room[];
