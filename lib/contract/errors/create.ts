/** Errors: making a VM. */
import type { ErrorKind } from "./kind.ts";

export const CREATE_ERRORS = {
  InvalidName: {
    text: "Invalid VM name: must be 1-64 characters, alphanumeric with dash/underscore only",
    status: 400,
    exit: 2,
  },
  InvalidCpuCount: { text: "Invalid CPU count: {n} (must be 1-256)", status: 400, exit: 2 },
  InvalidMemorySize: { text: "Invalid memory size: {n}MB (minimum 128MB)", status: 400, exit: 2 },
  InvalidDiskSize: { text: "Invalid disk size: {n}GB (minimum 1GB)", status: 400, exit: 2 },
  MemoryExceedsHost: {
    text: "Memory exceeds available host memory (requested: {requested}GB, available: {available}GB)",
    status: 409,
    exit: 5,
  },
  VmNameExists: { text: "VM name already exists: {name}", status: 409, exit: 5 },
  IsoNotFound: { text: "ISO file not found: {isoPath}", status: 404, exit: 4 },
  NetworkNotFound: { text: "Network not found: {network}", status: 404, exit: 4 },
  BridgeNotFound: { text: "Bridge not found: {bridge}", status: 404, exit: 4 },
  StoragePoolNotFound: { text: "Storage pool not found: {pool}", status: 404, exit: 4 },
  StoragePoolNotActive: {
    text: "Storage pool is not active: {pool}. Start it first.",
    status: 409,
    exit: 5,
  },
  StoragePoolReadOnly: {
    text: "Storage pool {pool} is read-only: its folder {path} is mounted read-only. " +
      "Mount it writable, or choose another storage pool.",
    status: 409,
    exit: 5,
  },
  DiskNotFound: { text: "Disk image not found: {path}", status: 404, exit: 4 },
  DiskInUse: { text: "Disk image is already used by {vm}: {path}", status: 409, exit: 5 },
  DiskIsBase: {
    text:
      "Disk {disk} is the base of {user}, which would be corrupted: {path}. Delete what is built on it first, " +
      "or work with a full clone.",
    status: 409,
    exit: 5,
  },
  DiskRefused: { text: "Disk image cannot be used: {path} ({reason})", status: 400, exit: 2 },
  MacInUse: { text: "MAC address is already used by {vm}: {mac}", status: 409, exit: 5 },
  FileNotFound: { text: "File not found: {path}", status: 404, exit: 4 },
  PathRefused: {
    text: "The path cannot be used: {path} ({reason}). Name another one.",
    status: 400,
    exit: 2,
  },
  NotOnThisHost: { text: "{what} is not available on this host: {reason}", status: 409, exit: 5 },
  DiskCreateFailed: { text: "Failed to create disk image: {error}", status: 502, exit: 1 },
  CreateFailed: { text: "Failed to create VM: {error}", status: 502, exit: 1 },
  NoSerialLine: {
    text: "VM has no serial line. Add a serial port of the type pty to it.",
    status: 409,
    exit: 5,
  },
  NoSuchSerialLine: { text: "VM has no serial line {line}: the last one is {most}", status: 404, exit: 4 },
  ScreenElsewhere: {
    text:
      "The VM's screen listens on host {host} and is not reached from here. Screens of hosts that are added by SSH open in the " +
      "browser; else use the VM's serial console, or KVM Manager on that host.",
    status: 409,
    exit: 5,
  },
  SerialElsewhere: {
    text:
      "The VM's serial line leads to a file or the network, so it cannot be opened here. Make its type pty.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
