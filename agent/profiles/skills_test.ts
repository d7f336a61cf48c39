import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { checkSkill } from "./skills.ts";

const setPassword = (password: unknown) => [
  { command: "get_vms", input: {} },
  { command: "guest_set_password", input: { vmId: "{{vm}}", user: "ann", password } },
];

Deno.test("checkSkill(): secrets are parameters, wherever the command's schema has them", () => {
  const refused = (steps: Parameters<typeof checkSkill>[0], at: string) =>
    assert.throws(
      () => checkSkill(steps, ["vm", "password"]),
      (error) =>
        error instanceof ContractError && error.details?.field === at && /parameter/.test(error.message) &&
        !/hunter/.test(error.message),
      at,
    );
  for (const password of ["hunter-2", "x{{password}}", "{{password}}{{password}}", " {{password}}"]) {
    refused(setPassword(password), "steps.1.input.password");
  }
  refused(
    [{ command: "set_cloud_init", input: { vmId: "v", cloudInit: { userData: "#cloud-config hunter" } } }],
    "steps.0.input.cloudInit.userData",
  );
  checkSkill(setPassword("{{password}}"), ["vm", "password"]);
  checkSkill([{ command: "set_tags", input: { vmId: "{{vm}}", tags: ["password"] } }], ["vm"]);
});
