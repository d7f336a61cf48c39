/** Errors: disks and network interfaces. */
import type { ErrorKind } from "./kind.ts";

export const DEVICE_ERRORS = {
  NoSuchDisk: { text: "VM has no disk {target}", status: 404, exit: 4 },
  NoSuchNic: { text: "VM has no network interface with the MAC address {mac}", status: 404, exit: 4 },
  NicAmbiguous: {
    text: "Several network interfaces have the MAC address {mac}. Name one of them: {names}",
    status: 409,
    exit: 5,
  },
  NotLarger: { text: "new capacity must be larger", status: 400, exit: 2 },
  DiskExceedsPool: {
    text: "Disk size exceeds storage pool capacity (requested: {requested}GB, available: {available}GB)",
    status: 409,
    exit: 5,
  },
  VolumeNotFound: { text: "Volume not found: {name} (storage pool {pool})", status: 404, exit: 4 },
  VolumeExists: { text: "Volume already exists: {name} (storage pool {pool})", status: 409, exit: 5 },
  TargetTaken: { text: "The VM has a disk {target} already", status: 409, exit: 5 },
  NoFreeTarget: { text: "No more disks fit on the VM's {bus} bus", status: 409, exit: 5 },
  NotHotpluggable: {
    text:
      "This {device} on the {bus} bus cannot be added or removed while the VM runs. Do it for the next start " +
      "(persistent), or use virtio or scsi.",
    status: 409,
    exit: 5,
  },
  BusNotSupported: {
    text: "The VM's machine type ({machine}) has no {bus} bus. Use sata, scsi or virtio.",
    status: 409,
    exit: 5,
  },
  NoFreeSlot: {
    text:
      "The running VM has no free {slot} for a {device}. Add it for the next start (persistent): one is " +
      "made then.",
    status: 409,
    exit: 5,
  },
  LimitsNotSupported: {
    text:
      "A network interface of type {type} takes no limits: libvirt limits those on a network, a bridge or a network " +
      "device of the host. Plug it into one of these, or set its limits to 0.",
    status: 409,
    exit: 5,
  },
  NotRemovable: { text: "{target} is a disk, not a drive for media", status: 409, exit: 5 },
  NoUsbController: {
    text:
      "{name} has no USB controller, so it takes no USB {device}. Add a controller with kvm-manager vm edit, " +
      "or take another bus where there is one.",
    status: 409,
    exit: 5,
  },
  AttachFailed: { text: "Failed to attach {device}: {error}", status: 502, exit: 1 },
  DetachFailed: { text: "Failed to detach {device}: {error}", status: 502, exit: 1 },
  DeviceNotReleased: {
    text: "Failed to detach {device}: the guest {how}. Unmount it in the guest, or remove it " +
      "when the VM is off. It stays as it is; if the guest releases it later, it is back at the next start.",
    status: 409,
    exit: 5,
  },
  ShareExists: {
    text: "The VM has a shared folder with the tag {tag} already. Choose another tag.",
    status: 409,
    exit: 5,
  },
  NoSuchShare: { text: "VM has no shared folder with the tag {tag}", status: 404, exit: 4 },
  ShareNeedsRestart: {
    text:
      "The running VM cannot change this shared folder: {reason}. Do it for the next start (persistent), then shut " +
      "the VM down and start it.",
    status: 409,
    exit: 5,
  },
  ShareWhileSaved: {
    text:
      "The VM is suspended, and its saved state would go on with the shared folders it has now. Resume it, or " +
      "discard the saved state (vm discard-saved-memory), then change them.",
    status: 409,
    exit: 5,
  },
  HasSavedMemory: {
    text:
      "The VM is suspended, and its saved memory goes on with the disks and devices that it was saved with. Start the VM, or " +
      "discard its saved memory, first.",
    status: 409,
    exit: 5,
  },
  ShareMounted: {
    text:
      "The state of this VM cannot be saved while its guest has a shared folder mounted (9p). Unmount it in the guest " +
      "first, or shut the VM down instead.",
    status: 409,
    exit: 5,
  },
  ShareHinders: {
    text:
      "The state of this VM cannot be saved while it has a shared folder. Shut it down instead, or remove its " +
      "shared folders first.",
    status: 409,
    exit: 5,
  },
  ResizeFailed: { text: "Failed to resize disk: {error}", status: 502, exit: 1 },
  DiskNotMovable: { text: "Disk {target} ({path}) cannot be moved: {reason}", status: 409, exit: 5 },
  DiskMoveFailed: { text: "Failed to move disk {target}: {error}", status: 502, exit: 1 },
  MediaLocked: {
    text: "The guest has locked the drive {target}: eject the medium in the guest, or force it.",
    status: 409,
    exit: 5,
  },
  MediaFailed: { text: "Failed to change the medium: {error}", status: 502, exit: 1 },
  NetworkNotActive: { text: "Network is not active: {network}. Start it first.", status: 409, exit: 5 },
  HostInterfaceNotFound: { text: "The host has no network device {name}", status: 404, exit: 4 },
  FilterNotFound: { text: "Network filter not found: {filter}", status: 404, exit: 4 },
  InvalidMac: { text: "Invalid MAC address: {mac} ({reason})", status: 400, exit: 2 },
} as const satisfies Record<string, ErrorKind>;
