import assert from "node:assert/strict";
import { GroupCommit, commitTogether } from "../../../machine/group-commit";

/** A commit that ends when the test says so. */
class Commits {
  readonly ends: { done: () => void; fail: (error: Error) => void }[] = [];
  run = (): Promise<void> =>
    new Promise((done, fail) => {
      this.ends.push({ done, fail });
    });
  get started(): number {
    return this.ends.length;
  }
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a group commit", () => {
  it("commits once for all who ask at the same time", async () => {
    let commits = 0;
    const group = new GroupCommit(async () => void commits++);
    await Promise.all(Array.from({ length: 50 }, () => group.request()));
    assert.equal(commits, 1);
  });

  it("commits again for whoever asks while one is under way, once for all of them", async () => {
    const commits = new Commits();
    const group = new GroupCommit(commits.run);
    const first = group.request();
    await soon();
    const later = [group.request(), group.request()];
    await soon();
    assert.equal(commits.started, 1);
    commits.ends[0]!.done();
    await first;
    await soon();
    assert.equal(commits.started, 2);
    commits.ends[1]!.done();
    await Promise.all(later);
    assert.equal(commits.started, 2);
  });

  it("resolves no caller by a commit that began before its call", async () => {
    const commits = new Commits();
    const group = new GroupCommit(commits.run);
    void group.request();
    await soon();
    let resolved = false;
    const late = group.request().then(() => (resolved = true));
    commits.ends[0]!.done();
    await soon();
    assert.equal(resolved, false);
    commits.ends[1]!.done();
    await late;
  });

  it("never runs two commits at once", async () => {
    let running = 0;
    let most = 0;
    const group = new GroupCommit(async () => {
      most = Math.max(most, ++running);
      await soon();
      running--;
    });
    const asked: Promise<void>[] = [];
    for (let i = 0; i < 10; i++) {
      asked.push(group.request());
      await Promise.resolve();
    }
    await Promise.all(asked);
    assert.equal(most, 1);
  });

  it("fails all callers of a failed commit", async () => {
    const group = new GroupCommit(() => Promise.reject(new Error("no reload")));
    const results = await Promise.allSettled([group.request(), group.request()]);
    assert.deepEqual(
      results.map((result) => result.status),
      ["rejected", "rejected"],
    );
  });

  it("does not fail those who ask after a failed commit, or during it", async () => {
    const commits = new Commits();
    const group = new GroupCommit(commits.run);
    const failing = group.request();
    await soon();
    const during = group.request();
    commits.ends[0]!.fail(new Error("no reload"));
    await assert.rejects(failing, /no reload/);
    await soon();
    commits.ends[1]!.done();
    await during;
    const after = group.request();
    await soon();
    commits.ends[2]!.done();
    await after;
  });

  it("is one for a key and another for another key", async () => {
    const log: string[] = [];
    const commit = (key: string) => commitTogether(key, async () => void log.push(key));
    await Promise.all([commit("unit a"), commit("unit b"), commit("unit a")]);
    assert.deepEqual(log, ["unit a", "unit b"]);
  });
});
