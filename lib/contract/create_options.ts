/** Choices for a new VM on a host: the answer that the wizard is built from. */
import Type, { type Static } from "typebox";
import { DISK_BUSES, DISK_FORMATS, FIRMWARES, NIC_MODELS, VIDEO_MODELS } from "./choices.ts";
import { oneOf, SentenceText } from "./schema.ts";

/** Something the host can do, or why it cannot. */
export const Choice = Type.Object({
  id: Type.String(),
  available: Type.Boolean(),
  reason: Type.Optional(SentenceText({ description: "why it is not available, and what to do" })),
});
export type Choice = Static<typeof Choice>;

const Choices = Type.Array(Choice);
const Names = Type.Array(Type.String());
const Bytes = Type.Union([Type.Integer(), Type.Null()], { description: "null while unknown" });

/** Defaults for an operating system. */
export const OsDefaults = Type.Object({
  cpuCount: Type.Integer(),
  memoryMb: Type.Integer(),
  diskSizeGb: Type.Integer(),
  minimumMemoryMb: Type.Optional(Type.Integer()),
  minimumDiskGb: Type.Optional(Type.Integer()),
  diskBus: oneOf(DISK_BUSES),
  nicModel: oneOf(NIC_MODELS),
  video: oneOf(VIDEO_MODELS),
  machine: Type.String({ description: "q35 or pc" }),
  firmware: oneOf(FIRMWARES),
  tpm: Type.Boolean(),
  localClock: Type.Boolean({ description: "the hardware clock shows local time, as Windows has it" }),
});
export type OsDefaults = Static<typeof OsDefaults>;

export const CreateOptions = Type.Object({
  virtType: Type.String({ description: "what a new VM gets when nothing is said: kvm, qemu" }),
  virtTypes: Choices,
  arches: Names,
  arch: Type.String({ description: "the one the rest is told for" }),
  machines: Type.Array(Type.Object({ name: Type.String(), canonical: Type.Optional(Type.String()) })),
  machine: Type.String({ description: "the one the rest is told for" }),
  maxCpus: Type.Union([Type.Integer(), Type.Null()]),
  firmwares: Choices,
  tpm: Choice,
  cpuModes: Choices,
  cpuModels: Type.Array(Type.Object({ name: Type.String(), usable: Type.Boolean() })),
  diskBuses: Names,
  nicModels: Names,
  videoModels: Names,
  graphics: Choices,
  soundModels: Names,
  watchdogs: Names,
  networks: Type.Array(Type.Object({
    name: Type.String(),
    active: Type.Boolean(),
    forward: Type.String({ description: "nat, route, bridge, open, …; isolated for none" }),
    bridge: Type.Optional(Type.String()),
  })),
  network: Type.Union([Type.String(), Type.Null()], {
    description: "what a new VM gets when nothing is said",
  }),
  bridges: Type.Array(Type.String(), { description: "bridges of the host that no libvirt network made" }),
  pools: Type.Array(Type.Object({
    name: Type.String(),
    active: Type.Boolean(),
    formats: Type.Array(oneOf(DISK_FORMATS)),
    capacityBytes: Bytes,
    availableBytes: Bytes,
  })),
  pool: Type.Union([Type.String(), Type.Null()], {
    description: "where disks go when nothing is said; null when the default pool would be made first",
  }),
  isos: Type.Array(Type.Object({
    path: Type.String(),
    pool: Type.String(),
    name: Type.String(),
    sizeBytes: Type.Integer(),
  })),
  host: Type.Object({
    cpus: Type.Integer({ description: "threads" }),
    memoryMb: Type.Integer(),
  }),
});
export type CreateOptions = Static<typeof CreateOptions>;
