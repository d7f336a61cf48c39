import assert from "node:assert/strict";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { requireOwnDefinition } from "./promotion.ts";

const OWN = { vmId: "0b56f4d2-3c65-4a0f-9b3d-9a3d5f3c9d10", vmName: "web1" };
const definition = (uuid: string, name: string) =>
  new XmlDocument(
    `<domain type="kvm"><name>${name}</name><uuid>${uuid}</uuid><devices><disk type="file"/></devices></domain>`,
  );

Deno.test("a replica becomes the VM that it is of, under the name that was found to be free", () => {
  for (const name of ["web1", "payroll", " web1", "a &amp; b", ""]) {
    const document = definition(OWN.vmId, name);
    requireOwnDefinition(document, OWN);
    assert.equal(document.toString(), definition(OWN.vmId, "web1").toString(), name);
  }
});

Deno.test("a replica whose definition is that of another VM, or of none, becomes no VM", () => {
  const refused = { code: "ReplicationNotPossible" };
  for (const uuid of ["0b56f4d2-3c65-4a0f-9b3d-9a3d5f3c9d11", "", OWN.vmId.toUpperCase()]) {
    assert.throws(() => requireOwnDefinition(definition(uuid, "web1"), OWN), refused, uuid);
  }
  const nameless = new XmlDocument(`<domain><uuid>${OWN.vmId}</uuid></domain>`);
  assert.throws(() => requireOwnDefinition(nameless, OWN), refused);
  const unknown = new XmlDocument("<domain><name>web1</name></domain>");
  assert.throws(() => requireOwnDefinition(unknown, OWN), refused);
});
