import assert from "node:assert/strict";
import type { PortForward } from "../../contract/forwards.ts";
import { forwardName, forwardTarget } from "./describe.ts";

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
