import assert from "node:assert/strict";
import { formatSubnet } from "../formats/ip/cidr.ts";
import { defaultDevices, type IpRoute, routesV4, routesV6, vlanIds } from "./routes.ts";

const shown = (routes: IpRoute[]) => routes.map(({ device, subnet }) => `${device} ${formatSubnet(subnet)}`);

Deno.test("routesV4() gives subnets, without default routes and rejects", () => {
  const text = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100000A	0003	0	0	0	00000000	0	0	0
eth0	0000000A	00000000	0001	0	0	0	0000FFFF	0	0	0
virbr0	007AA8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
*	000000AC	00000000	0201	0	0	0	000000FF	0	0	0
`;
  assert.deepEqual(shown(routesV4(text)), ["eth0 10.0.0.0/16", "virbr0 192.168.122.0/24"]);
});

Deno.test("routesV6() gives subnets, without link-local ones, the host's own and the default", () => {
  const zero = "0".repeat(32);
  const line = (to: string, length: string, flags: string, device: string) =>
    `${to} ${length} ${zero} 00 ${zero} 00000100 00000001 00000000 ${flags} ${device.padStart(8)}`;
  const text = [
    line("fd000000000000010000000000000000", "40", "00000001", "br0"),
    line("fe800000000000000000000000000000", "40", "00000001", "br0"),
    line("fd000000000000010000000000000001", "80", "80200001", "lo"),
    line("ff000000000000000000000000000000", "08", "00000001", "br0"),
    line(zero, "00", "00000003", "eth0"),
    line("20010db8000000000000000000000000", "20", "00000201", "eth0"),
    "",
  ].join("\n");
  assert.deepEqual(shown(routesV6(text)), ["br0 fd00:0:0:1::/64"]);
});

Deno.test("defaultDevices() names the ways out of both families, and no unreachable ones", () => {
  const v4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100000A	0003	0	0	0	00000000	0	0	0
tun0	00000000	0100000A	0003	0	0	0	00000080	0	0	0
br0	0000000A	00000000	0001	0	0	0	0000FFFF	0	0	0
*	00000000	00000000	0200	0	0	0	00000000	0	0	0
`;
  const zero = "0".repeat(32);
  const v6 = (flags: string, device: string) =>
    `${zero} 00 ${zero} 00 ${zero} 00000400 00000001 00000000 ${flags}     ${device}\n`;
  assert.deepEqual([...defaultDevices(v4, v6("00000003", "eth1") + v6("00200200", "lo"))], ["eth0", "eth1"]);
  assert.deepEqual([...defaultDevices("", "")], []);
});

Deno.test("vlanIds() reads the kernel's table", () => {
  const text = `VLAN Dev name	 | VLAN ID
Name-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD
eth0.5         | 5  | eth0
storage        | 4000  | bond0
`;
  assert.deepEqual([...vlanIds(text)], [["eth0.5", 5], ["storage", 4000]]);
  assert.deepEqual([...vlanIds("")], []);
});
