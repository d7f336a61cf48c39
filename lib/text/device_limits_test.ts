import assert from "node:assert/strict";
import {
  diskLimitsTyped,
  diskLimitTexts,
  limitTold,
  limitTyped,
  nicLimitsTyped,
  nicLimitTexts,
} from "./device_limits.ts";

const MIB = 2 ** 20;
const formOf = (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};

Deno.test("limits stand in their fields in the units that people type", () => {
  assert.deepEqual(
    [
      limitTyped("readBytesSec", 50 * MIB),
      limitTyped("readBytesSec", 1_000_000),
      limitTyped("totalIopsSec", 500),
    ],
    ["50", "0.953674", "500"],
  );
  assert.deepEqual([limitTyped("inboundAverage", 12_500), limitTyped("inboundBurst", 512)], ["100", "512"]);
  assert.deepEqual([limitTyped("readBytesSec", undefined), limitTyped("readBytesSec", 0)], ["", ""]);
});

Deno.test("a form gives the limits that were changed, and none that was only rounded", () => {
  assert.deepEqual(
    diskLimitsTyped(formOf({
      ...{ readBytesSec: "0.953674", readBytesSecWas: "0.953674", totalIopsSec: "", totalIopsSecWas: "500" },
      ...{ writeBytesSec: "1,5", writeBytesSecWas: "", writeIopsSec: "lots", readIopsSec: "-1" },
    })),
    { totalIopsSec: 0, writeBytesSec: 1.5 * MIB, writeIopsSec: "lots", readIopsSec: -1 },
  );
  assert.deepEqual(nicLimitsTyped(formOf({ inboundAverage: "100", outboundAverage: "0.0001" })), {
    inboundAverage: 12_500,
    outboundAverage: 1,
  });
  assert.deepEqual(diskLimitsTyped(formOf({ device: "vda" })), {});
});

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

Deno.test("what is different about a limit is told with its name and unit", () => {
  assert.deepEqual(limitTold("readIopsSec", "100"), { label: "Read operations", value: "100 IOPS" });
  assert.deepEqual(limitTold("outboundAverage", null), { label: "Outbound", value: "No limit" });
  assert.equal(limitTold("cache", "none"), undefined);
});
