import assert from "node:assert/strict";
import { lean } from "./lean.ts";
import { addressOf } from "./vm_list.ts";
import { aVm } from "./vm_fixture_test.ts";

const nic = { mac: "52:54:00:00:00:01", network: "default", type: "network", linkUp: true, ipAddresses: [] };

Deno.test("lean() drops what a list does not show, however long", () => {
  const vm = aVm({ description: "x".repeat(65_536), attention: ["y".repeat(65_536)] });
  assert(JSON.stringify(lean(vm)).length < 1_000);
});

Deno.test("lean() keeps the address, and leaves the machine itself alone", () => {
  const vm = aVm({ description: "d", networkInterfaces: [nic, { ...nic, ipAddress: "192.0.2.7" }] });
  assert.equal(addressOf(lean(vm)), "192.0.2.7");
  assert.equal(vm.description, "d");
});
