/** The network devices of the machine we run on, and what stands on what. Source: the kernel's sysfs and procfs. */
import type { DeviceKind, TopologyDevice } from "../../lib/contract/mod.ts";
import { defaultDevices, vlanIds } from "../../lib/network/routes.ts";
import type { LocalMachine } from "../machine/machine.ts";
import { DEVICES } from "../machine/network_devices.ts";
import { kernelFileText } from "./facts.ts";

/** Files in a device's folder → its kind; the first that fits. Source: Documentation/ABI/testing/sysfs-class-net. */
const KINDS: readonly {
  readonly kind: DeviceKind;
  fits(entries: ReadonlySet<string>, type: string): boolean;
}[] = [
  { kind: "bridge", fits: (entries) => entries.has("bridge") },
  { kind: "bond", fits: (entries) => entries.has("bonding") },
  { kind: "vlan", fits: (_, type) => type === "vlan" },
  { kind: "macvlan", fits: (_, type) => type === "macvlan" || type === "macvtap" },
  { kind: "physical", fits: (entries) => entries.has("device") },
  { kind: "port", fits: (entries, type) => entries.has("tun_flags") || type === "veth" },
];

/** The kernel says UP of what has a carrier, and UNKNOWN of what has no notion of one. */
const isUp = (state: string) => state === "up" || state === "unknown";

/** A whole number in a file of sysfs; undefined where there is none, or where it says "unknown" (-1). */
function whole(text: string): number | undefined {
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** Text of a device's file; some (`speed` of a device that is down) cannot be read at all. */
async function attribute(machine: LocalMachine, name: string, file: string): Promise<string> {
  try {
    return (await kernelFileText(machine, `${DEVICES}/${name}/${file}`)).trim();
  } catch {
    return ""; // EINVAL: the driver does not tell
  }
}

type Link = Omit<TopologyDevice, "addresses" | "hasDefaultRoute" | "network" | "vlanId">;

/** One device; undefined when it went away meanwhile. */
async function linkOf(machine: LocalMachine, name: string): Promise<Link | undefined> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(`${DEVICES}/${name}`))).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const [state, mtu, mac, uevent, speed, index, peer] = await Promise.all(
    ["operstate", "mtu", "address", "uevent", "speed", "ifindex", "iflink"].map((file) =>
      attribute(machine, name, file)
    ),
  );
  const entries = new Set(names);
  // Without a type of its own, what is linked to another device is one end of a pair.
  const type = /^DEVTYPE=(.*)$/m.exec(uevent!)?.[1] ?? (index === peer ? "" : "veth");
  const kind = KINDS.find(({ fits }) => fits(entries, type))?.kind ?? "other";
  const mtuBytes = whole(mtu!), speedMbps = whole(speed!);
  return {
    name,
    kind,
    up: isUp(state!),
    ...(mac !== "" && { mac: mac! }),
    ...(mtuBytes !== undefined && { mtu: mtuBytes }),
    ...(speedMbps !== undefined && speedMbps > 0 && { speedMbps }),
    over: names.filter((each) => each.startsWith("lower_")).map((each) => each.slice("lower_".length)).sort(),
  };
}

/**
 * Every network device but those that are told otherwise, by name.
 *
 * @param known devices not to look at: VMs' own ends, of which there may be hundreds
 */
export async function hostLinks(
  machine: LocalMachine,
  known: ReadonlySet<string>,
): Promise<TopologyDevice[]> {
  const names = (await machine.networkDevices()).filter((name) => !known.has(name));
  const [links, v4, v6, vlans] = await Promise.all([
    Promise.all(names.map((name) => linkOf(machine, name))),
    kernelFileText(machine, "/proc/net/route"),
    kernelFileText(machine, "/proc/net/ipv6_route"),
    kernelFileText(machine, "/proc/net/vlan/config"),
  ]);
  const addresses = Map.groupBy(
    machine.addresses().filter(({ address }) => !/^fe80:/i.test(address)),
    ({ name }) => name,
  );
  const out = defaultDevices(v4, v6), ids = vlanIds(vlans);
  return links.flatMap((link) => link ?? []).map((link): TopologyDevice => {
    const vlanId = ids.get(link.name);
    return {
      ...link,
      // In a container the way out is one end of a pair: what a network card is elsewhere.
      kind: link.kind === "port" && out.has(link.name) ? "physical" : link.kind,
      ...(vlanId !== undefined && { vlanId }),
      addresses: (addresses.get(link.name) ?? []).map(({ cidr }) => cidr),
      hasDefaultRoute: out.has(link.name),
    };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}
