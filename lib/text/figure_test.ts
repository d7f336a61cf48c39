import assert from "node:assert/strict";
import { formatFigure } from "./figure.ts";

Deno.test("formatFigure() writes each unit as people read it, and a dash for nothing", () => {
  assert.deepEqual(
    [
      formatFigure("percent", 0.42),
      formatFigure("bytes", 1536),
      formatFigure("bytes/s", 1536),
      formatFigure("1/s", 12.34),
      formatFigure("ms", 0.0421),
      formatFigure("celsius", 45),
      formatFigure("count", 1234.5),
      formatFigure("count", 0),
      formatFigure("ms", null),
    ],
    ["0.4 %", "1.5 KiB", "1.5 KiB/s", "12.3/s", "0.042 ms", "45 °C", "1235", "0", "–"],
  );
});
