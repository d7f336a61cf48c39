/** Network devices of this host that a VM's card can be plugged into. */
import { isBridge, networkDevices } from "./network_devices.ts";

/** Made by libvirt and its like for VMs and networks: nothing to plug another card into. */
const OF_MACHINES = /^(vnet\d+|macvtap\d+|virbr\d+-nic|docker\d+|veth.*)$/;

/** A network device of the host. */
export interface HostInterface {
  readonly name: string;
  readonly bridge: boolean;
}

/** Those of this host, by name; none where there is no sysfs. */
export async function hostInterfaces(): Promise<HostInterface[]> {
  const all = await Promise.all(
    (await networkDevices()).map(async (name) => ({
      name,
      bridge: await isBridge(name),
    })),
  );
  return all.filter(({ name, bridge }) => bridge || !OF_MACHINES.test(name));
}
