import assert from "node:assert/strict";
import { clearPlace, type WindowRect } from "./clear_place.ts";

const WINDOW = { width: 1280, height: 800 }, TOAST = { width: 400, height: 60 };
const box = (left: number, top: number, width: number, height: number): WindowRect => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

Deno.test("clearPlace() keeps off what can be clicked", () => {
  assert.deepEqual(clearPlace(TOAST, WINDOW, [[]]), { side: "right", bottom: 16 });
  const save = box(1100, 740, 100, 40);
  assert.deepEqual(clearPlace(TOAST, WINDOW, [[save]]), { side: "left", bottom: 16 }, "Save is at the right");
  const bar = box(0, 740, 1280, 60);
  assert.deepEqual(clearPlace(TOAST, WINDOW, [[bar]]), { side: "right", bottom: 68 }, "above a bar");
  const rows = Array.from({ length: 20 }, (_, row) => box(0, row * 40, 1280, 36));
  assert.deepEqual(clearPlace(TOAST, WINDOW, [rows]), { side: "right", bottom: 16 }, "no place is free");
});

Deno.test("clearPlace() on a phone goes above the buttons", () => {
  const phone = { width: 390, height: 844 }, wide = { width: 358, height: 60 };
  assert.deepEqual(clearPlace(wide, phone, [[box(16, 780, 100, 44), box(250, 700, 100, 44)]]), {
    side: "right",
    bottom: 152,
  });
});

Deno.test("clearPlace() keeps off a bar where no place is free of everything", () => {
  const bar = [box(300, 740, 500, 44)],
    rows = Array.from({ length: 20 }, (_, row) => box(0, row * 40, 1280, 36));
  assert.deepEqual(clearPlace({ width: 700, height: 60 }, WINDOW, [bar, rows]), {
    side: "right",
    bottom: 68,
  });
  assert.deepEqual(
    clearPlace(TOAST, WINDOW, [bar, rows]),
    { side: "right", bottom: 16 },
    "it is next to the bar",
  );
});
