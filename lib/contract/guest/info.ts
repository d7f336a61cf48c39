/** Facts about a guest: its system, addresses, file systems, and signed-in users. All of it is the guest's own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { ForeignTimestamp, oneOf } from "../schema.ts";
import { ASKING, OneVm } from "./common.ts";

export const GUEST_OS_TYPES = ["linux", "windows", "other"] as const;

export const GuestInfo = Type.Object({
  osType: oneOf(GUEST_OS_TYPES),
  osVersion: Type.String({
    description: "as the guest calls it: Debian GNU/Linux 12 (bookworm); may be empty",
  }),
  osId: Type.Optional(Type.String({ description: "debian, fedora, mswindows, …" })),
  hostname: Type.String({ description: "may be empty" }),
  ipAddresses: Type.Array(Type.String()),
  macAddresses: Type.Array(Type.String()),
  kernelVersion: Type.Optional(Type.String()),
  architecture: Type.Optional(Type.String()),
  timeZone: Type.Optional(Type.String()),
  utcOffsetSeconds: Type.Optional(Type.Integer()),
});
export type GuestInfo = Static<typeof GuestInfo>;

export const GuestInterface = Type.Object({
  name: Type.String(),
  mac: Type.Optional(Type.String()),
  addresses: Type.Array(Type.String({ description: "with the prefix: 192.0.2.7/24" })),
});
export type GuestInterface = Static<typeof GuestInterface>;

export const GuestFilesystem = Type.Object({
  name: Type.String({ description: "the device, as the guest calls it" }),
  mountpoint: Type.String(),
  type: Type.String(),
  totalBytes: Type.Optional(Type.Integer()),
  usedBytes: Type.Optional(Type.Integer()),
  disks: Type.Array(Type.String({ description: "disks of the VM that it is on: vda" })),
});
export type GuestFilesystem = Static<typeof GuestFilesystem>;

export const UserInfo = Type.Object({
  name: Type.String(),
  domain: Type.Optional(Type.String({ description: "of Windows" })),
  since: Type.Optional(ForeignTimestamp),
});
export type UserInfo = Static<typeof UserInfo>;

export const guestInfoCommands = {
  guest_get_info: command({
    summary: "Show a guest's system",
    role: "viewer",
    input: OneVm,
    output: GuestInfo,
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/info",
    cli: ["guest", "info", "<vmId>"],
    readOnly: true,
  }),
  guest_get_network_info: command({
    summary: "List a guest's network interfaces and addresses",
    role: "viewer",
    input: OneVm,
    output: Type.Array(GuestInterface),
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/network",
    cli: ["guest", "network", "<vmId>"],
    columns: ["name", "mac", "addresses"],
    readOnly: true,
  }),
  guest_get_disk_usage: command({
    summary: "List a guest's file systems and how full they are",
    role: "viewer",
    input: OneVm,
    output: Type.Array(GuestFilesystem),
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/filesystems",
    cli: ["guest", "filesystems", "<vmId>"],
    columns: ["mountpoint", "type", "usedBytes", "totalBytes", "name"],
    readOnly: true,
  }),
  guest_get_users: command({
    summary: "List who is signed in in a guest",
    role: "viewer",
    input: OneVm,
    output: Type.Array(UserInfo),
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/users",
    cli: ["guest", "users", "<vmId>"],
    columns: ["name", "domain", "since"],
    readOnly: true,
  }),
};
