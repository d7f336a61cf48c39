import assert from "node:assert/strict";
import { addressFrom, hrefOn, splitHost } from "./host_path.ts";

Deno.test("addressFrom() keeps links, forms and files of a host's pages on that host", () => {
  const onLab = (address: string) => addressFrom({ id: "lab", isLinked: false }, address);
  assert.equal(onLab("/"), "/hosts/lab/");
  assert.equal(onLab("/?range=1h"), "/hosts/lab/?range=1h");
  assert.equal(onLab("/networks/x"), "/hosts/lab/networks/x");
  assert.equal(
    onLab("/do/delete_network?name=x&to=%2Fnetworks"),
    "/hosts/lab/do/delete_network?name=x&to=%2Fnetworks",
  );
  assert.equal(onLab("/vms"), "/hosts/lab/vms");
  assert.equal(onLab("/vms/new"), "/hosts/lab/vms/new");
  assert.equal(onLab("/vms/import-ova"), "/hosts/lab/vms/import-ova");
  assert.equal(
    onLab("/api/v1/storage/pools/p/volumes/v/content?inline=1"),
    "/api/v1/storage/pools/p/volumes/v/content?inline=1&host=lab",
  );
  assert.equal(onLab("/api/v1/commands/get_vms"), "/api/v1/commands/get_vms?host=lab");
});

Deno.test("addressFrom() keeps what a host's own KVM Manager has on that host", () => {
  const onFar = (address: string) => addressFrom({ id: "far", isLinked: true }, address);
  assert.equal(onFar("/alerts?state=firing"), "/hosts/far/alerts?state=firing");
  assert.equal(onFar("/backups/1"), "/hosts/far/backups/1");
  assert.equal(onFar("/networks"), "/hosts/far/networks");
  for (const address of ["/settings/users", "/tasks", "/alertsx", "/vms/0b3f"]) {
    assert.equal(onFar(address), address);
  }
});

Deno.test("addressFrom() leaves what is about a VM, all hosts or none", () => {
  for (
    const address of [
      "/vms/0b3f/network",
      "/vms/newest/console",
      "/settings/users",
      "/tasks",
      "/alerts",
      "/styles/main.css",
      ...["/sign-out", "/api/v1/events", "/api/v1/reference", "/api/v1/vms/0b3f/screenshot", "/networksx"],
    ]
  ) assert.equal(addressFrom({ id: "lab", isLinked: false }, address), address);
});

Deno.test("addressFrom() changes nothing on pages of the local host", () => {
  for (const address of ["/", "/networks/x", "/do/start_vm?vmId=1", "/api/v1/commands/get_vms"]) {
    assert.equal(addressFrom({ id: "local", isLinked: false }, address), address);
  }
});

Deno.test("hrefOn() names a host from any page, the local one too", () => {
  assert.equal(
    addressFrom({ id: "local", isLinked: false }, hrefOn("lab", "/networks/x")),
    "/hosts/lab/networks/x",
  );
  assert.equal(
    addressFrom({ id: "other", isLinked: false }, hrefOn("lab", "/networks/x")),
    "/hosts/lab/networks/x",
  );
  assert.equal(
    addressFrom({ id: "lab", isLinked: false }, hrefOn("local", "/networks/x?a=1")),
    "/networks/x?a=1",
  );
  assert.equal(addressFrom({ id: "lab", isLinked: false }, hrefOn("local", "/")), "/");
  assert.equal(addressFrom({ id: "lab", isLinked: false }, hrefOn("other", "/vms/0b3f")), "/vms/0b3f");
  assert.equal(
    addressFrom({ id: "lab", isLinked: false }, hrefOn("other", "/api/v1/networks")),
    "/api/v1/networks?host=other",
  );
  assert.equal(
    addressFrom({ id: "lab", isLinked: false }, hrefOn("a b/c", "/storage")),
    "/hosts/a%20b%2Fc/storage",
  );
});

Deno.test("splitHost() takes the host off a path, and no other first part", () => {
  assert.deepEqual(splitHost("/hosts/lab/networks/x"), { host: "lab", path: "/networks/x" });
  assert.deepEqual(splitHost("/hosts/lab"), { host: "lab", path: "/" });
  assert.deepEqual(splitHost("/hosts/a%20b%2Fc/"), { host: "a b/c", path: "/" });
  assert.deepEqual(splitHost("/hosts/%zz/x"), { host: "%zz", path: "/x" });
  for (const path of ["/", "/networks", "/hosts", "/hosts/"]) assert.deepEqual(splitHost(path), { path });
});
