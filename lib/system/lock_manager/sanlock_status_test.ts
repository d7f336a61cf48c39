import assert from "node:assert/strict";
import { readSanlockStatus } from "./sanlock_status.ts";

/** As sanlock 3.8.5 prints it. */
const STATUS = `daemon 94ff39e2-a363-482c-974c-baf7a9d33332.vm
p -1 helper
p 135 web
s __LIBVIRT__DISKS__:2:/srv/a\\:b/__LIBVIRT__DISKS__:0
s other:7:/srv/other:0
r __LIBVIRT__DISKS__:77256ce28e091d628be5fb33b3299d34:/srv/a\\:b/77256ce28e091d628be5fb33b3299d34:0:1 p 135
r other:77256ce28e091d628be5fb33b3299d35:/srv/other:0:1 p 136
`;

Deno.test("readSanlockStatus() reads what is libvirt's", () => {
  assert.deepEqual(readSanlockStatus(STATUS), {
    joined: "2:/srv/a:b",
    leases: ["77256ce28e091d628be5fb33b3299d34"],
  });
  assert.deepEqual(readSanlockStatus("daemon x\np -1 helper\n"), { joined: null, leases: [] });
  assert.deepEqual(readSanlockStatus(""), { joined: null, leases: [] });
});
