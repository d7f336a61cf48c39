import assert from "node:assert/strict";
import type { VM } from "../../../lib/contract/mod.ts";
import { DEVICES_PREFIX, DEVICES_URI } from "../../../lib/formats/xml/metadata.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { showStartRisks } from "./start_risks.ts";
import { localMachine } from "../../machine/machine.ts";

const CARD = "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x01' slot='0x00' " +
  "function='0x0'/></source></hostdev>";
const NODE = "<device><name>pci_0000_01_00_0</name><capability type='pci'><domain>0</domain><bus>1</bus>" +
  "<slot>0</slot><function>0</function><product id='0x1533'/><vendor id='0x8086'/></capability></device>";
const noted = (model: string) =>
  `<metadata><${DEVICES_PREFIX}:devices xmlns:${DEVICES_PREFIX}='${DEVICES_URI}'>` +
  `<${DEVICES_PREFIX}:device at='0000:01:00.0' model='${model}'/></${DEVICES_PREFIX}:devices></metadata>`;

/**
 * A local host with running VMs.
 *
 * @param xmlOf of those that have a device of the host, by id
 * @param disks of each of them
 */
function world(
  ids: readonly string[],
  xmlOf: Readonly<Record<string, string>> = {},
  disks: readonly Partial<VM["disks"][number]>[] = [],
) {
  const calls: string[] = [], risks = new Map<string, string | undefined>();
  const vms = ids.map((id) => ({ id, name: id, disks, persistent: true }) as unknown as VM);
  const answer = (name: string, { uuid = "" }: { uuid?: string }) =>
    name === "domainXml" ? `<domain type='kvm'>${xmlOf[uuid] ?? ""}</domain>` : [NODE];
  const host = {
    machine: localMachine("qemu:///system"),
    link: {
      uri: "qemu:///system",
      machine: localMachine("qemu:///system"),
      call: (name: string, input = {}) => {
        calls.push(name);
        return Promise.resolve(answer(name, input));
      },
    },
    keepers: { kept: () => [] },
    inventory: {
      filled: true,
      active: () => ids,
      vms: () => vms,
      vm: () => undefined,
      everyVm: () => vms,
      storage: { isKnown: true, known: () => [], leftOverlays: () => [], records: () => [] },
      record: (id: string) => ({ summary: { takesDevices: id in xmlOf } }),
      startRisk: (id: string) => risks.get(id),
      update: (id: string, { startRisk }: { startRisk?: string }) => void risks.set(id, startRisk),
    },
  } as unknown as LibvirtHost;
  return { calls, risks, look: () => showStartRisks(host) };
}

Deno.test("showStartRisks() asks libvirt of no VM that has no device of the host", async () => {
  const { calls, look } = world(Array.from({ length: 500 }, (_, index) => `vm-${index}`));
  await look();
  assert.equal(calls.length, 0);
});

Deno.test("showStartRisks() shows a device that is another one by now, and notes nothing", async () => {
  const { calls, risks, look } = world(["plain", "new", "same", "other"], {
    new: `<devices>${CARD}</devices>`,
    same: `${noted("8086:1533")}<devices>${CARD}</devices>`,
    other: `${noted("10de:1b80")}<devices>${CARD}</devices>`,
  });
  await look();
  assert.deepEqual([...risks.keys()], ["other"]);
  assert.match(risks.get("other")!, /^device 0000:01:00.0 of the host is another one by now/);
  assert.deepEqual([...new Set(calls)].sort(), ["domainXml", "nodeDevices"]);
  assert.equal(calls.filter((name) => name === "domainXml").length, 3);
});

/** Block devices of this host, as it has them. */
const blocks = (await Array.fromAsync(Deno.readDir("/sys/class/block"))).map(({ name }) => `/dev/${name}`);

Deno.test({
  name: "showStartRisks() reads once what the host itself has in use, for all block disks",
  ignore: blocks.length === 0,
  fn: async () => {
    const disk = { target: "vda", type: "block", source: blocks[0]!, device: "cdrom" } as const;
    const { look } = world(Array.from({ length: 20 }, (_, index) => `vm-${index}`), {}, [disk]);
    const read = Deno.readTextFile;
    let times = 0;
    Deno.readTextFile = (path, options) => {
      if (path === "/proc/self/mountinfo") times++;
      return read(path, options);
    };
    try {
      await look();
    } finally {
      Deno.readTextFile = read;
    }
    assert.equal(times, 1);
  },
});
