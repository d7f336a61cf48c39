import assert from "node:assert/strict";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { deleteVm } from "./delete.ts";

/** A host whose inventory still shows its VM running. @param isRunning libvirt's answer when it is asked */
function hostOf(isRunning: boolean) {
  let shown = true, asked = 0;
  const host = {
    requireVm: () => ({ id: "u", name: "web" }),
    inventory: { active: () => shown ? ["u"] : [] },
    reread: () => {
      asked++;
      shown = isRunning;
      return Promise.resolve();
    },
    claims: { operate: () => Promise.reject(new Error("it goes on")) },
  } as unknown as LibvirtHost;
  return { host, asked: () => asked };
}

Deno.test("deleteVm() says that a VM runs only where libvirt says so now, not by an event that came late", async () => {
  const late = hostOf(false);
  await assert.rejects(deleteVm(late.host, { vmId: "u" }, { name: "ann" }), /it goes on/);
  const running = hostOf(true);
  await assert.rejects(deleteVm(running.host, { vmId: "u" }, { name: "ann" }), { code: "VmStillRunning" });
  assert.deepEqual([late.asked(), running.asked()], [1, 1]);
});
