/** The host's network devices. Source: the kernel's sysfs. */
import { isThere } from "./files.ts";

/** A folder for each device. */
export const DEVICES = "/sys/class/net";

/** No devices for people: the loopback, and what the kernel and Open vSwitch have for their own use. */
const INNER: ReadonlySet<string> = new Set(["lo", "bonding_masters", "ovs-system", "ovs-netdev"]);

/** Devices of every KVM Manager's port forwards begin so: they are no place for a network. */
export const FORWARD_DEVICES = "kvmmf";

/** Whether a network device is one of ours. */
export function isForwardDevice(name: string): boolean {
  return name.startsWith(FORWARD_DEVICES);
}

/** Whether a device is a bridge of the kernel's. */
export function isBridge(name: string): Promise<boolean> {
  return isThere(`${DEVICES}/${name}/bridge`);
}

/** Their names, without inner ones and those of our port forwards; none where there is no sysfs. */
export async function networkDevices(): Promise<string[]> {
  try {
    const names = (await Array.fromAsync(Deno.readDir(DEVICES))).map(({ name }) => name);
    return names.filter((name) => !INNER.has(name) && !isForwardDevice(name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
