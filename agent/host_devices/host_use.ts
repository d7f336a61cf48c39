/**
 * This host's own use of devices, as places in the kernel's device tree: its mounted disks and its swap, the
 * network cards of its routes, the screen of its console. A device above such a place is not assigned without
 * confirmation. Source: the kernel's sysfs and proc(5).
 */
import type { HostUse } from "../../lib/host_devices/list.ts";
import { defaultDevices } from "../../lib/network/routes.ts";
import { namesIn, undefinedIfMissing } from "../machine/files.ts";
import { DEVICES } from "../machine/network_devices.ts";
import { BLOCKS, hardwareBelow, liveBlocks } from "../storage/block_devices.ts";
import type { LocalMachine } from "../machine/machine.ts";

/** Block devices that the host reads and writes, with what for. */
async function usedBlocks(): Promise<Map<string, string>> {
  const found = await liveBlocks();
  // A part of a volume group, a RAID or an encrypted disk is in use although nothing of it is mounted.
  for (const name of await namesIn(BLOCKS)) {
    const [holder] = found.has(name) ? [] : await namesIn(`${BLOCKS}/${name}/holders`);
    if (holder !== undefined) found.set(name, `the host's ${holder} is made of it (${name})`);
  }
  return found;
}

async function blockUses(): Promise<HostUse[]> {
  const uses = [...await usedBlocks()].map(async ([name, reason]) =>
    (await hardwareBelow(name)).map((path) => ({ path, reason, isVital: true }))
  );
  return (await Promise.all(uses)).flat();
}

/** Network devices that one is made of: of a bridge its ports, of a bond its cards, of a VLAN its card. */
async function lowerDevices(name: string, seen: Set<string> = new Set()): Promise<string[]> {
  if (seen.has(name)) return [];
  seen.add(name);
  const lower = (await namesIn(`${DEVICES}/${name}`)).filter((each) => each.startsWith("lower_"));
  const below = await Promise.all(lower.map((each) => lowerDevices(each.slice("lower_".length), seen)));
  return [name, ...below.flat()];
}

async function networkUses({ kernelText }: LocalMachine): Promise<HostUse[]> {
  const routes = defaultDevices(
    await kernelText("/proc/net/route") ?? "",
    await kernelText("/proc/net/ipv6_route") ?? "",
  );
  const vital = new Map<string, string>();
  for (const device of routes) for (const name of await lowerDevices(device)) vital.set(name, device);
  const uses = (await namesIn(DEVICES)).map(async (name): Promise<HostUse[]> => {
    const path = await undefinedIfMissing(Deno.realPath(`${DEVICES}/${name}`));
    if (path === undefined) return [];
    const route = vital.get(name);
    if (route !== undefined) {
      const by = route === name ? name : `${route} over ${name}`;
      return [{ path, reason: `its default route leads through it (${by})`, isVital: true }];
    }
    const isUp = (await kernelText(`${path}/operstate`))?.trim() === "up";
    return isUp ? [{ path, reason: `its network device ${name} is up`, isVital: false }] : [];
  });
  return (await Promise.all(uses)).flat();
}

/** The screen that the firmware and the kernel's console draw on. */
async function screenUses({ kernelText }: LocalMachine): Promise<HostUse[]> {
  const folder = "/sys/bus/pci/devices";
  const uses = (await namesIn(folder)).map(async (address): Promise<HostUse[]> => {
    const isBoot = (await kernelText(`${folder}/${address}/boot_vga`))?.trim() === "1";
    const path = isBoot ? await undefinedIfMissing(Deno.realPath(`${folder}/${address}`)) : undefined;
    return path === undefined ? [] : [{ path, reason: "its console shows on this GPU", isVital: false }];
  });
  return (await Promise.all(uses)).flat();
}

/** This host's own uses; none on a host without sysfs. */
export async function hostUses(machine: LocalMachine): Promise<HostUse[]> {
  return (await Promise.all([blockUses(), networkUses(machine), screenUses(machine)])).flat();
}
