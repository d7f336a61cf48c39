import assert from "node:assert/strict";
import { isLinkLocal } from "./link_local.ts";

Deno.test("isLinkLocal() tells what is good on one link alone", () => {
  for (
    const address of ["fe80::1", "FE80::5054:ff:fefb:c520/64", "febf::1", "169.254.7.9", "169.254.7.9/16"]
  ) {
    assert.ok(isLinkLocal(address), address);
  }
  for (const address of ["192.168.122.5", "fec0::1", "fd00::1", "2001:db8::fe80:1", "16.92.54.1", "::1"]) {
    assert.ok(!isLinkLocal(address), address);
  }
});
