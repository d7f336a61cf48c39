/** Network devices of this host that a machine's card can be plugged into. */

const FOLDER = "/sys/class/net";
/** Made by libvirt and its like for machines and networks: nothing to plug another card into. */
const OF_MACHINES = /^(lo|vnet\d+|macvtap\d+|virbr\d+-nic|docker\d+|veth.*)$/;

/** A network device of the host. */
export interface HostInterface {
  readonly name: string;
  readonly bridge: boolean;
}

/** Every network device of this host, by name; none where there is no sysfs. */
export async function hostInterfaces(): Promise<HostInterface[]> {
  const found: HostInterface[] = [];
  try {
    for await (const { name } of Deno.readDir(FOLDER)) {
      const bridge = await isBridge(name);
      if (bridge || !OF_MACHINES.test(name)) found.push({ name, bridge });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function isBridge(name: string): Promise<boolean> {
  try {
    return (await Deno.stat(`${FOLDER}/${name}/bridge`)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
