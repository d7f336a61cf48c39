/** Software in a guest: installed packages and security. All of it is the guest's own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { closed, VmId } from "../schema.ts";
import { DOING, OneVm } from "./common.ts";

export const GuestPackage = Type.Object({
  name: Type.String(),
  version: Type.String(),
  architecture: Type.String(),
  upgrade: Type.Optional(Type.String({ description: "the version that the guest could go to" })),
});
export type GuestPackage = Static<typeof GuestPackage>;

export const GuestPackages = Type.Object({
  manager: Type.String({ description: "dpkg, rpm, apk, pacman" }),
  total: Type.Integer({ description: "packages that are installed" }),
  upgrades: Type.Integer({ description: "of these, how many could be upgraded, by the guest's own lists" }),
  packages: Type.Array(GuestPackage),
  hasMore: Type.Boolean({ description: "more follow: ask with a larger offset" }),
});
export type GuestPackages = Static<typeof GuestPackages>;

export const GuestSecurity = Type.Object({
  selinux: Type.String({ description: "enforcing, permissive, disabled" }),
  apparmor: Type.String({ description: "enabled, disabled" }),
  apparmorProfiles: Type.Integer(),
  lockdown: Type.String({ description: "of the kernel: none, integrity, confidentiality" }),
  secureBoot: Type.String({ description: "enabled, disabled, unsupported" }),
  rebootRequired: Type.Boolean({ description: "an upgrade waits for a reboot" }),
});
export type GuestSecurity = Static<typeof GuestSecurity>;

export const guestPackageCommands = {
  guest_get_packages: command({
    summary: "List what is installed in a guest, and what could be upgraded",
    description:
      "From the guest's own lists: nothing is downloaded. KVM Manager's agent does it, in Linux guests.",
    role: "viewer",
    input: closed({
      vmId: VmId,
      upgradesOnly: Type.Optional(Type.Boolean({ default: false })),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "1000 when left out" })),
    }),
    output: GuestPackages,
    errors: DOING,
    route: "GET /vms/{vmId}/guest/packages",
    cli: ["guest", "packages", "<vmId>"],
    rows: "packages",
    columns: ["name", "version", "upgrade", "architecture"],
    readOnly: true,
  }),
  guest_get_security: command({
    summary: "Show what protects a guest, and whether it waits for a reboot",
    description: "KVM Manager's agent does it.",
    role: "viewer",
    input: OneVm,
    output: GuestSecurity,
    errors: DOING,
    route: "GET /vms/{vmId}/guest/security",
    cli: ["guest", "security", "<vmId>"],
    readOnly: true,
  }),
};
