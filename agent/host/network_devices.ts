/** The host's network devices. Source: the kernel's sysfs. */
import { isForwardDevice } from "../forward/names.ts";

/** A folder for each device. */
export const DEVICES = "/sys/class/net";

/** No devices for people: the loopback, and what the kernel and Open vSwitch have for their own use. */
const INNER: ReadonlySet<string> = new Set(["lo", "bonding_masters", "ovs-system", "ovs-netdev"]);

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
