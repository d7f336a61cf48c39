/** Notes on VMs that need a person, and how what they advise is tried. */
import assert from "node:assert/strict";
import { qemuPid } from "../../testbed/libvirt.ts";
import { call, shows } from "../../testbed/product.ts";
import { OUTSIDE, type RemedyTrial, SAYS, stopped } from "./trial.ts";

/** Notes on VMs that need a person (`attention`), by their beginnings. */
export const OF_NOTES: Readonly<Record<string, RemedyTrial>> = {
  "libvirt is starting it, and does not answer for it": OUTSIDE,
  "It still runs as process": OUTSIDE,
  "A disk of it is on": OUTSIDE,
  "It crashed. Look at its log": {
    here: (server) =>
      stopped(server, async (vmId, { name }) => {
        await call(server, "start_vm", { vmId });
        Deno.kill((await qemuPid(name))!, "SIGKILL");
        await shows(server, vmId, ({ state, attention }) =>
          state === "crashed" && /crashed/.test(attention.join()));
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "libvirt was restarted, could not take over": {
    by: "tests/system/snapshot_kills_test.ts",
    words: "ended it. Start it again",
    then: `call(server!, "start_vm", { vmId })`,
  },
  "It was paused by an I/O error": {
    by: "tests/system/resume_full_test.ts",
    words: "remount,size=80m",
    then: `call(server, "resume_vm", { vmId: vm.uuid });`,
  },
  "libvirt paused it while it wrote its memory": {
    by: "tests/system/snapshot_kills_test.ts",
    words: "libvirt paused it while it wrote its memory",
    then: `"resume_vm", { vmId }`,
  },
  "A snapshot that was cut short has left": {
    by: "tests/system/unused_overlays_test.ts",
    words: "A snapshot that was cut short has left",
    then: "api.startVm({ vmId })",
  },
  "Its watchdog paused it": SAYS,
  "libvirt starts it with the host (autostart)": SAYS,
  "The medium of its drive": {
    here: (server) =>
      stopped(server, async (vmId, { disk }) => {
        const path = `${disk.slice(0, disk.lastIndexOf("/"))}/gone.iso`;
        await Deno.writeTextFile(path, "no ISO");
        const { target } = await call(server, "attach_disk", { vmId, device: "cdrom" });
        await call(server, "insert_media", { vmId, target, path, anyMedium: true });
        await Deno.remove(path);
        await shows(server, vmId, ({ attention }) => /The medium of its drive/.test(attention.join()));
        await call(server, "eject_media", { vmId, target });
        await shows(server, vmId, ({ attention }) => attention.length === 0);
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "The image of its disk": {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        const { target } = await call(server, "attach_disk", { vmId, create: { pool, sizeGb: 1 } });
        const { disks } = await call(server, "get_vm", { vmId });
        await Deno.remove(disks.find((disk) => disk.target === target)!.source!);
        await assert.rejects(call(server, "start_vm", { vmId }));
        await call(server, "detach_disk", { vmId, target });
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "Its screen has no password until": {
    by: "tests/system/screen_passwords_test.ts",
    words: "until-restart",
    then: `call(server, "suspend_vm"`,
  },
};
