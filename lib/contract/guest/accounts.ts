/** Accounts in a guest: passwords and SSH keys. All that a guest tells is its own word. */
import Type from "typebox";
import { command } from "../command.ts";
import { closed, NOTHING_OUT, oneOf, SECRET, VmId } from "../schema.ts";
import { ACCOUNTS, DOING, GuestAccount } from "./common.ts";

export const guestAccountCommands = {
  guest_set_password: command({
    summary: "Set the password of an account in a guest",
    ...ACCOUNTS,
    input: closed({
      vmId: VmId,
      user: GuestAccount,
      password: Type.String({ minLength: 1, maxLength: 512, ...SECRET }),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/password",
    cli: ["guest", "set-password", "<vmId>", "<user>"],
    readOnly: false,
  }),
  guest_ssh_keys: command({
    summary: "List the SSH keys that let in to an account in a guest",
    ...ACCOUNTS,
    input: closed({ vmId: VmId, user: GuestAccount }),
    output: Type.Array(Type.Object({ key: Type.String() })),
    errors: DOING,
    route: "GET /vms/{vmId}/guest/ssh-keys",
    cli: ["guest", "ssh-keys", "<vmId>", "<user>"],
    columns: ["key"],
    readOnly: true,
  }),
  guest_change_ssh_keys: command({
    summary: "Add SSH keys to an account in a guest, or remove them",
    ...ACCOUNTS,
    input: closed({
      vmId: VmId,
      user: GuestAccount,
      change: oneOf(["add", "remove"]),
      sshKeys: Type.Array(
        Type.String({
          minLength: 16,
          maxLength: 16_384,
          pattern: "^[A-Za-z0-9@._-]+ [A-Za-z0-9+/=]+( [^\\u0000-\\u001f\\u007f]*)?$",
          description: "as in authorized_keys, without options: ssh-ed25519 AAAA… ann@laptop",
        }),
        { minItems: 1, maxItems: 100 },
      ),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/ssh-keys",
    cli: ["guest", "change-ssh-keys", "<vmId>", "<user>", "<change>", "<sshKeys...>"],
    readOnly: false,
  }),
};
