import assert from "node:assert/strict";
import { formatSubnet } from "./cidr.ts";
import { type Route, routesV4, routesV6 } from "./routes.ts";

const shown = (routes: Route[]) => routes.map(({ device, subnet }) => `${device} ${formatSubnet(subnet)}`);

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
