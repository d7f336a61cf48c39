/** The services of a guest. All that a guest tells is its own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { closed, NOTHING_OUT, oneOf, VmId } from "../schema.ts";
import { DOING, EXEC, OneVm } from "./common.ts";

export const SERVICE_STATES = ["running", "exited", "stopped", "failed", "changing", "unknown"] as const;

export const GuestUnit = Type.Object({
  name: Type.String(),
  description: Type.String(),
  state: oneOf(SERVICE_STATES, { description: "exited: it did its work and ended, as it should" }),
  startup: Type.String({ description: "enabled, disabled, manual, static, masked; may be empty" }),
});
export type GuestUnit = Static<typeof GuestUnit>;

/** Actions on a service. */
export const SERVICE_ACTIONS = ["start", "stop", "restart", "reload", "enable", "disable"] as const;

export const guestServiceCommands = {
  guest_get_services: command({
    summary: "List a guest's services",
    description: "KVM Manager's agent does it.",
    role: "viewer",
    input: OneVm,
    output: Type.Array(GuestUnit),
    errors: DOING,
    route: "GET /vms/{vmId}/guest/services",
    cli: ["guest", "services", "<vmId>"],
    columns: ["name", "state", "startup", "description"],
    readOnly: true,
  }),
  guest_control_service: command({
    summary: "Start, stop or restart a service in a guest, or change whether it starts with it",
    description: "KVM Manager's agent does it.",
    ...EXEC,
    input: closed({
      vmId: VmId,
      name: Type.String({
        minLength: 1,
        maxLength: 256,
        pattern: "^[A-Za-z0-9_@:.][A-Za-z0-9_@:.\\\\ -]*$",
        description: "as guest_get_services calls it",
      }),
      action: oneOf(SERVICE_ACTIONS),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/services/{name}",
    cli: ["guest", "service", "<vmId>", "<action>", "<name>"],
    readOnly: false,
  }),
};
