import assert from "node:assert/strict";
import { vmListItem } from "./vm_list_item.ts";
import { firstAddress } from "./list.ts";
import { aVm } from "../text/vm_fixture_test.ts";

const nic = { mac: "52:54:00:00:00:01", network: "default", type: "network", linkUp: true, ipAddresses: [] };

Deno.test("vmListItem() drops what a list does not show, however long", () => {
  const vm = aVm({ description: "x".repeat(65_536), attention: ["y".repeat(65_536)] });
  assert(JSON.stringify(vmListItem(vm)).length < 1_000);
});

Deno.test("vmListItem() keeps the address, and leaves the machine itself alone", () => {
  const vm = aVm({ description: "d", networkInterfaces: [nic, { ...nic, ipAddress: "192.0.2.7" }] });
  assert.equal(firstAddress(vmListItem(vm)), "192.0.2.7");
  assert.equal(vm.description, "d");
});
