import assert from "node:assert/strict";
import {
  changedDiskLimits,
  changedNicLimits,
  diskLimitFault,
  nicLimitFault,
  takesLimits,
} from "./limit_rules.ts";
import { render } from "../../i18n/message.ts";

Deno.test("changedDiskLimits() changes what is named, and a limit that goes takes its bursts with it", () => {
  const now = { totalBytesSec: 5, totalBytesSecMax: 9, totalBytesSecMaxLength: 3, readIopsSec: 7 };
  assert.deepEqual(changedDiskLimits(now, { readIopsSec: 8 }), { ...now, readIopsSec: 8 });
  assert.deepEqual(changedDiskLimits(now, { totalBytesSec: 0 }), { readIopsSec: 7 });
  assert.deepEqual(changedDiskLimits(now, { totalBytesSecMax: 0 }), { totalBytesSec: 5, readIopsSec: 7 });
  assert.deepEqual(changedDiskLimits({}, { totalBytesSec: 0, writeIopsSec: 0 }), {});
});

Deno.test("bursts that are asked for without their limit stay, to be refused", () => {
  const limits = changedDiskLimits({ readBytesSec: 5 }, { readBytesSec: 0, readBytesSecMax: 6 });
  assert.deepEqual(diskLimitFault(limits)?.field, "readBytesSecMax");
  assert.match(render(diskLimitFault(limits)!.reason), /^readBytesSecMax needs readBytesSec/);
});

Deno.test("diskLimitFault() refuses what QEMU refuses", () => {
  const field = (limits: Parameters<typeof diskLimitFault>[0]) => diskLimitFault(limits)?.field;
  assert.equal(field({ totalBytesSec: 1, writeBytesSec: 1 }), "totalBytesSec");
  assert.equal(field({ totalIopsSec: 1, readIopsSec: 1 }), "totalIopsSec");
  assert.equal(field({ totalIopsSec: 1, readBytesSec: 1 }), undefined);
  assert.equal(field({ readBytesSec: 1, writeBytesSec: 2 }), undefined);
  assert.equal(field({ readBytesSec: 9, readBytesSecMax: 8 }), "readBytesSecMax");
  assert.equal(field({ readBytesSec: 9, readBytesSecMaxLength: 8 }), "readBytesSecMaxLength");
  assert.equal(field({ readBytesSec: 9, readBytesSecMax: 9, readBytesSecMaxLength: 1 }), undefined);
  assert.equal(
    field({ readIopsSec: 1, readIopsSecMax: 1e15, readIopsSecMaxLength: 2 }),
    "readIopsSecMaxLength",
  );
  assert.equal(field({}), undefined);
});

Deno.test("limits of interfaces: a burst belongs to its own way", () => {
  assert.deepEqual(
    changedNicLimits({ inboundAverage: 5, inboundPeak: 6, outboundAverage: 7 }, { inboundAverage: 0 }),
    {
      outboundAverage: 7,
    },
  );
  assert.equal(nicLimitFault({ inboundAverage: 5, outboundBurst: 1 })?.field, "outboundBurst");
  assert.equal(nicLimitFault({ inboundAverage: 5, inboundPeak: 4 })?.field, "inboundPeak");
  assert.equal(nicLimitFault({ inboundAverage: 5, inboundBurst: 4 }), undefined);
});

Deno.test("takesLimits() knows what libvirt limits", () => {
  assert.deepEqual(["network", "bridge", "direct", "user", "vhostuser", ""].map(takesLimits), [
    ...[true, true, true, false, false, false],
  ]);
});
