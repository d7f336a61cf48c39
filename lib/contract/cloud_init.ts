/**
 * Cloud-init: what a VM's first start sets up in the guest, handed over as a NoCloud seed (a small CD).
 *
 * Bounds that one field shows by itself are here; what takes more (SSH keys, addresses, YAML) is checked by
 * `lib/vm/cloud_init/check.ts`, with errors that name the field.
 */
import Type, { type Static } from "typebox";
import { KEPT_SECRET, MOST_SSH_KEYS, MOST_USERS, MOST_YAML_BYTES } from "./cloud_init_bounds.ts";
import { command } from "./command.ts";
import { ConfigFinding } from "./finding.ts";
import { closed, NO_OUTER_BLANK, NOTHING_OUT, oneOf, SECRET, Timestamp, VmId } from "./schema.ts";

/** A line of text without control characters, nor what only some programs take for the end of a line. */
const LINE = "[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$";
const line = (maxLength: number, options: Record<string, unknown> = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: `^${LINE}`, ...options });
/** A line without blanks at its ends, which a reader would not see. */
const name = (maxLength: number, options: Record<string, unknown> = {}) =>
  line(maxLength, { pattern: `${NO_OUTER_BLANK}${LINE}`, ...options });

export const SshKeys = Type.Array(Type.String({ minLength: 1, maxLength: 16_384 }), {
  maxItems: MOST_SSH_KEYS,
  description: "SSH public keys, as in authorized_keys",
});

export const CloudInitUser = closed({
  name: name(32, { description: "login name: a small letter or _, then small letters, digits, - and _" }),
  fullName: Type.Optional(name(128)),
  password: Type.Optional(line(256, {
    ...SECRET,
    description: "plain; hashed (SHA-512 crypt) on the server, kept and shown nowhere",
  })),
  passwordHash: Type.Optional(line(512, {
    ...SECRET,
    description: `crypt(3) hash instead of a password; ${KEPT_SECRET} keeps the one that is set`,
  })),
  sshKeys: Type.Optional(SshKeys),
  sudo: Type.Optional(oneOf(["none", "password", "nopasswd"], {
    description: "rights of root: none, after its password, or at once; none when left out",
  })),
  shell: Type.Optional(name(128, { description: "absolute path; /bin/bash when left out" })),
  groups: Type.Optional(Type.Array(line(32), { maxItems: 32 })),
});
export type CloudInitUser = Static<typeof CloudInitUser>;

export const CloudInitNic = closed({
  mac: Type.Optional(line(17, {
    description: "which interface; when left out, the VM's own in their order",
  })),
  dhcp4: Type.Optional(Type.Boolean()),
  dhcp6: Type.Optional(Type.Boolean()),
  addresses: Type.Optional(Type.Array(line(64), {
    maxItems: 32,
    description: "static addresses with their prefix length: 192.0.2.10/24, 2001:db8::10/64",
  })),
  gateway4: Type.Optional(line(64)),
  gateway6: Type.Optional(line(64)),
  nameservers: Type.Optional(Type.Array(line(64), { maxItems: 8 })),
  searchDomains: Type.Optional(Type.Array(line(253), { maxItems: 8 })),
});
export type CloudInitNic = Static<typeof CloudInitNic>;

/** The form: what most VMs need, without writing YAML. */
export const CloudInitForm = closed({
  hostname: Type.Optional(name(253, { description: "host name, or the fully qualified one" })),
  users: Type.Optional(Type.Array(CloudInitUser, { maxItems: MOST_USERS })),
  sshPasswordLogin: Type.Optional(
    Type.Boolean({ description: "log-in by password over SSH; no when left out" }),
  ),
  packages: Type.Optional(Type.Array(line(128), { maxItems: 200 })),
  packageUpdate: Type.Optional(Type.Boolean({ description: "fetch the package lists first" })),
  packageUpgrade: Type.Optional(Type.Boolean({ description: "bring what is installed up to date" })),
  runCommands: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 8192 }), {
    ...SECRET,
    maxItems: 100,
    description: "shell commands, run by root once, in their order",
  })),
  timezone: Type.Optional(name(64, { description: "Europe/Vienna" })),
  locale: Type.Optional(name(64, { description: "en_US.UTF-8" })),
});
export type CloudInitForm = Static<typeof CloudInitForm>;

