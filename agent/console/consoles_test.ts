import assert from "node:assert/strict";
import type { Rights } from "../../lib/access/rights.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { principalOf } from "../access.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import { Consoles } from "./consoles.ts";

Deno.test("A member of a project takes the console of its VM, and none once the VM is in another project", async () => {
  const far = { id: "far", run: () => Promise.resolve({ ticket: "t" }) } as unknown as LinkedHost;
  let project: string | undefined = "p";
  const consoles = new Consoles(
    { withVm: () => undefined } as unknown as HostRegistry,
    { withVm: () => far },
    () => ({ name: "v", group: "", hostId: "far", project, networkInterfaces: [] }),
    () => assert.fail("no request comes"),
  );
  const rights: Rights = [[{
    permissions: permissionsOf("operator"),
    on: { kind: "project", project: "p" },
  }]];
  const principal = principalOf({ name: "ann", userId: "u", door: "page", via: "session", rights });
  const taken = async () => {
    const { ticket } = await consoles.openOn(far, { vmId: "v", kind: "vnc" }, { principal });
    return consoles.attach({ kind: "vnc", vmId: "v", ticket }, principal);
  };
  assert.equal(typeof await taken(), "function");
  for (project of ["q", undefined]) {
    await assert.rejects(taken(), (error) => error instanceof ContractError && error.code === "Forbidden");
  }
});
