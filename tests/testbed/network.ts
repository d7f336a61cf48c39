/** Networks for tests: a bridge of their own with DHCP, on a subnet that is not used otherwise. */
import { ensureLibvirtd, virsh, virshUnless } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import { ProcessError } from "./process.ts";
import { removeFiles, removeNetwork } from "./removal.ts";
import { type Markup, markup, NOTHING } from "./xml.ts";

/** One DHCP lease. */
export interface TestLease {
  readonly mac: string;
  readonly address: string;
  /** Host name that the guest sent, or null. */
  readonly hostname: string | null;
}

/** A started network that is removed, with its leases, when it is disposed of. */
export interface TestNetwork extends AsyncDisposable {
  readonly name: string;
  /** The first three numbers of its /24: `10.201.7`. The host itself is `.1`. */
  readonly subnet: string;
  /** The first four groups of its IPv6 /64, `fd12:3456:7:1`; the host itself is `::1`. Null where none was asked for. */
  readonly subnet6: string | null;
  /** `isolated` when this kernel does no NAT; DHCP works all the same. */
  readonly mode: "nat" | "isolated";
  leases(): Promise<TestLease[]>;
}

/** Errors of libvirt if it cannot set up NAT: no iptables, or a kernel without its tables. */
const NO_NAT = /iptables|ip6tables|firewall|nftables/i;
/** Error of libvirt if the subnet was taken after we looked. */
const TAKEN = /already in use by interface/i;

/** How a network is made. */
export interface TestNetworkOptions {
  /** With IPv6, whose addresses machines make by themselves. */
  readonly ipv6?: boolean;
}

/** Defines and starts a network. Says so on stderr when it had to do without NAT. */
export async function testNetwork(
  purpose = "net",
  { ipv6 = false }: TestNetworkOptions = {},
): Promise<TestNetwork> {
  await ensureLibvirtd();
  const name = await testName(purpose);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(name));
  await Deno.mkdir(filesOf(name), { recursive: true });
  undo.defer(() => removeNetwork(name));
  const subnet6 = ipv6 ? uniqueLocal() : null;
  const { subnet, mode } = await startSomewhere(name, subnet6);
  const cleanup = undo.move();
  return {
    name,
    subnet,
    subnet6,
    mode,
    leases: () => leasesOf(name),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** The first four groups of a random /64 (RFC 4193). */
function uniqueLocal(): string {
  const [a, b, c] = crypto.getRandomValues(new Uint16Array(3));
  return `fd${(a! % 256).toString(16).padStart(2, "0")}:${b!.toString(16)}:${c!.toString(16)}:1`;
}

async function startSomewhere(
  name: string,
  subnet6: string | null,
): Promise<Pick<TestNetwork, "subnet" | "mode">> {
  let mode: TestNetwork["mode"] = "nat";
  for (let attempt = 0; attempt < 20; attempt++) {
    const subnet = await freeSubnet();
    const file = `${filesOf(name)}/network.markup`;
    await Deno.writeTextFile(file, String(networkXml(name, subnet, mode, subnet6)));
    await virsh("net-define", file);
    try {
      await virsh("net-start", name);
      return { subnet, mode };
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error;
      await virsh("net-undefine", name);
      if (mode === "nat" && NO_NAT.test(error.stderr)) {
        console.error(`${name}: no NAT on this machine, isolated instead: ${error.stderr.trim()}`);
        mode = "isolated";
      } else if (!TAKEN.test(error.stderr)) throw error;
    }
  }
  throw new Error(`found no free subnet for ${name}`);
}

/** `no-ping`: dnsmasq would otherwise ping an address for 3 s before it gives it away. */
function networkXml(
  name: string,
  subnet: string,
  mode: TestNetwork["mode"],
  subnet6: string | null,
): Markup {
  // Without `ipv6`, libvirt routes IPv6 in a NAT network, and everybody outside reaches the machines.
  const nat = subnet6 === null ? NOTHING : markup`<nat ipv6='yes'/>`;
  return markup`<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>${name}</name>
  ${mode === "nat" ? markup`<forward mode='nat'>${nat}</forward>` : NOTHING}
  <bridge stp='off' delay='0'/>
  <ip address='${subnet}.1' netmask='255.255.255.0'>
    <dhcp><range start='${subnet}.10' end='${subnet}.250'/></dhcp>
  </ip>
  ${subnet6 === null ? NOTHING : markup`<ip family='ipv6' address='${subnet6}::1' prefix='64'/>`}
  <dnsmasq:options><dnsmasq:option value='no-ping'/></dnsmasq:options>
</network>
`;
}

/** A random 10.200–254.x /24 that neither an interface nor another (maybe stopped) network of libvirt lies in. */
async function freeSubnet(): Promise<string> {
  const taken = new Set(
    Deno.networkInterfaces().map(({ address }) => address.split(".").slice(0, 3).join(".")),
  );
  for (const network of (await virsh("net-list", "--all", "--name")).split("\n").filter(Boolean)) {
    // A network may vanish between the list and this look: then it takes no subnet either.
    const definition = await virshUnless(/not found/i, "net-dumpxml", network.trim()) ?? "";
    for (const match of definition.matchAll(/<ip address='(\d+\.\d+\.\d+)\./g)) taken.add(match[1]!);
  }
  while (true) {
    const [a, b] = crypto.getRandomValues(new Uint8Array(2));
    const subnet = `10.${200 + a! % 55}.${b!}`;
    if (!taken.has(subnet)) return subnet;
  }
}

/** `net-dhcp-leases` prints a table: expiry date and time, MAC, protocol, address/prefix, host name, client id. */
async function leasesOf(name: string): Promise<TestLease[]> {
  const rows = (await virsh("net-dhcp-leases", name)).split("\n").map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([_date, _time, mac, protocol, address, hostname]) =>
    mac !== undefined && protocol === "ipv4" && address !== undefined
      ? [{
        mac,
        address: address.split("/")[0]!,
        hostname: hostname === undefined || hostname === "-" ? null : hostname,
      }]
      : []
  );
}