/** Content of a seed: the form or a whole user-data document, and the network in addition. */
export const CloudInit = closed({
  form: Type.Optional(CloudInitForm),
  userData: Type.Optional(Type.String({
    ...SECRET,
    maxLength: MOST_YAML_BYTES,
    description: "the whole user-data instead of the form: YAML whose first line is #cloud-config",
  })),
  network: Type.Optional(Type.Array(CloudInitNic, {
    maxItems: 32,
    description: "one entry an interface; if left out, the guest's default applies (mostly DHCP)",
  })),
  networkConfig: Type.Optional(Type.String({
    ...SECRET,
    maxLength: MOST_YAML_BYTES,
    description: "the whole network-config (version 2) instead of `network`",
  })),
  metaData: Type.Optional(Type.Record(Type.String(), line(1024), {
    additionalProperties: false,
    maxProperties: 32,
    description: "further meta-data; the instance-id is made again with every change",
  })),
}, { description: "either `form` or `userData`; either `network` or `networkConfig`" });
export type CloudInit = Static<typeof CloudInit>;

/** The documents of a seed. */
export const CloudInitFiles = Type.Object({
  userData: Type.String(),
  metaData: Type.String(),
  networkConfig: Type.Optional(Type.String()),
});
export type CloudInitFiles = Static<typeof CloudInitFiles>;

export const CloudInitState = Type.Object({
  cloudInit: Type.Union([CloudInit, Type.Null()], {
    description: `what is set, secrets as ${KEPT_SECRET}; null when nothing is`,
  }),
  path: Type.Optional(Type.String({ description: "the seed on the host" })),
  target: Type.Optional(Type.String({ description: "the drive it is in: sda" })),
  instanceId: Type.Optional(Type.String({ description: "cloud-init runs again when it changes" })),
  changedAt: Type.Optional(Timestamp),
  files: Type.Optional(CloudInitFiles),
  warnings: Type.Array(ConfigFinding, { description: "what is worth knowing of what is set" }),
});
export type CloudInitState = Static<typeof CloudInitState>;

export const SetCloudInitResult = Type.Object({
  path: Type.String(),
  instanceId: Type.String(),
  applies: oneOf(["now", "next start"], {
    description: "whether the running VM has it already, or gets it with its next start",
  }),
  warnings: Type.Array(ConfigFinding),
});
export type SetCloudInitResult = Static<typeof SetCloudInitResult>;

export const cloudInitCommands = {
  get_cloud_init: command({
    summary: "Show what cloud-init is told to set up in a VM",
    description: `Without secrets: ${KEPT_SECRET} stands for each, and keeps it when it is given back.`,
    role: "operator",
    input: closed({ vmId: VmId }),
    output: CloudInitState,
    errors: ["VmNotFound", "CloudInitUnreadable"],
    route: "GET /vms/{vmId}/cloud-init",
    cli: ["vm", "cloud-init", "show", "<vmId>"],
    readOnly: true,
  }),
  set_cloud_init: command({
    summary: "Say what cloud-init sets up in a VM",
    description:
      "Makes the seed again with a new instance-id, so that cloud-init runs at the guest's next start.",
    role: "operator",
    input: closed({ vmId: VmId, cloudInit: CloudInit }),
    output: SetCloudInitResult,
    errors: ["VmNotFound", "VmNotPersistent", "CloudInitFailed", "CloudInitUnreadable"],
    route: "PUT /vms/{vmId}/cloud-init",
    cli: ["vm", "cloud-init", "set", "<vmId>"],
    alsoNeeds: [{ permission: "storage.view" }],
    readOnly: false,
  }),
  remove_cloud_init: command({
    summary: "Take a VM's cloud-init seed away",
    description: "What cloud-init has set up in the guest stays.",
    role: "operator",
    input: closed({ vmId: VmId }),
    output: NOTHING_OUT,
    errors: ["VmNotFound", "CloudInitNotSet", "CloudInitFailed"],
    route: "DELETE /vms/{vmId}/cloud-init",
    cli: ["vm", "cloud-init", "remove", "<vmId>"],
    readOnly: false,
  }),
  preview_cloud_init: command({
    summary: "Show the documents a cloud-init seed would hold",
    description: "Checks everything and changes nothing; secrets are not shown.",
    role: "operator",
    input: closed({
      vmName: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
      vmId: Type.Optional(VmId),
      cloudInit: CloudInit,
    }),
    output: CloudInitFiles,
    errors: ["VmNotFound"],
    route: "POST /cloud-init/preview",
    cli: ["vm", "cloud-init", "preview"],
    readOnly: true,
  }),
};
