import assert from "node:assert/strict";
import { popoverPlace } from "./popover.ts";

const screen = { width: 400, height: 300 };
const size = { width: 160, height: 100 };

Deno.test("popoverPlace() opens below, flush with the right side", () => {
  assert.deepEqual(popoverPlace({ left: 300, right: 330, top: 20, bottom: 50 }, size, screen), {
    left: 170,
    top: 54,
  });
});

Deno.test("popoverPlace() opens above where there is no room below", () => {
  assert.equal(popoverPlace({ left: 300, right: 330, top: 250, bottom: 280 }, size, screen).top, 146);
});

Deno.test("popoverPlace() never leaves the screen", () => {
  assert.equal(popoverPlace({ left: 0, right: 20, top: 0, bottom: 20 }, size, screen).left, 8);
  const tall = popoverPlace(
    { left: 0, right: 20, top: 150, bottom: 170 },
    { width: 160, height: 290 },
    screen,
  );
  assert.equal(tall.top, 8);
});
