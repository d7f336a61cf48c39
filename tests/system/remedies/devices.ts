/** Advice in errors of devices, carried out. */
import { testMachine } from "../../testbed/machine.ts";
import { call, known, knownPool, refused, shows } from "../../testbed/product.ts";
import { lastingPool, type RemedyTrial, sharedFolder, stopped } from "./trial.ts";

/** Most disks that are added until a slot is missing. */
const MOST_DISKS = 20;

export const OF_DEVICES: Readonly<Record<string, RemedyTrial>> = {
  ShareHinders: {
    here: async (server) => {
      const pool = await lastingPool("remedy");
      await using vm = await testMachine({ purpose: "remedy", disks: [{ pool }] });
      await using folder = await sharedFolder();
      const vmId = vm.uuid, share = { vmId, folder: folder.path, tag: "remedy" };
      await known(server, vmId);
      await knownPool(server, pool.name);
      await call(server, "attach_share", share);
      await call(server, "start_vm", { vmId });
      await vm.waitForAgent();
      await refused(call(server, "suspend_vm", { vmId }), "ShareHinders");
      await call(server, "detach_share", { vmId, tag: "remedy" });
      await call(server, "suspend_vm", { vmId });
      await call(server, "discard_saved_memory", { vmId });
      await call(server, "attach_share", share);
      await call(server, "start_vm", { vmId });
      await vm.waitForAgent();
      await refused(call(server, "suspend_vm", { vmId }), "ShareHinders");
      await call(server, "stop_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "stopped", { seconds: 60 });
    },
  },
  NoFreeSlot: {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        await call(server, "start_vm", { vmId });
        const add = (where: object) =>
          call(server, "attach_disk", { vmId, create: { pool, sizeGb: 1 }, ...where });
        for (let count = 0; (await add({})).live; count++) {
          if (count === MOST_DISKS) throw new Error(`it has slots for more than ${MOST_DISKS} disks`);
        }
        await refused(add({ live: true }), "NoFreeSlot");
        const { target } = await add({ live: false, persistent: true });
        await call(server, "force_stop_vm", { vmId });
        await call(server, "start_vm", { vmId });
        await shows(server, vmId, ({ disks }) => disks.some((disk) => disk.target === target));
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  HostDeviceInUse: {
    not: "needs a device of the host that two VMs may have, and here the host has none to give",
  },
  HostDeviceUsedByHost: { not: "needs a device that the host uses and may lose, and here it has none" },
};
