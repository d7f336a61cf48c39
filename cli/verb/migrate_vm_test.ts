import assert from "node:assert/strict";
import { MIGRATION_REPORT } from "./migrate_vm.ts";

Deno.test("MIGRATION_REPORT says where the VM is, what was copied, and what stays", () => {
  const disks = [
    { target: "vda", shared: true },
    { target: "vdb", shared: false, sizeBytes: 1024 ** 3, pool: "fast", volume: "data.qcow2" },
  ];
  assert.deepEqual(
    MIGRATION_REPORT.lines("web1", undefined, { toHost: "kvm2", disks, warnings: ["/x stays: y"] }),
    [
      "Moved web1 to kvm2.",
      "Disk vda is on storage that both hosts have.",
      "Disk vdb (1 GiB) was copied to fast/data.qcow2.",
      "/x stays: y",
    ],
  );
});
