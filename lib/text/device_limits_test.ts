import assert from "node:assert/strict";
import { diskLimitTexts, limitTold, nicLimitTexts } from "./device_limits.ts";

const MIB = 2 ** 20;
Deno.test("rows tell limits in words", () => {
  assert.deepEqual(diskLimitTexts({ totalBytesSec: 50 * MIB, totalIopsSec: 500 }), [
    "limit 50 MiB/s, 500 IOPS",
  ]);
  assert.deepEqual(
    diskLimitTexts({
      readBytesSec: MIB,
      readBytesSecMax: 2 * MIB,
      readBytesSecMaxLength: 30,
      writeIopsSec: 7,
    }),
    ["read limit 1 MiB/s (bursts 2 MiB/s, 30 s)", "write limit 7 IOPS"],
  );
  assert.deepEqual(nicLimitTexts({ inboundAverage: 12_500, inboundBurst: 512, outboundAverage: 125_000 }), [
    "limit in 100 Mbit/s (bursts 512 KiB)",
    "limit out 1 Gbit/s",
  ]);
  assert.deepEqual([diskLimitTexts({}), nicLimitTexts({})], [[], []]);
});

Deno.test("what is different about a limit is told with its unit", () => {
  assert.equal(limitTold("readIopsSec", "100"), "100 IOPS");
  assert.equal(limitTold("outboundAverage", null), "No limit");
  assert.equal(limitTold("cache", "none"), undefined);
});
