import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { VM } from "../../lib/contract/mod.ts";
import { VmFacts } from "./VmFacts.tsx";

/** Text of a VM's page on its virtualisation. */
function virtualisation(virtType: string): string {
  const vm = {
    id: "1",
    name: "web",
    state: "stopped",
    cpuCount: 1,
    maxCpuCount: 1,
    memoryMb: 1,
    maxMemoryMb: 1,
    virtType,
    firmware: "bios",
    graphics: [],
    nics: [],
    disks: [],
    networkInterfaces: [],
    attention: [],
    tags: [],
    guestAgent: "not configured",
    createdAt: 1,
  } as unknown as VM;
  const html = render(<VmFacts vm={vm} />);
  const [, text] = /<dt>Virtualisation<\/dt><dd[^>]*>(.*?)<\/dd>/.exec(html) ?? [];
  return text ?? html;
}

Deno.test("VmFacts calls a VM emulated and slow where KVM is not used alone", () => {
  assert.equal(virtualisation("kvm"), "KVM");
  assert.equal(virtualisation("qemu"), "Emulated, slow (QEMU without KVM)");
  assert.equal(virtualisation("test"), "libvirt's test driver");
  assert.equal(virtualisation("xen"), "xen");
});
