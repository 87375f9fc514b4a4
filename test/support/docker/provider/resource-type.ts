import type Dockerode from "dockerode";
import type { Fields } from "./schema";
import type { Properties } from "./values";

/** Errors as the plugin words them: what failed, and what the engine said. */
export type Said = (error: unknown) => string;

export interface Context {
  readonly docker: Dockerode;
  readonly said: Said;
}

export interface Found {
  readonly id: string;
  readonly state: Properties;
}

/** One type of resource of the official plugin. */
export interface ResourceType {
  readonly inputs: Fields;
  /** What the engine alone decides; unknown until the resource is there. */
  readonly outputs: readonly string[];
  /** Its name is made up when the program gives none. */
  readonly isAutonamed: boolean;
  readonly alwaysDeleteBeforeReplace: boolean;

  /** Calls `made` as soon as there is something to remember: what fails after that leaves a half-made resource. */
  create(context: Context, inputs: Properties, made: (id: string) => void): Promise<void>;
  /** Undefined when it is gone. `before` is the state, or, right after `create`, the inputs. */
  read(context: Context, id: string, before: Properties): Promise<Found | undefined>;
  /** For changes in place. */
  update(context: Context, id: string, before: Properties, inputs: Properties): Promise<void>;
  delete(context: Context, id: string, state: Properties): Promise<void>;
}
