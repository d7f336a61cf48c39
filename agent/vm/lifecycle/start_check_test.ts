/**
 * Checks before a start, and their host: the paths of another one, and those of the test driver, name no file here,
 * even where one lies at the same path.
 */
import assert from "node:assert/strict";
import type { VM } from "../../../lib/contract/mod.ts";
import { StorageLocks } from "../../storage/locks.ts";
import { FormatRecords } from "../../storage/format_records.ts";
import { Store } from "../../store/store.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireStartable } from "./start_check.ts";
import { localMachine } from "../../machine/machine.ts";

/** A qcow2 header that keeps its data in another file. Source: QEMU's docs/interop/qcow2.rst. */
function headWithDataFile(): Uint8Array {
  const view = new DataView(new ArrayBuffer(4096));
  view.setUint32(0, 0x514649fb); // magic
  view.setUint32(4, 3); // version
  view.setUint32(20, 16); // cluster bits
  view.setBigUint64(24, 1n << 20n); // size
  view.setBigUint64(72, 1n << 2n); // incompatible features: external data file
  view.setUint32(100, 104); // header length
  return new Uint8Array(view.buffer);
}

/** A host of this URI with one machine, whose disk is a file of ours. */
function hostOf(uri: string, vm: VM, formats: FormatRecords): LibvirtHost {
  return {
    machine: localMachine(uri),
    link: {
      machine: localMachine(uri),
      call: (name: string) =>
        localMachine(uri) !== null && name === "domainXml"
          ? Promise.resolve("<domain/>")
          : Promise.reject(new Error("libvirt is not asked")),
    },
    inventory: {
      vms: () => [vm],
      everyVm: () => [vm],
      vm: () => vm,
      record: () => undefined,
      storage: {
        isKnown: true,
        known: () => [],
        leftOverlays: () => [],
        records: () => [],
        peek: () => undefined,
        record: () => undefined,
      },
    },
    keepers: { kept: () => [] },
    formats,
    locks: new StorageLocks(true),
  } as unknown as LibvirtHost;
}

Deno.test("requireStartable() reads the images of this host's VMs alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const store = new Store(folder);
  try {
    const path = `${folder}/disk.qcow2`;
    await Deno.writeFile(path, headWithDataFile());
    const formats = new FormatRecords(store);
    await formats.set(path, "qcow2");
    const disk = { source: path, type: "file", device: "disk", target: "vda", format: "qcow2" };
    const vm = { id: "id", name: "web", disks: [disk], networkInterfaces: [] } as unknown as VM;
    const refusal = { code: "DiskRefused" };
    for (const uri of ["qemu:///system", "qemu+unix:///system", "qemu:///session"]) {
      await assert.rejects(requireStartable(hostOf(uri, vm, formats), vm), refusal, uri);
    }
    for (const uri of ["qemu+ssh://other/system", "qemu+tls://other/system", "test:///default"]) {
      await requireStartable(hostOf(uri, vm, formats), vm);
    }
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
