import assert from "node:assert/strict";
import { formatAddress } from "../formats/ip/cidr.ts";
import { connectedUsers, waitingSockets } from "./sockets.ts";

/** As the kernel writes it (proc(5)). */
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 40010 1 0000000000000000 100 0 0 10 0
   1: 017AA8C0:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 40011 1 0000000000000000 100 0 0 10 0
   2: 0200000A:0016 0300000A:C350 01 00000000:00000000 02:000AFFFF 00000000     0        0 40012 2 0000000000000000 20 4 31 10 -1
`;
const TCP6 =
  `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 50010 1
   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 50011 1
   2: 000000FD000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 50012 1
`;
const UDP =
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  100: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 60010 2 0000000000000000 0
  101: 0200000A:8000 08080808:0035 01 00000000:00000000 00:00000000 00000000     0        0 60011 2 0000000000000000 0
`;

const seen = (...args: Parameters<typeof waitingSockets>) =>
  waitingSockets(...args).map(({ address, port, inode }) => [formatAddress(address), port, inode]);

Deno.test("waitingSockets() reads who listens, and leaves out who talks", () => {
  assert.deepEqual(seen(TCP, "tcp", 4), [["127.0.0.1", 8080, "40010"], ["192.168.122.1", 53, "40011"]]);
  assert.deepEqual(seen(UDP, "udp", 4), [["0.0.0.0", 67, "60010"]]);
});

Deno.test("waitingSockets() takes mapped addresses as the IPv4 they are", () => {
  assert.deepEqual(seen(TCP6, "tcp", 6), [["::", 80, "50010"], ["127.0.0.1", 81, "50011"], [
    "fd00::1",
    82,
    "50012",
  ]]);
});

Deno.test("waitingSockets() finds a socket that is really there", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const found = waitingSockets(await Deno.readTextFile("/proc/net/tcp"), "tcp", 4);
  assert.ok(found.some((each) => each.port === port && formatAddress(each.address) === "127.0.0.1"));
});

Deno.test("waitingSockets() leaves out what is no line of the kernel's", () => {
  assert.deepEqual(seen("", "tcp", 4), []);
  assert.deepEqual(seen("0: nonsense\n\n  1: 0100007F:1F90\n", "tcp", 4), []);
});

Deno.test("connectedUsers() names whose programs talk to a port, but for those that have hung up", () => {
  const line = (from: string, to: string, uid: number, inode: number) =>
    `   0: ${from} ${to} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 20 4 0 10 -1\n`;
  const text = line("0100007F:C350", "0100007F:20F8", 1000, 7) +
    line("0100007F:20F8", "0100007F:C350", 998, 8) +
    line("0100007F:C351", "0100007F:20F8", 0, 0) + line("0100007F:C352", "0100007F:0050", 1001, 9);
  const from = new Set([50_000, 50_001, 50_002]);
  assert.deepEqual([...connectedUsers(text, 4, 8440, from)], [["127.0.0.1:50000", 1000]]);
  assert.deepEqual([...connectedUsers(text, 4, 8440, new Set([50_001]))], []);
  const mapped = "0000000000000000FFFF00000100007F", loopback = "00000000000000000000000001000000";
  const six = line(`${mapped}:C350`, `${mapped}:20F8`, 1002, 7) +
    line(`${loopback}:C351`, `${loopback}:20F8`, 1003, 8);
  assert.deepEqual([...connectedUsers(six, 6, 8440, from)], [["127.0.0.1:50000", 1002], ["::1:50001", 1003]]);
});

Deno.test("connectedUsers() finds a connection that is really there", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const from = connection.localAddr as Deno.NetAddr;
  const users = connectedUsers(await Deno.readTextFile("/proc/net/tcp"), 4, port, new Set([from.port]));
  assert.equal(users.get(`127.0.0.1:${from.port}`), Deno.uid());
});
