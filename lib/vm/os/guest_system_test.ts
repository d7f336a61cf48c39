/** Tests the operating system that a VM shows. */
import assert from "node:assert/strict";
import { ownHostname, systemOf } from "./guest_system.ts";

Deno.test("systemOf() believes the guest first, and falls back to what the VM was created for", () => {
  const guest = { hostname: "web", osName: "Ubuntu 24.04.1 LTS", osId: "ubuntu", toldAt: 1 };
  assert.deepEqual(systemOf({ osVariant: "debian12", guest }), {
    name: "Ubuntu 24.04.1 LTS",
    letters: "Ub",
    family: "linux",
  });
  assert.deepEqual(systemOf({ osVariant: "debian12" }), {
    name: "Debian 12",
    letters: "De",
    family: "linux",
  });
  assert.deepEqual(systemOf({ osVariant: "win11" })?.family, "windows");
  assert.deepEqual(systemOf({ osType: "linux" })?.letters, "Li");
  assert.deepEqual(
    systemOf({ osVariant: "win2k22", guest: { hostname: "", osName: "", toldAt: 1 } })?.family,
    "windows",
  );
  assert.equal(systemOf({}), undefined);
  assert.equal(systemOf({ guest: { hostname: "", osName: "Plan 9", toldAt: 1 } })?.letters, "Os");
});

Deno.test("ownHostname() is told where it says more than the VM's name", () => {
  const of = (hostname: string) => ownHostname({ name: "web1", guest: { hostname, osName: "", toldAt: 1 } });
  assert.equal(of("WEB1"), undefined);
  assert.equal(of(""), undefined);
  assert.equal(of("shop.example"), "shop.example");
  assert.equal(ownHostname({ name: "web1" }), undefined);
});
