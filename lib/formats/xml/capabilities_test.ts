import assert from "node:assert/strict";
import { readDomainCapabilities, readGuests, readQemuUser } from "./capabilities.ts";

Deno.test("readGuests() reads architectures, how they run, and their machine types", () => {
  const found = readGuests(`<capabilities>
    <host><cpu><arch>x86_64</arch></cpu></host>
    <guest><os_type>xen</os_type><arch name='x86_64'><domain type='xen'/></arch></guest>
    <guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/usr/bin/qemu-system-x86_64</emulator>
      <machine maxCpus='255'>pc-i440fx-7.2</machine>
      <machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine>
      <domain type='qemu'/><domain type='kvm'/></arch></guest>
  </capabilities>`);
  assert.deepEqual(found, {
    arch: "x86_64",
    guests: [{
      arch: "x86_64",
      virtTypes: ["qemu", "kvm"],
      emulator: "/usr/bin/qemu-system-x86_64",
      machines: [{ name: "pc-i440fx-7.2", canonical: undefined }, { name: "q35", canonical: "pc-q35-7.2" }],
    }],
  });
});

Deno.test("readDomainCapabilities() takes what is supported, and nothing of what is not", () => {
  const found = readDomainCapabilities(`<domainCapabilities>
    <path>/q</path><domain>qemu</domain><machine>pc-q35-7.2</machine><arch>x86_64</arch><vcpu max='288'/>
    <os supported='yes'><enum name='firmware'><value>efi</value></enum>
      <loader supported='yes'><enum name='secure'><value>yes</value><value>no</value></enum></loader></os>
    <cpu><mode name='host-passthrough' supported='no'/><mode name='host-model' supported='yes'/>
      <mode name='custom' supported='yes'><model usable='yes'>qemu64</model><model usable='no'>EPYC</model>
        <model usable='unknown'>Odd</model></mode></cpu>
    <devices><disk supported='yes'><enum name='bus'><value>virtio</value></enum></disk>
      <graphics supported='no'><enum name='type'><value>vnc</value></enum></graphics>
      <tpm supported='yes'><enum name='model'><value>tpm-crb</value></enum>
        <enum name='backendModel'><value>emulator</value></enum></tpm>
      <filesystem supported='yes'><enum name='driverType'><value>path</value><value>virtiofs</value></enum></filesystem></devices>
    <features><hyperv supported='no'><enum name='features'><value>relaxed</value></enum></hyperv></features>
  </domainCapabilities>`);
  assert.deepEqual(found, {
    arch: "x86_64",
    machine: "pc-q35-7.2",
    virtType: "qemu",
    emulator: "/q",
    maxCpus: 288,
    firmwares: ["efi"],
    secureBoot: true,
    cpuModes: ["host-model", "custom"],
    cpuModels: [{ name: "qemu64", usable: true }, { name: "EPYC", usable: false }, {
      name: "Odd",
      usable: true,
    }],
    diskBuses: ["virtio"],
    graphics: [],
    videoModels: [],
    tpmModels: ["tpm-crb"],
    tpmBackends: ["emulator"],
    rng: false,
    hyperv: [],
    shareDrivers: ["path", "virtiofs"],
  });
});

Deno.test("readQemuUser() takes the user of QEMU's processes, by number alone", () => {
  const capabilities = (labels: string) =>
    `<capabilities><host><secmodel><model>apparmor</model></secmodel><secmodel><model>dac</model>${labels}</secmodel></host></capabilities>`;
  const kvm = "<baselabel type='kvm'>+1:+2</baselabel>";
  assert.deepEqual(readQemuUser(capabilities(`${kvm}<baselabel type='qemu'>+64055:+106</baselabel>`)), {
    uid: 64055,
    gid: 106,
  });
  assert.deepEqual(readQemuUser(capabilities(kvm)), { uid: 1, gid: 2 });
  assert.equal(readQemuUser(capabilities("<baselabel type='qemu'>libvirt-qemu:kvm</baselabel>")), undefined);
  assert.equal(readQemuUser("<capabilities><host/></capabilities>"), undefined);
});
