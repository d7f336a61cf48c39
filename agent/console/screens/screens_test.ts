import assert from "node:assert/strict";
import { Screens } from "./screens.ts";

const PICTURE = { png: new Uint8Array(1), width: 1, height: 1 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("Screens.get() takes one picture however many ask, and another when it is old", async () => {
  const asked: (number | undefined)[] = [];
  const screens = new Screens((_uuid, width) => {
    asked.push(width);
    return Promise.resolve(PICTURE);
  }, 40);
  const all = await Promise.all(Array.from({ length: 50 }, () => screens.get("a", true)));
  assert.equal(new Set(all.map(({ takenAt }) => takenAt)).size, 1);
  await screens.get("a", true);
  assert.deepEqual(asked, [320]);
  await screens.get("a", false);
  assert.deepEqual(asked, [320, undefined]);
  await pause(80);
  assert.equal(screens.kept, 0, "nothing is kept without viewers");
  await screens.get("a", true);
  assert.equal(asked.length, 3);
  await pause(80);
});

Deno.test("Screens.get() does not try at once again what failed", async () => {
  let tries = 0;
  const screens = new Screens(() => {
    tries++;
    return Promise.reject(new Error("hangs"));
  }, 40);
  for (let n = 0; n < 5; n++) await assert.rejects(screens.get("a", true), /hangs/);
  assert.equal(tries, 1);
  await pause(80);
  await assert.rejects(screens.get("a", true), /hangs/);
  assert.equal(tries, 2);
  await pause(80);
});

Deno.test("Screens.get() has two calls under way at most, and all come to their turn", async () => {
  let now = 0, most = 0;
  const screens = new Screens(async () => {
    most = Math.max(most, ++now);
    await pause(5);
    now--;
    return PICTURE;
  }, 1);
  await Promise.all(Array.from({ length: 9 }, (_, n) => screens.get(String(n), true)));
  assert.equal(most, 2);
  await pause(30);
});
