import assert from "node:assert/strict";
import { FolderProbeQueue } from "./folder_probe_queue.ts";

Deno.test("Looks: a folder that does not answer is looked into once, however many ask, and no caller waits for long", async () => {
  const looks = new FolderProbeQueue<string>(30);
  const { promise: hanging, resolve } = Promise.withResolvers<string>();
  let begun = 0;
  const look = () => {
    begun++;
    return hanging;
  };
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => looks.ask("/mnt/away", `backup-${index % 10}`, look)),
  );
  assert.deepEqual(new Set(answers), new Set([undefined]));
  assert.equal(begun, 1);
  assert.equal(await looks.ask("/mnt/here", "backup", () => Promise.resolve("here")), "here");
  resolve("late");
  assert.equal(await looks.ask("/mnt/away", "backup-0", look), "late");
});

Deno.test("Looks: who asks while another one looks is given what is there then", async () => {
  const looks = new FolderProbeQueue<number>();
  const { promise: first, resolve } = Promise.withResolvers<number>();
  let state = 1;
  const before = looks.ask("/mnt", "backup", () => first);
  await Promise.resolve();
  state = 2;
  const after = [1, 2].map(() => looks.ask("/mnt", "backup", () => Promise.resolve(state)));
  resolve(1);
  assert.equal(await before, 1);
  assert.deepEqual(await Promise.all(after), [2, 2]);
  await assert.rejects(looks.ask("/mnt", "backup", () => Promise.reject(new Error("gone"))), /gone/);
});
