import assert from "node:assert/strict";
import { asNext } from "./device_next.ts";

Deno.test("asNext() has what changes as it will be: words, answers, limits as numbers, and what goes", () => {
  const device = {
    cache: "none",
    readOnly: false,
    readBytesSec: 1000,
    inboundAverage: 125,
    serial: "A",
    pending: [
      { field: "cache", now: "none", next: "writeback" },
      { field: "readOnly", now: "false", next: "true" },
      { field: "readBytesSec", now: "1000", next: "2000" },
      { field: "inboundAverage", now: "125", next: null },
    ],
  };
  const { pending: _, ...next } = asNext(device);
  assert.deepEqual(next, {
    cache: "writeback",
    readOnly: true,
    readBytesSec: 2000,
    inboundAverage: undefined,
    serial: "A",
  });
});
