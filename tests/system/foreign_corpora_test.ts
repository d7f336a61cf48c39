/** Other projects' own test files, read by our readers: nothing of what they say is lost or made up. */
import assert from "node:assert/strict";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { child, childText, parseXml } from "../../lib/formats/xml/tree.ts";
import { readProxmox } from "../../lib/formats/foreign/vm/proxmox.ts";
import { readVmx } from "../../lib/formats/foreign/vm/vmx.ts";
import { readOvf } from "../../lib/formats/ovf/read.ts";
import { libvirtVmxFolder, proxmoxOvfs, proxmoxTests } from "../testbed/foreign_corpora.ts";
import { exists } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";

/** The files below a folder. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

const lastPart = (path: string) => path.split(/[/\\]/).at(-1)!.replace(/^\[[^\]]*\]\s*/, "");

Deno.test({
  name: "readVmx() reads each of libvirt's .vmx files, and what it says is what libvirt says",
  ignore: await requirement("vmxFiles") !== null,
  fn: async () => {
    const folder = await libvirtVmxFolder();
    let compared = 0;
    for await (const path of filesBelow(folder)) {
      if (!path.endsWith(".vmx")) continue;
      const vm = readVmx(await Deno.readFile(path)), told = path.replace(/\.vmx$/, ".xml");
      if (!await exists(told)) continue;
      const xml = await Deno.readTextFile(told), domain = parseXml(xml), libvirts = summarizeDomain(xml);
      const cores = child(child(domain, "cpu"), "topology")?.attributes.cores;
      assert.deepEqual(
        {
          name: vm.name,
          notes: vm.description,
          memory: vm.memoryMb,
          cpus: vm.cpuCount,
          cores: vm.coresPerSocket,
          isUefi: vm.firmware !== "bios",
          disks: vm.disks.map(({ file }) => file).sort(),
          macs: vm.nics.map(({ mac }) => mac),
        },
        {
          name: childText(domain, "name") || "vm",
          notes: libvirts.description,
          memory: libvirts.maxMemoryMb,
          cpus: libvirts.cpuCount,
          cores: cores === undefined ? undefined : Number(cores),
          isUefi: /firmware='efi'/.test(xml),
          disks: libvirts.disks.flatMap(({ device, source }) =>
            device === "disk" && source !== undefined ? [lastPart(source)] : []
          ).sort(),
          macs: libvirts.interfaces.map(({ mac }) => mac),
        },
        path,
      );
      compared++;
    }
    assert.ok(compared > 60, `${compared} files were compared`);
  },
});

Deno.test({
  name:
    "readProxmox() reads each of Proxmox's .conf files, and what it says is what Proxmox starts QEMU with",
  ignore: skippedUnless(
    proxmoxTests() !== undefined,
    "KVMM_PROXMOX_TESTS names no copy of qemu-server's src/test",
  ),
  fn: async () => {
    let compared = 0;
    for await (const path of filesBelow(proxmoxTests()!)) {
      // One with nothing but a comment is a test of Proxmox's defaults, and no VM's.
      if (!/\.conf$|\/parse-config-input\//.test(path)) continue;
      const text = await Deno.readTextFile(path);
      if (!/^[a-z]/m.test(text)) continue;
      const vm = readProxmox(text);
      // Templates are started without their devices, and memory that can be plugged is said otherwise.
      if (!await exists(`${path}.cmd`) || /template|hotplug/.test(path)) continue;
      const started = await Deno.readTextFile(`${path}.cmd`);
      const count = (pattern: RegExp) => [...started.matchAll(pattern)].length;
      assert.deepEqual(
        [
          vm.memoryMb,
          vm.cpuCount,
          vm.disks.length,
          vm.firmware !== "bios",
          vm.tpm ?? false,
          vm.nics.map(({ mac }) => mac).sort(),
        ],
        [
          Number(/\s-m (\d+)/.exec(started)?.[1]),
          Number(/-smp '?(\d+)/.exec(started)?.[1]),
          count(/-device '(?:scsi-hd|scsi-block|scsi-generic|virtio-blk-pci|ide-hd)/g),
          /OVMF|AAVMF/.test(started),
          /tpmdev/.test(started),
          [...started.matchAll(/-device '[a-z0-9-]+,mac=([0-9A-Fa-f:]+)/g)].map((found) =>
            found[1]!.toLowerCase()
          )
            .sort(),
        ],
        path,
      );
      compared++;
    }
    assert.ok(compared > 60, `${compared} files were compared`);
  },
});

Deno.test({
  name: "readOvf() reads each of Proxmox's .ovf files, but for the one with a document type",
  ignore: skippedUnless(
    proxmoxOvfs() !== undefined,
    "KVMM_PROXMOX_OVFS names no copy of pve-storage's ovf_manifests",
  ),
  fn: async () => {
    let read = 0;
    for await (const path of filesBelow(proxmoxOvfs()!)) {
      if (!path.endsWith(".ovf")) continue;
      const text = await Deno.readTextFile(path);
      if (text.includes("<!DOCTYPE")) {
        assert.throws(() => readOvf(text), /document type/, path);
        continue;
      }
      const vm = readOvf(text);
      assert.ok(vm.disks.length > 0 && vm.memoryMb > 0 && vm.cpuCount > 0, path);
      read++;
    }
    assert.ok(read > 0);
  },
});
