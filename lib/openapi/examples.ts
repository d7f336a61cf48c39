/** Examples of what commands take and give, made from their schemas: documentation shows them, tests check them. Pure. */
import type { TSchema } from "typebox";
import type { Command } from "../contract/command.ts";

interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly description?: string;
}

/** 2026-01-15, ten o'clock. */
const TIME = 1_768_471_200_000;
const ID = "6f1d3f3e-9a53-4c1e-8d6e-0c6a2a3b4c5d";

/** Example values for fields of these names, if the schema allows them. */
const VALUES: Readonly<Record<string, unknown>> = {
  id: ID,
  uuid: ID,
  vmId: ID,
  userId: ID,
  tokenId: ID,
  sessionId: ID,
  jobId: ID,
  scheduleId: ID,
  backupId: ID,
  runId: ID,
  backupTargetId: ID,
  endpoint: "https://s3.example.org",
  bucket: "vms",
  certificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
  privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
  folder: "/mnt/backup",
  filesystem: "/dev/sda1",
  templateId: ID,
  time: "03:30",
  timeZone: "Europe/Berlin",
  language: "de",
  cron: "30 3 * * 1-5",
  at: "2026-12-24T18:00",
  frequency: "daily",
  targets: { vmIds: [], tags: ["production"], groups: [] },
  name: "web1",
  vmName: "web1",
  userName: "ann",
  actor: "ann",
  displayName: "Ann Arbor",
  hostname: "web1",
  title: "Web server",
  description: "Serves the shop",
  group: "web",
  tags: ["production"],
  mac: "52:54:00:12:34:56",
  newMac: "52:54:00:12:34:57",
  ip: "192.168.122.10",
  ipAddress: "192.168.122.10",
  ipAddresses: ["192.168.122.10"],
  address: "192.168.122.1/24",
  channel: "webhook",
  mailFrom: "kvm-manager@example.org",
  mailTo: ["ops@example.org"],
  network: "default",
  bridge: "virbr0",
  pool: "default",
  targetPool: "default",
  volume: "web1.qcow2",
  path: "/var/lib/libvirt/images/web1.qcow2",
  format: "qcow2",
  device: "0781:5581",
  target: "vda",
  bus: "virtio",
  xml: "<domain type='kvm'>…</domain>",
  uri: "qemu:///system",
  destination: "root@kvm2",
  url: "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2",
  duid: "00:03:00:01:52:54:00:12:34:56",
  published: "2026-11-24",
  checksumUrl: "https://cloud.debian.org/images/cloud/bookworm/latest/SHA512SUMS",
  keys: ["ctrl", "alt", "del"],
  role: "operator",
  permission: "vms.operate",
  sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2h4Z1d8W8yBvC0l5u3bX7yJk1f0dYw8h2mN3pQ4rS5 ann@laptop"],
  mode: "0644",
  env: ["LANG=C.UTF-8"],
  mountpoints: ["/"],
  permissions: ["vms.view", "vms.operate"],
  command: "clone_vm",
  action: "start_vm",
  area: "cpu",
  hostPort: 8080,
  hostPortEnd: 8080,
  targetPort: 80,
  targetPortEnd: 80,
  cpuCount: 2,
  maxCpuCount: 4,
  memoryMb: 2048,
  maxMemoryMb: 4096,
  sizeGb: 20,
  diskSizeGb: 20,
  capacityBytes: 21_474_836_480,
  allocationBytes: 2_147_483_648,
  availableBytes: 107_374_182_400,
  progress: 0.42,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  checksum: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  password: "correct horse battery staple",
  current: "correct horse battery staple",
  code: "123456",
  message: "VM is not running",
  start: "192.168.122.2",
  end: "192.168.122.254",
  cidr: "192.168.122.0/24",
  host: "nas.example.org",
  cloudInit: { form: { hostname: "web1" } },
};

const fits = (node: Node, value: unknown) =>
  Array.isArray(value)
    ? node.type === "array"
    : node.type === (typeof value === "number" && Number.isInteger(value)
      ? node.type === "number" ? "number" : "integer"
      : typeof value);

/**
 * A value that a schema allows.
 *
 * @param field how it is called, for something better than any value
 * @param whole every field of objects, not the needed ones alone
 */
export function exampleOf(schema: TSchema, field = "", whole = true): unknown {
  return made(schema as Node, field, whole);
}

function made(node: Node, field: string, whole: boolean): unknown {
  if (node.const !== undefined) return node.const;
  if (node.enum) return node.enum.includes(VALUES[field]) ? VALUES[field] : node.enum[0];
  if (node.anyOf) return made(node.anyOf.find(({ type }) => type !== "null") ?? node.anyOf[0]!, field, whole);
  if (Object.hasOwn(VALUES, field) && fits(node, VALUES[field])) return VALUES[field];
  if (node.default !== undefined) return node.default;
  switch (node.type) {
    case "object": {
      const { properties = {}, required = [] } = node;
      const shown = Object.entries(properties).filter(([name]) => whole || required.includes(name));
      return Object.fromEntries(shown.map(([name, part]) => [name, made(part, name, whole)]));
    }
    case "array":
      return !whole && !node.minItems ? [] : [made(node.items ?? {}, field.replace(/s$/, ""), whole)];
    case "integer":
    case "number":
      if (node.description?.startsWith("milliseconds since 1970")) return TIME;
      return Math.min(Math.max(node.minimum ?? 0, 1), node.maximum ?? Infinity);
    case "boolean":
      return true;
    case "string":
      return "text".padEnd(node.minLength ?? 0, "x");
    default:
      return null;
  }
}

/** Example input of a command: its required fields, and instructive ones. */
export function inputExample(command: Command): Record<string, unknown> {
  const { properties = {}, required = [] } = command.input as Node;
  const shown = Object.entries(properties).filter(([field]) =>
    required.includes(field) || command.exampleFields?.includes(field)
  );
  return Object.fromEntries(shown.map(([field, part]) => [field, made(part, field, false)]));
}
