/** KVM Manager's own element in a domain's metadata: it travels with the VM. */

/** Namespace of it. */
export const METADATA_URI = "urn:kvm-manager:vm:1";
/** Prefix of that namespace. */
export const METADATA_PREFIX = "kvmm";
/** Namespace and prefix of the mark of a running domain whose boot order is that of one start. */
export const ONCE_URI = "urn:kvm-manager:boot-once:1";
export const ONCE_PREFIX = "kvmm-once";
/** Attribute of a VM that is there for a while alone, for a purpose of ours, and in no list. */
export const THROW_AWAY = { name: "throw-away", value: "boot-test" } as const;
/** Attribute that says that the passwords of the VM's screens are made here, and are new at each start. */
export const SCREEN_PASSWORDS = { name: "screen-passwords", value: "generated" } as const;
/** Namespace and prefix of what the host's devices of a VM were when it was given them. */
export const DEVICES_URI = "urn:kvm-manager:host-devices:1";
export const DEVICES_PREFIX = "kvmm-devices";
/** Namespace and prefix of which images the disks of a VM took the place of, when a backup was restored. */
export const RESTORED_URI = "urn:kvm-manager:restored-disks:1";
export const RESTORED_PREFIX = "kvmm-restored";
