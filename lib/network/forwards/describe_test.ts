import assert from "node:assert/strict";
import type { PortForward } from "../../contract/forwards.ts";
import { forwardIn, forwardName, forwardTarget, targetValue } from "./describe.ts";

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

Deno.test("forwardIn() reads a form, and leaves out what stands empty", () => {
  const empty = { hostAddress: "", address: "", targetPort: "", description: "" };
  assert.deepEqual(forwardIn("lan", form({ ...empty, protocol: "udp", hostPorts: "53", target: "vm" })), {
    network: "lan",
    protocol: "udp",
    hostPort: 53,
    vmId: "vm",
  });
  assert.deepEqual(
    forwardIn(
      "lan",
      form({
        protocol: "tcp",
        hostPorts: "80-90",
        target: targetValue("vm", "52:54:00:00:00:01"),
        targetPort: "8080",
        keepAddress: "on",
      }),
    ),
    {
      network: "lan",
      protocol: "tcp",
      hostPort: 80,
      hostPortEnd: 90,
      vmId: "vm",
      mac: "52:54:00:00:00:01",
      targetPort: 8080,
      keepAddress: true,
    },
  );
});

Deno.test("forwardIn() takes a fixed address instead of the machine", () => {
  const both = form({
    protocol: "tcp",
    hostPorts: "80",
    target: "vm 52:54:00:00:00:01",
    address: "10.0.0.5",
  });
  assert.deepEqual(forwardIn("lan", both), {
    network: "lan",
    protocol: "tcp",
    hostPort: 80,
    address: "10.0.0.5",
  });
});

Deno.test("forwardIn() makes what is no port one that the contract refuses", () => {
  const read = forwardIn("lan", form({ protocol: "tcp", hostPorts: "http", target: "", targetPort: "x" }));
  assert.equal(read.hostPort, 0);
  assert.equal(read.targetPort, 0);
});

const FORWARD: PortForward = {
  id: "1",
  network: "lan",
  protocol: "tcp",
  hostPort: 80,
  hostPortEnd: 81,
  targetPort: 8080,
  targetPortEnd: 8081,
  enabled: true,
  state: "active",
  createdAt: 0,
};

Deno.test("forwardName() and forwardTarget() say from where to where, as far as it is known", () => {
  assert.equal(forwardName(FORWARD), "TCP 80–81");
  assert.equal(forwardTarget(FORWARD), "port 8080–8081");
  assert.equal(
    forwardTarget({ ...FORWARD, targetAddress: "10.0.0.5", targetPortEnd: 8080 }),
    "10.0.0.5 port 8080",
  );
  assert.equal(forwardTarget({ ...FORWARD, address: "10.0.0.9" }), "10.0.0.9 port 8080–8081");
});
