import assert from "node:assert/strict";
import { readLeaseFile } from "./lease_file.ts";

const PREFIXES = [{ family: "ipv4", prefix: 24 }, { family: "ipv6", prefix: 64 }] as const;

Deno.test("readLeaseFile() reads what libvirt's lease helper writes", () => {
  const text = `[
  {
    "ip-address": "192.168.122.14",
    "mac-address": "52:54:00:12:34:56",
    "client-id": "01:52:54:00:12:34:56",
    "hostname": "web",
    "expiry-time": 1600000000
  },
  {
    "iaid": "1193046",
    "ip-address": "fd00::14",
    "mac-address": "52:54:00:12:34:56",
    "client-id": "00:01:00:01:aa",
    "server-duid": "00:01",
    "expiry-time": 0
  }
]
`;
  assert.deepEqual(readLeaseFile(text, PREFIXES), [
    {
      mac: "52:54:00:12:34:56",
      address: "192.168.122.14",
      prefix: 24,
      hostname: "web",
      clientId: "01:52:54:00:12:34:56",
      expires: 1600000000,
    },
    {
      mac: "52:54:00:12:34:56",
      address: "fd00::14",
      prefix: 64,
      hostname: "",
      clientId: "00:01:00:01:aa",
      expires: 0,
    },
  ]);
  assert.deepEqual(readLeaseFile("", PREFIXES), []);
  assert.deepEqual(readLeaseFile("[]\n", PREFIXES), []);
});

Deno.test("readLeaseFile() takes nothing else for leases", () => {
  const lease = { "ip-address": "10.0.0.1", "mac-address": "52:54:00:00:00:01", "expiry-time": 1 };
  assert.equal(readLeaseFile(JSON.stringify([lease]), PREFIXES)?.length, 1);
  const wrong = [
    ...["{", "{}", "null", "[1]", "[null]", '"x"'],
    JSON.stringify([{ ...lease, "ip-address": "host" }]),
    JSON.stringify([{ ...lease, "mac-address": "52:54" }]),
    JSON.stringify([lease, { ...lease, "expiry-time": "1" }]),
  ];
  for (const text of wrong) assert.equal(readLeaseFile(text, PREFIXES), undefined, text);
});
