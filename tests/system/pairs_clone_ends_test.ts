/** A clone has none of the host's ends that its original has: two VMs on one NVDIMM, line or daemon take each other's. */
import assert from "node:assert/strict";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name:
    "clone_vm() leaves NVDIMMs, daemons of random numbers and lines of the host with the original, and says so",
  ignore,
  fn: async () => {
    await using pool = await testPool("ends");
    await using vm = await testMachine({ purpose: "ends", guest: false, disks: [{ pool }] });
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid, folder = filesOf(vm.name), clone = `${vm.name}-2`;
    const memory = `${folder}/nvdimm.raw`, egd = `${folder}/egd.sock`;
    await run(["truncate", "-s", "128M", memory]);
    const devices = `<memory model='nvdimm' access='shared'><source><path>${memory}</path></source>` +
      "<target><size unit='MiB'>128</size><node>0</node></target></memory>" +
      `<rng model='virtio'><backend model='egd' type='unix'><source mode='connect' path='${egd}'/></backend></rng>` +
      "<serial type='pipe'><source path='/tmp/kvmm-test-pipe'/><target port='1'/></serial>";
    const xml = (await virsh("dumpxml", vm.name, "--inactive"))
      .replace(/<memory unit/, "<maxMemory slots='4' unit='MiB'>2048</maxMemory><memory unit")
      .replace(/<cpu[^>]*\/>|<cpu[\s\S]*?<\/cpu>/, "")
      .replace(
        "<devices>",
        "<cpu><numa><cell id='0' cpus='0' memory='128' unit='MiB'/></numa></cpu><devices>",
      )
      .replace("</devices>", `${devices}</devices>`);
    await Deno.writeTextFile(`${folder}/ends.xml`, xml);
    await virsh("define", `${folder}/ends.xml`);
    const stored = await virsh("dumpxml", vm.name);
    for (const part of ["nvdimm", "egd", "pipe"]) assert.match(stored, new RegExp(part), "libvirt has it");
    await until("the VM is known", () => Promise.resolve(app.hosts.local.inventory.vm(vmId) !== undefined));
    try {
      await api.cloneVm({ vmId, name: clone });
      const copied = await virsh("dumpxml", clone);
      for (const part of ["nvdimm", "egd", "pipe"]) {
        assert.doesNotMatch(copied, new RegExp(`model='${part}|type='${part}`));
      }
      const jobs = await api.listJobs({});
      const { log } = await api.getJob({ jobId: jobs.find(({ title }) => title.includes(clone))!.id });
      assert.match(
        log.map(({ text }) => text).join("\n"),
        /Leaving out devices of the host.*: rng.*memory nvdimm/,
      );
    } finally {
      await removeDomain(clone);
    }
  },
});
