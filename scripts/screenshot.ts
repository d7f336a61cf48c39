/**
 * Makes README's picture again: the list of VMs of a small lab, on a libvirtd of its own.
 *
 *     deno task screenshot
 */
import { fileURLToPath } from "node:url";
import { ownBrowser } from "../tests/testbed/chromium.ts";
import { domainXml } from "../tests/testbed/domain_xml.ts";
import { buildGuest } from "../tests/testbed/guest.ts";
import { filesOf } from "../tests/testbed/names.ts";
import { privateLibvirt } from "../tests/testbed/private_libvirt.ts";
import { run } from "../tests/testbed/process.ts";
import { startServer } from "../tests/testbed/server.ts";
import { delay } from "../tests/testbed/wait.ts";

/** `no-ping`: dnsmasq would ping every address for 3 s before it gives it away. */
const NETWORK =
  `<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>default</name><bridge name='virbr0' stp='off' delay='0'/>
<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.20' end='192.168.122.99'/></dhcp></ip>
<dnsmasq:options><dnsmasq:option value='no-ping'/></dnsmasq:options></network>`;

interface Machine {
  readonly name: string;
  readonly title: string;
  readonly disk: string;
  readonly vcpus: number;
  readonly tags: readonly string[];
  readonly state: "running" | "paused" | "stopped" | "suspended";
}

/** The lab. */
const MACHINES: readonly Machine[] = [
  { name: "build-03", title: "CI runner", disk: "60G", vcpus: 2, tags: ["ci"], state: "paused" },
  { name: "db-01", title: "PostgreSQL", disk: "200G", vcpus: 4, tags: ["prod"], state: "running" },
  { name: "edge-07", title: "Router", disk: "8G", vcpus: 1, tags: ["edge"], state: "running" },
  { name: "legacy", title: "Old accounting", disk: "120G", vcpus: 1, tags: [], state: "suspended" },
  { name: "mail-01", title: "Mail", disk: "80G", vcpus: 2, tags: ["prod"], state: "running" },
  { name: "scratch", title: "", disk: "20G", vcpus: 1, tags: [], state: "stopped" },
  { name: "web-01", title: "Web front", disk: "40G", vcpus: 2, tags: ["prod", "web"], state: "running" },
  { name: "web-02", title: "Web front", disk: "40G", vcpus: 2, tags: ["prod", "web"], state: "running" },
];

const OUTPUT = fileURLToPath(new URL("../docs/vms.png", import.meta.url));

if (import.meta.main) {
  const guest = await buildGuest();
  await using host = await privateLibvirt("screenshot");
  const folder = filesOf(host.name);
  await Deno.writeTextFile(`${folder}/network.xml`, NETWORK);
  await host.virsh("net-define", `${folder}/network.xml`);
  await host.virsh("net-start", "default");
  await using server = await startServer({ uri: host.uri });
  for (const [index, machine] of MACHINES.entries()) {
    const path = `${folder}/${machine.name}.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", path, machine.disk]);
    const xml = domainXml({
      name: machine.name,
      uuid: crypto.randomUUID(),
      memoryMiB: 256,
      vcpus: machine.vcpus,
      machine: "q35",
      ...(machine.title !== "" && { title: machine.title }),
      guest,
      network: { name: "default", mac: `52:54:00:12:34:${(16 + index).toString(16)}` },
      vnc: { socket: true },
      agent: true,
      serial: { kind: "file", log: `${folder}/${machine.name}.log` },
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await Deno.writeTextFile(`${folder}/${machine.name}.xml`, String(xml));
    await host.virsh("define", `${folder}/${machine.name}.xml`);
    if (machine.state !== "stopped") await host.virsh("start", machine.name);
  }
  await delay(12_000);
  await host.virsh("suspend", "build-03");
  await host.virsh("managedsave", "legacy");
  for (const vm of await server.call("get_vms") as { id: string; name: string }[]) {
    const tags = MACHINES.find((machine) => machine.name === vm.name)?.tags ?? [];
    if (tags.length > 0) await server.call("set_tags", { vmId: vm.id, tags });
  }
  await using tester = await ownBrowser();
  const page = await tester.page({ viewport: { width: 1440, height: 520 }, colorScheme: "dark" });
  await page.goto(`${server.url}/vms`);
  await delay(12_000);
  await Deno.mkdir(fileURLToPath(new URL("../docs", import.meta.url)), { recursive: true });
  await page.screenshot({ path: OUTPUT });
  console.log(`${OUTPUT} is written`);
}
