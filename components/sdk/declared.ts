import * as pulumi from "./pulumi";

/**
 * A value of which any part may be an output. Structures keep their shape: in a preview only the parts that are not
 * known yet are unknown, and a change of the rest shows.
 */
export type Declared<T> = [T] extends [string | number | boolean | undefined]
  ? pulumi.Input<T>
  : pulumi.Input<T> | (T extends readonly (infer E)[] ? Declared<E>[] : { [K in keyof T]: Declared<T[K]> });

/** The arguments of a resource: every one of its inputs, declared. */
export type DeclaredArgs<T> = { [K in keyof T]: Declared<T[K]> };
