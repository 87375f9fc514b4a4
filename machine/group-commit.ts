/**
 * Runs one `commit` for all who asked while the previous one was under way. Fifty sites that declare themselves side
 * by side cost the hub a few reloads, not fifty; each caller resolves once a commit that began after its call is done.
 */
export class GroupCommit {
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(private readonly commit: () => Promise<void>) {}

  request(): Promise<void> {
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        const current = this.next ?? Promise.resolve();
        this.next = undefined;
        this.running = current;
        return this.commit();
      });
    return this.next;
  }
}

const groups = new Map<string, GroupCommit>();

/** Joins the group of `key`; all of a group must pass a commit that does the same. */
export function commitTogether(key: string, commit: () => Promise<void>): Promise<void> {
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = new GroupCommit(commit)));
  return group.request();
}
