import assert from "node:assert/strict";
import { addressed, isPicture, PLAIN, TEMPLATES, vmAddress } from "./resources.ts";

Deno.test("addressed() takes what the contract reads by GET, with its fields, and nothing else", () => {
  const at = (uri: string) => {
    const found = addressed(uri);
    return found && [found.route.name, found.input];
  };
  assert.deepEqual(at(vmAddress("a/b c")), ["get_vm", { vmId: "a/b c" }]);
  assert.deepEqual(at("kvm-manager://vms/x/screenshot?thumbnail=true"), [
    "screenshot_vm",
    { vmId: "x", thumbnail: true },
  ]);
  assert.deepEqual(at("kvm-manager://vms"), ["get_vms", {}]);
  for (
    const wrong of [
      ...["", "kvm-manager://", "file:///etc/passwd", "kvm-manager://vms/", "kvm-manager://vms/%zz"],
      ...["kvm-manager://vms/x/start", "kvm-manager://vms/x?nothing=1", "kvm-manager://setup-link"],
      `kvm-manager://vms/${"x".repeat(3000)}`,
    ]
  ) {
    assert.equal(at(wrong), undefined, wrong);
  }
});

Deno.test("TEMPLATES begin with those of a VM; pictures are told as such", () => {
  assert.match(TEMPLATES[0]!.uriTemplate, /^kvm-manager:\/\/vms\/\{vmId\}/);
  const pictures = TEMPLATES.filter(({ route }) => isPicture(route.command)).map(({ route }) => route.name);
  assert.deepEqual(pictures.toSorted(), ["get_backup_screen", "screenshot_vm"]);
  assert.ok(PLAIN.every(({ uriTemplate }) => !uriTemplate.includes("{")));
});
