/** Values that host and guest leave for each other. All that a guest tells is its own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { closed, NOTHING_OUT, SECRET, VmId } from "../schema.ts";
import { DOING, OneVm } from "./common.ts";

/** Values there are at most, and characters of a key and of a value. */
export const GUEST_METADATA = { most: 64, key: 64, value: 4096 } as const;

export const GuestMetadatum = Type.Object({ key: Type.String(), value: Type.String() });
export type GuestMetadatum = Static<typeof GuestMetadatum>;

export const guestMetadataCommands = {
  guest_get_metadata: command({
    summary: "List the values that host and guest have left for each other",
    description:
      "The guest reads and writes them with `kvm-manager-agent metadata`. KVM Manager's agent keeps them, in the guest.",
    role: "operator",
    input: OneVm,
    output: Type.Array(GuestMetadatum),
    errors: DOING,
    route: "GET /vms/{vmId}/guest/metadata",
    cli: ["guest", "metadata", "<vmId>"],
    columns: ["key", "value"],
    readOnly: true,
  }),
  guest_set_metadata: command({
    summary: "Leave a value for a guest, or take one away",
    description:
      `Up to ${GUEST_METADATA.most} values. Everybody in the guest who may run its agent reads them: they are no place for secrets.`,
    role: "operator",
    input: closed({
      vmId: VmId,
      key: Type.String({
        minLength: 1,
        maxLength: GUEST_METADATA.key,
        pattern: "^[A-Za-z0-9._-]+$",
        description: "letters, digits, dots, dashes, underscores",
      }),
      value: Type.String({
        maxLength: GUEST_METADATA.value,
        description: "empty: it is taken away; the audit log does not keep it",
        ...SECRET,
      }),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "PUT /vms/{vmId}/guest/metadata/{key}",
    cli: ["guest", "set-metadata", "<vmId>", "<key>", "<value>"],
    readOnly: false,
  }),
};
