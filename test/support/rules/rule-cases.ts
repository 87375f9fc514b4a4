import { RawSettings } from "../../../configs/settings";

/** A fleet, and what a rule says of it. */
export interface Case {
  readonly what: string;
  readonly raw: RawSettings;
  readonly emptyPassphrase?: true;
}
export interface Refused extends Case {
  /** Each problem, as `where: problem`. */
  readonly says: readonly string[];
}
export type Cases = Readonly<Record<string, { refuses: readonly Refused[]; passes: readonly Case[] }>>;

type Streams = NonNullable<RawSettings["streams"]>;

export const sites = (...names: string[]): NonNullable<RawSettings["sites"]> => names.map((name) => ({ name }));
export const stream = (name: string, more: Partial<Streams[number]> = {}): Streams[number] => ({
  name,
  subjects: [`${name.toLowerCase()}.>`],
  ...more,
});
export const merged = (name: string): Streams[number] => stream(name, { collect: { mode: "merged" } });
export const withSubjects = (...subjects: string[]): RawSettings => ({ streams: [stream("EVENTS", { subjects })] });
