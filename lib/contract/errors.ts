/**
 * Every error the system can answer with: code → text, HTTP status, CLI exit status.
 *
 * Texts are CONTRACT.md's, word for word; `{name}` places are filled from the error's details.
 */

import { fill } from "../i18n/fill.ts";

/** What one error code means at each door. */
export interface ErrorKind {
  /** The exact text; `{key}` is replaced by `details.key`. */
  readonly text: string;
  /** HTTP status (RFC 9110). */
  readonly status: number;
  /** Exit status of the command line. 2 usage, 3 unavailable, 4 not found, 5 conflict, 6 denied, 1 the rest. */
  readonly exit: number;
}

/** The one table of errors. Adding a code here is all it takes for every door to know it. */
export const ERRORS = {
  // Input
  InvalidInput: { text: "Invalid input: {reason}", status: 400, exit: 2 },
  InvalidJson: { text: "The request body is not valid JSON: {reason}", status: 400, exit: 2 },
  UnsupportedMediaType: {
    text: "Send the input as JSON (Content-Type: application/json)",
    status: 415,
    exit: 2,
  },
  EncodedBody: {
    text: "The request body came with {header}. Send it as it is, without that header.",
    status: 415,
    exit: 2,
  },
  FileExpected: {
    text: "The request body is a form ({type}). Send the file itself as the body: curl -T FILE.",
    status: 415,
    exit: 2,
  },
  PreconditionFailed: {
    text: "The content has changed: its ETag is {tag} now, and If-Match names another",
    status: 412,
    exit: 5,
  },
  RangeNotSatisfiable: {
    text: "The range {range} begins beyond the end: the content has {size} bytes",
    status: 416,
    exit: 2,
  },
  BodyTooLarge: { text: "The request body is larger than {limit} bytes", status: 413, exit: 2 },
  LengthRequired: { text: "Say how long the request body is (Content-Length)", status: 411, exit: 2 },
  BodyTimeout: {
    text: "The request body did not arrive within {seconds} seconds",
    status: 408,
    exit: 1,
  },
  UnknownCommand: { text: "Unknown command: {command}", status: 404, exit: 2 },
  NotFound: { text: "Nothing is at {path}", status: 404, exit: 4 },
  MethodNotAllowed: { text: "{method} is not allowed at {path}", status: 405, exit: 2 },
  ForeignOrigin: {
    text: "This request came from another site ({origin}) and was refused",
    status: 403,
    exit: 6,
  },
  ForeignHost: {
    text: "This server does not answer for the host name {host}",
    status: 421,
    exit: 6,
  },
  PlainHttp: {
    text:
      "The reverse proxy passed on a request for {host} that came to it without TLS. Serve HTTPS there, and let it set X-Forwarded-Proto",
    status: 403,
    exit: 6,
  },
  Forbidden: { text: "This needs the role {role}", status: 403, exit: 6 },

  // Access
  NotSignedIn: { text: "Sign in first", status: 401, exit: 6 },
  TokenInvalid: {
    text: "The API token is wrong, has expired or was revoked. Create another one.",
    status: 401,
    exit: 6,
  },
  SignInFailed: { text: "Name, password or code is wrong", status: 403, exit: 6 },
  PasswordNeeded: {
    text: "Confirm that it is you first, with your present password or a passkey. It holds for five minutes.",
    status: 403,
    exit: 6,
  },
  SignInExpired: { text: "This sign-in is over. Begin again.", status: 403, exit: 6 },
  TooManyAttempts: {
    text: "Too many attempts. Wait {seconds} seconds, then try again.",
    status: 429,
    exit: 6,
  },
  HostAccount: {
    text: "{name} is an account of the host: change its password and groups there",
    status: 409,
    exit: 5,
  },
  PasskeyNotFound: { text: "Passkey not found: {passkeyId}", status: 404, exit: 4 },
  PasskeyRefused: { text: "The passkey cannot be taken: {reason}", status: 400, exit: 2 },
  PasskeyNeedsName: {
    text: "Passkeys belong to a host name, and {host} is an address. Open KVM Manager by its name, " +
      "or at http://localhost on the host itself (ssh -L).",
    status: 409,
    exit: 5,
  },
  WrongDoor: { text: "Sign in where pages are: this way in has no sessions", status: 400, exit: 2 },
  WeakPassword: {
    text: "Choose another password: {reason}. Several words in a row are good ones.",
    status: 400,
    exit: 2,
  },
  SetupKey: {
    text: "This setup link has expired or was already used. Get a new one as root: kvm-manager setup-link",
    status: 403,
    exit: 6,
  },
  NoAccount: {
    text: "Only a signed-in user can do this, with an account of their own. Sign in on the pages.",
    status: 403,
    exit: 6,
  },
  SecondFactorOn: { text: "One-time codes are on already. Switch them off first.", status: 409, exit: 5 },
  UserNotFound: { text: "User not found: {userId}", status: 404, exit: 4 },
  UserExists: { text: "User name already exists: {name}", status: 409, exit: 5 },
  LastAdministrator: {
    text: "{name} is the last administrator who can sign in. Make another one first.",
    status: 409,
    exit: 5,
  },
  SessionNotFound: { text: "Session not found: {sessionId}", status: 404, exit: 4 },
  TokenNotFound: { text: "API token not found: {tokenId}", status: 404, exit: 4 },
  RoleNotFound: { text: "Role not found: {role}", status: 404, exit: 4 },
  RoleExists: { text: "Role already exists: {role}", status: 409, exit: 5 },
  RoleBuiltIn: { text: "The role {role} is built in and stays as it is", status: 409, exit: 5 },
  RoleInUse: { text: "The role {role} is granted to {who}. Take it away there first.", status: 409, exit: 5 },
  PermissionNotGrantable: {
    text: "{permission} is no permission that a role of one's own may have",
    status: 400,
    exit: 2,
  },

  // VMs
  VmNotFound: { text: "VM not found: {vmId}", status: 404, exit: 4 },
  VmAlreadyRunning: { text: "VM is already running", status: 409, exit: 5 },
  VmNotRunning: { text: "VM is not running", status: 409, exit: 5 },
  VmNotPaused: { text: "VM is not paused", status: 409, exit: 5 },
  VmStillRunning: { text: "Cannot delete running VM. Stop it first.", status: 409, exit: 5 },
  VmNotPersistent: {
    text: "VM is transient: it disappears when it stops, so this setting cannot be kept",
    status: 409,
    exit: 5,
  },
  VmBusy: {
    text: "VM is busy with another operation ({operation}). Wait for it to end, then try again.",
    status: 409,
    exit: 5,
  },
  OperationUnsettled: {
    text:
      "{subject} is held by {operation}, which was cut short and is not settled yet. Try again in a moment.",
    status: 409,
    exit: 5,
  },
  VncNotConfigured: { text: "VNC not configured for this VM", status: 409, exit: 5 },
  NoViewer: {
    text: "remote-viewer cannot reach this VM's screen: {reason}",
    status: 409,
    exit: 5,
  },
  ConsoleTicket: {
    text: "This console ticket has expired or was already used. Open the console again.",
    status: 403,
    exit: 6,
  },
  StartFailed: { text: "Failed to start VM: {error}", status: 502, exit: 1 },
  StopFailed: { text: "Failed to stop VM: {error}", status: 502, exit: 1 },
  ForceStopFailed: { text: "Failed to force stop VM: {error}", status: 502, exit: 1 },
  PauseFailed: { text: "Failed to pause VM: {error}", status: 502, exit: 1 },
  ResumeFailed: { text: "Failed to resume VM: {error}", status: 502, exit: 1 },
  RebootFailed: { text: "Failed to reboot VM: {error}", status: 502, exit: 1 },
  ResetFailed: { text: "Failed to reset VM: {error}", status: 502, exit: 1 },
  SuspendFailed: { text: "Failed to suspend VM: {error}", status: 502, exit: 1 },
  DeleteFailed: { text: "Failed to delete VM: {error}", status: 502, exit: 1 },
  DiskDeleteFailed: { text: "Failed to delete disk: {path} - {error}", status: 502, exit: 1 },
  UpdateFailed: { text: "Failed to update VM: {error}", status: 502, exit: 1 },

  // Creating a VM
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
  HostNotFound: { text: "Host not found: {host}", status: 404, exit: 4 },
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
  SerialElsewhere: {
    text:
      "The VM's serial line leads to a file or the network, so it cannot be opened here. Make its type pty.",
    status: 409,
    exit: 5,
  },

  // Screens, keys
  NoScreen: {
    text: "VM has no screen. Give it a graphics card, or use its serial console.",
    status: 409,
    exit: 5,
  },
  ScreenshotFailed: { text: "Failed to take a picture of the screen: {error}", status: 502, exit: 1 },
  UnknownKey: {
    text: "Unknown key: {key}. Use Linux key names (KEY_ENTER) or ctrl, alt, shift, win, del, esc, f1, …",
    status: 400,
    exit: 2,
  },
  TooManyKeys: { text: "Too many keys at once: {n} (at most {most})", status: 400, exit: 2 },
  SendKeysFailed: { text: "Failed to send keys: {error}", status: 502, exit: 1 },

  // Machines as a whole: their XML and copies
  VmIdTaken: { text: "A VM with this UUID exists already: {name} ({id})", status: 409, exit: 5 },
  VmMustBeOff: { text: "VM must be shut down for this ({state} now)", status: 409, exit: 5 },
  XmlInvalid: { text: "Invalid XML: {error}", status: 400, exit: 2 },
  XmlIdentity: {
    text: "The XML must keep the VM's {what} ({is}). Use rename or clone to change it.",
    status: 400,
    exit: 2,
  },
  XmlChanged: {
    text: "Somebody else changed this VM meanwhile. Nothing was saved: load the new version first.",
    status: 409,
    exit: 5,
  },
  RenameFailed: { text: "Failed to rename VM: {error}", status: 502, exit: 1 },
  SnapshotNotFound: { text: "Snapshot not found: {name}", status: 404, exit: 4 },
  SnapshotExists: { text: "The VM has a snapshot of this name: {name}", status: 409, exit: 5 },
  SnapshotNotPossible: { text: "No snapshot of this VM can be taken: {reason}", status: 409, exit: 5 },
  SnapshotNotRevertable: {
    text: "The VM cannot be reverted to {name}: {reason}",
    status: 409,
    exit: 5,
  },
  SnapshotNotDeletable: {
    text: "The snapshot {name} cannot be deleted: {reason}",
    status: 409,
    exit: 5,
  },
  SnapshotFailed: { text: "Failed to create snapshot: {error}", status: 502, exit: 1 },
  SnapshotRevertFailed: { text: "Failed to revert to snapshot: {error}", status: 502, exit: 1 },
  SnapshotDeleteFailed: { text: "Failed to delete snapshot: {error}", status: 502, exit: 1 },

  // Guest
  GuestUnavailable: { text: "Not available in this guest: {reason}. {remedy}", status: 409, exit: 5 },
  GuestSilent: {
    text: "The guest agent did not answer in time. The guest may hang, or be very busy.",
    status: 502,
    exit: 1,
  },
  GuestBusy: {
    text: "Too much is asked of this guest at once. Try again in a moment.",
    status: 429,
    exit: 3,
  },
  GuestRefused: { text: "The guest agent said no: {error}", status: 502, exit: 1 },
  GuestProgramNotFound: { text: "The guest cannot run {command}: {error}", status: 404, exit: 4 },
  GuestExecTimeout: {
    text: "The program did not end within {seconds} seconds, and still runs in the guest (process {pid})",
    status: 502,
    exit: 1,
  },
  GuestOutputLost: {
    text: "The program wrote more than the guest agent can pass on: its output and exit status are lost. " +
      "Have it write to a file, and copy that.",
    status: 502,
    exit: 1,
  },
  GuestFileNotFound: { text: "Nothing is at {path} in the guest", status: 404, exit: 4 },
  GuestFileDenied: { text: "The guest does not give {path}: {error}", status: 409, exit: 5 },
  GuestToolsMissing: {
    text: "This build of KVM Manager has no guest tools: Go was not there when it was built. " +
      "Install Go (Debian: golang-go) where it is built, and run deno task build",
    status: 501,
    exit: 1,
  },
  GuestInstallFailed: {
    text: "The installer in the guest ended with exit status {code}: {error}",
    status: 502,
    exit: 1,
  },
  GuestToolsFailed: { text: "The guest tools cannot be given to the VM: {error}", status: 502, exit: 1 },
  GuestCopyFailed: { text: "Copying failed: {error}", status: 502, exit: 1 },
  CloneFailed: { text: "Failed to clone VM: {error}", status: 502, exit: 1 },
  DiskNotClonable: { text: "Disk {target} ({path}) cannot be cloned: {reason}", status: 409, exit: 5 },
  ImportFailed: { text: "Failed to import VM: {error}", status: 502, exit: 1 },
  OvaRefused: { text: "This archive cannot be imported: {reason}", status: 409, exit: 5 },
  OvaDamaged: {
    text: "The archive is damaged: the {algorithm} of {file} is {found}, expected {wanted}. Get it anew.",
    status: 409,
    exit: 5,
  },
  DiskNotExportable: { text: "Disk {target} ({path}) cannot be exported: {reason}", status: 409, exit: 5 },
  ExportFailed: { text: "Failed to export VM: {error}", status: 502, exit: 1 },
  DisksMissing: { text: "These disks do not exist on this host: {paths}", status: 409, exit: 5 },
  // Templates
  TemplateNotFound: { text: "Template not found: {templateId}", status: 404, exit: 4 },
  TemplateVersionNotFound: { text: "Template {name} has no version {version}", status: 404, exit: 4 },
  TemplateExists: { text: "Template name already exists: {name}", status: 409, exit: 5 },
  TooManyTemplates: {
    text: "There are {limit} {what} already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  TemplateRefused: { text: "No template can be made of {vm}: {reason}", status: 409, exit: 5 },
  TemplateInUse: {
    text: "The disks of template {name} are needed by {users}. Delete them first.",
    status: 409,
    exit: 5,
  },
  TemplateFailed: { text: "Failed to {verb} template: {error}", status: 502, exit: 1 },
  TemplateVmFailed: {
    text: "Failed to create {vm}, after {done} of {count} VMs: {error}",
    status: 502,
    exit: 1,
  },
  // Cloud-init
  CloudInitNotSet: { text: "This VM has no cloud-init configuration", status: 409, exit: 5 },
  CloudInitFailed: { text: "Failed to write the cloud-init configuration: {error}", status: 502, exit: 1 },
  CloudInitUnreadable: {
    text: "The cloud-init configuration cannot be read from {path}: {error}",
    status: 502,
    exit: 1,
  },
  // Disks and network interfaces
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
      "The running VM has no free PCI slot for a {device}. Add it for the next start (persistent): a slot is " +
      "made then.",
    status: 409,
    exit: 5,
  },
  NotRemovable: { text: "{target} is a disk, not a drive for media", status: 409, exit: 5 },
  AttachFailed: { text: "Failed to attach {device}: {error}", status: 502, exit: 1 },
  DetachFailed: { text: "Failed to detach {device}: {error}", status: 502, exit: 1 },
  DeviceNotReleased: {
    text:
      "Failed to detach {device}: the guest did not release it{how}. Unmount it in the guest, or remove it " +
      "when the VM is off. It stays as it is; if the guest releases it later, it is back at the next start.",
    status: 409,
    exit: 5,
  },
  ResizeFailed: { text: "Failed to resize disk: {error}", status: 502, exit: 1 },
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

  // Hardware
  CpuCountAboveMaximum: {
    text: "CPU count ({count}) is above the VM's maximum ({max}). Raise the maximum too: it applies at the " +
      "next boot.",
    status: 409,
    exit: 5,
  },
  MemoryAboveMaximum: {
    text:
      "Memory ({currentMb}MB) is above the VM's maximum ({maxMb}MB). Raise the maximum too: it applies at " +
      "the next boot.",
    status: 409,
    exit: 5,
  },
  TopologyMismatch: {
    text:
      "CPU topology has {sockets} sockets × {cores} cores × {threads} threads = {product} CPUs, but the " +
      "VM's maximum is {max}. Change one of them, or leave the topology to QEMU.",
    status: 409,
    exit: 5,
  },
  PinningMismatch: { text: "CPU pinning does not fit: {reason}", status: 409, exit: 5 },
  BootDeviceNotFound: { text: "VM has no device {device} to boot from", status: 404, exit: 4 },
  HardwareMismatch: { text: "The hardware does not fit together: {reason}", status: 409, exit: 5 },

  // Storage
  StorageUnknown: {
    text: "The storage of this host is not known yet: {reason}. Try again shortly.",
    status: 503,
    exit: 3,
  },
  StoragePoolExists: { text: "Storage pool already exists: {pool}", status: 409, exit: 5 },
  StoragePoolActive: { text: "Storage pool is already active: {pool}", status: 409, exit: 5 },
  StoragePoolNotPersistent: {
    text: "Storage pool is transient: it disappears when it stops, so this setting cannot be kept",
    status: 409,
    exit: 5,
  },
  StoragePoolInUse: {
    text: "Storage pool is used by {vm}: {pool}. Shut it down or give it other disks first.",
    status: 409,
    exit: 5,
  },
  StoragePoolFailed: { text: "Failed to {verb} storage pool: {error}", status: 502, exit: 1 },
  StorageSourcesFailed: { text: "Failed to look for storage: {error}", status: 502, exit: 1 },
  StorageBusy: {
    text: "{what} is busy with another operation. Wait for it to end, then try again.",
    status: 409,
    exit: 5,
  },
  VolumeInUse: { text: "Volume is used by {vm}: {name} (storage pool {pool})", status: 409, exit: 5 },
  VolumeCreateFailed: { text: "Failed to create volume: {error}", status: 502, exit: 1 },
  VolumeResizeFailed: { text: "Failed to resize volume: {error}", status: 502, exit: 1 },
  VolumeCloneFailed: { text: "Failed to clone volume: {error}", status: 502, exit: 1 },
  VolumeConvertFailed: { text: "Failed to convert volume: {error}", status: 502, exit: 1 },
  VolumeWipeFailed: { text: "Failed to wipe volume: {error}", status: 502, exit: 1 },
  VolumeDeleteFailed: { text: "Failed to delete volume: {name} - {error}", status: 502, exit: 1 },
  // Networks
  InvalidNetworkName: {
    text: "Invalid network name: must be 1-50 characters, alphanumeric with dot/dash/underscore only",
    status: 400,
    exit: 2,
  },
  NetworkNameExists: { text: "Network name already exists: {name}", status: 409, exit: 5 },
  InvalidSubnet: { text: "Invalid subnet: {n} ({reason})", status: 400, exit: 2 },
  NetworkOverlaps: {
    text: "Subnet {subnet} overlaps with {other}, which {what} uses. Choose another one.",
    status: 409,
    exit: 5,
  },
  DhcpOutsideSubnet: {
    text: "DHCP range {start} – {end} does not fit into the subnet {subnet}: {reason}",
    status: 400,
    exit: 2,
  },
  AddressOutsideSubnet: {
    text: "Address {ip} is none for a VM of {subnet}: {reason}",
    status: 400,
    exit: 2,
  },
  StaticLeaseTaken: { text: "There is a static lease for {what} already", status: 409, exit: 5 },
  NoSuchStaticLease: { text: "Network {network} has no static lease or range {what}", status: 404, exit: 4 },
  InterfaceNameTaken: { text: "The host has a network device {name} already", status: 409, exit: 5 },
  NetworkMismatch: { text: "The network does not fit together: {reason}", status: 400, exit: 2 },
  NetworkInUse: {
    text:
      "Network {network} is used by {vms}. Move or stop them first, or force it: they lose their connection.",
    status: 409,
    exit: 5,
  },
  NetworkAlreadyActive: { text: "Network is active already: {network}", status: 409, exit: 5 },
  NetworkNotPersistent: {
    text: "Network is transient: it disappears when it stops, so this setting cannot be kept",
    status: 409,
    exit: 5,
  },
  NetworkCreateFailed: { text: "Failed to create network: {error}", status: 502, exit: 1 },
  NetworkStartFailed: { text: "Failed to start network: {error}", status: 502, exit: 1 },
  NetworkStopFailed: { text: "Failed to stop network: {error}", status: 502, exit: 1 },
  NetworkDeleteFailed: { text: "Failed to delete network: {error}", status: 502, exit: 1 },
  NetworkUpdateFailed: { text: "Failed to change network: {error}", status: 502, exit: 1 },
  // Port forwards
  PortForwardNotFound: { text: "Port forward not found: {id}", status: 404, exit: 4 },
  InvalidPort: { text: "Invalid port: {n} (must be 1-65535)", status: 400, exit: 2 },
  InvalidPortRange: { text: "Invalid port range: {n} ({reason})", status: 400, exit: 2 },
  NetworkNotForwardable: {
    text: "Ports cannot be forwarded to the network {network}: {reason}",
    status: 409,
    exit: 5,
  },
  VmNotOnNetwork: { text: "{vm} has no card on the network {network}", status: 409, exit: 5 },
  HostAddressNotFound: { text: "The host has no address {ip}", status: 404, exit: 4 },
  PortInUse: {
    text: "Port {port}/{protocol} of the host is used by {what}. Choose another one.",
    status: 409,
    exit: 5,
  },
  PortForwardExists: {
    text: "Port {port}/{protocol} of the host is forwarded to {what} already. Choose another one.",
    status: 409,
    exit: 5,
  },
  PortForwardingUnavailable: { text: "Port forwarding unavailable: {reason}", status: 501, exit: 1 },
  PortForwardFailed: { text: "Failed to forward port: {error}", status: 502, exit: 1 },
  // Long work
  JobNotFound: { text: "Job not found: {jobId}", status: 404, exit: 4 },
  JobOver: { text: "The job is over already ({state})", status: 409, exit: 5 },
  JobNotCancellable: {
    text: "This job cannot be cancelled any more: it is about to end",
    status: 409,
    exit: 5,
  },
  JobCancelled: { text: "The job was cancelled. What it had done was undone.", status: 409, exit: 5 },
  JobInterrupted: { text: "KVM Manager ended while this was running. {advice}", status: 409, exit: 5 },

  // Schedules
  ScheduleNotFound: { text: "Schedule not found: {scheduleId}", status: 404, exit: 4 },
  ScheduleExists: { text: "Schedule name already exists: {name}", status: 409, exit: 5 },
  ScheduleRunning: {
    text: "{name} is running already. Wait for the task to end, or cancel it.",
    status: 409,
    exit: 5,
  },
  TooManySchedules: {
    text: "There are {limit} schedules already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  ScheduleOwnerLost: {
    text: "It runs as {name}, and {reason}. Somebody who may do this must save the schedule again.",
    status: 403,
    exit: 6,
  },
  ScheduleRunFailed: { text: "It failed for {failed} of {all} VMs. {first}", status: 502, exit: 1 },

  // Backups
  BackupNotFound: { text: "Backup not found: {backupId}", status: 404, exit: 4 },
  BackupExists: { text: "Backup name already exists: {name}", status: 409, exit: 5 },
  BackupRunning: {
    text: "{name} is running already. Wait for the task to end, or cancel it.",
    status: 409,
    exit: 5,
  },
  TooManyBackups: {
    text: "There are {limit} backups already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  BackupOwnerLost: {
    text: "It runs as {name}, and {reason}. Somebody who may do this must save the backup again.",
    status: 403,
    exit: 6,
  },
  BackupRunNotFound: { text: "No such copy in this backup: {runId}", status: 404, exit: 4 },
  BackupFolderUnusable: { text: "The folder {folder} cannot be used: {reason}", status: 409, exit: 5 },
  BackupFolderBusy: {
    text: "Another backup is writing to {folder}. Try again when it has ended.",
    status: 409,
    exit: 5,
  },
  BackupFailed: { text: "Failed to back up: {error}", status: 502, exit: 1 },
  BackupRunFailed: { text: "It failed for {failed} of {all} VMs. {first}", status: 502, exit: 1 },
  BackupNotPossible: { text: "This VM cannot be backed up: {reason}", status: 409, exit: 5 },
  BackupDamaged: {
    text:
      "The copy is damaged, and cannot be restored: {reason}. Verify other copies, and restore one that is whole.",
    status: 409,
    exit: 5,
  },
  RestoreNotPossible: { text: "It cannot be restored so: {reason}", status: 409, exit: 5 },
  RestoreFailed: { text: "Failed to restore: {error}", status: 502, exit: 1 },

  // The bin
  BinEntryNotFound: { text: "Not in the bin: {entryId}", status: 404, exit: 4 },
  BinNameTaken: {
    text: "{what} is there already: {name}. Restore it under another name, like {free}.",
    status: 409,
    exit: 5,
  },
  BinRestoreFailed: { text: "It cannot be restored: {reason}", status: 409, exit: 5 },
  BinDeleteFailed: { text: "Failed to delete from the bin: {path} - {error}", status: 502, exit: 1 },
  BinNotEmpty: {
    text: "The bin keeps {n} of the storage pool {pool}: {names}. Restore or delete that first.",
    status: 409,
    exit: 5,
  },

  // Content of volumes
  ContentExpected: {
    text:
      "The content itself is missing. Send or fetch it at /api/v1/storage/pools/{pool}/volumes/{volume}/content " +
      "(curl -T FILE, curl -O).",
    status: 400,
    exit: 2,
  },
  UploadRunning: { text: "{name} is being uploaded to the pool {pool} already", status: 409, exit: 5 },
  TooManyUploads: {
    text:
      "Too many unfinished uploads {whose} (limit {limit}): {names}. Finish one of them, or remove one that broke " +
      "off (delete_upload); each goes by itself an hour after it broke off.",
    status: 429,
    exit: 3,
  },
  UploadNotFound: {
    text: "No upload of {name} to the pool {pool} waits to go on. Begin anew.",
    status: 404,
    exit: 4,
  },
  UploadOffset: {
    text: "The upload goes on at byte {received} of {size}. Send the rest from there.",
    status: 409,
    exit: 5,
  },
  UploadBroken: { text: "The upload broke off at byte {received} of {size}", status: 408, exit: 1 },
  UploadFailed: { text: "Failed to upload volume: {error}", status: 502, exit: 1 },
  DownloadFailed: { text: "Failed to download volume: {error}", status: 502, exit: 1 },
  ChecksumMismatch: {
    text: "What arrived is not what was sent: its SHA-256 is {sha256}, expected {wanted}. It was removed.",
    status: 409,
    exit: 5,
  },

  // Images
  ImageUrlRefused: { text: "This URL cannot be used: {url} ({reason})", status: 400, exit: 2 },
  DownloadTargetRefused: {
    text: "Downloads from {host} are not allowed: {reason}. An administrator can allow it in the rules for " +
      "downloads.",
    status: 403,
    exit: 6,
  },
  ImageFetchFailed: { text: "Failed to download image: {error} ({url})", status: 502, exit: 1 },
  ImageUnpackFailed: { text: "Failed to unpack image ({format}): {error}", status: 502, exit: 1 },
  ImageTooLarge: { text: "The image is too large: {reason}", status: 409, exit: 5 },
  ImageChecksumMismatch: {
    text:
      "The image is not what was published: its {algorithm} is {found}, expected {wanted}. It was removed.",
    status: 409,
    exit: 5,
  },
  ImageChecksumMissing: { text: "{url} has no checksum of {file}", status: 409, exit: 5 },
  CatalogImageNotFound: { text: "The image catalogue has no image {id}", status: 404, exit: 4 },
  CatalogUnusable: { text: "The image catalogue cannot be used: {reason}", status: 502, exit: 1 },

  // Libvirt as a whole
  LibvirtUnavailable: {
    text: "Libvirtd is not running. Please start the service.",
    status: 503,
    exit: 3,
  },
  PermissionDenied: {
    text: "Permission denied. Run as root or add user to libvirt group.",
    status: 403,
    exit: 6,
  },
  LibvirtTimeout: {
    text: "Libvirt did not answer within {seconds} seconds ({operation}). " +
      "Whether it was carried out is not known yet; the list shows the state as soon as libvirt tells it.",
    status: 504,
    exit: 3,
  },
  LibvirtBusy: {
    text: "Libvirt is not answering: {waiting} calls are still waiting. Check libvirtd, then try again.",
    status: 503,
    exit: 3,
  },
  ConnectionLost: {
    text: "The connection to libvirt was lost during {operation}. " +
      "Whether it was carried out is not known yet. After reconnecting the list shows the state, and what is half done is " +
      "finished or undone; the activity list says which.",
    status: 503,
    exit: 3,
  },
  NotSupported: { text: "This host's libvirt cannot do that: {error}", status: 501, exit: 1 },
  LibvirtFailed: { text: "Libvirt failed: {error}", status: 502, exit: 1 },

  // Alerts
  AlertNotFound: { text: "Alert not found: {alertId}", status: 404, exit: 4 },
  IncidentNotFound: { text: "Nothing has fired with the id {incidentId}", status: 404, exit: 4 },
  IncidentOver: { text: "This is over already: there is nothing to acknowledge", status: 409, exit: 5 },
  SilenceNotFound: { text: "Silence not found: {silenceId}", status: 404, exit: 4 },
  AlertTargetNotFound: { text: "Target not found: {targetId}", status: 404, exit: 4 },
  AlertTargetRefused: { text: "Messages cannot be sent to {host}: {reason}", status: 403, exit: 6 },
  TooManyAlerts: { text: "There can be {limit} {what}. Delete one first.", status: 409, exit: 5 },
  AlertNotDelivered: { text: "The message was not delivered: {reason}", status: 502, exit: 1 },
  MetricsUnavailable: { text: "Metrics cannot be read: {reason}", status: 503, exit: 3 },
  StoreUnavailable: {
    text:
      "The database cannot be used: {reason}. VMs can still be controlled; what was done is not recorded.",
    status: 503,
    exit: 3,
  },
  TooManyRequests: {
    text: "Too many {what} at once (limit {limit}). Try again shortly.",
    status: 429,
    exit: 3,
  },
  Internal: {
    text: "Something went wrong inside KVM Manager. The log has the details.",
    status: 500,
    exit: 1,
  },
} as const satisfies Record<string, ErrorKind>;

/** The code of an error: PascalCase, stable, what programs branch on. */
export type ErrorCode = keyof typeof ERRORS;

/** What goes over the wire. The same shape at every door. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Record<string, unknown>;
}

/** Fills `{key}` places of an error text. A missing value stays visible as `{key}`: it is a bug to be seen. */
export function errorText(code: ErrorCode, details: Record<string, unknown> = {}): string {
  return fill(ERRORS[code].text, details);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * An error of the contract: thrown by services, carried unchanged to every door.
 *
 * @example
 * ```ts
 * throw new ContractError("VmNotFound", { vmId });
 * ```
 */
export class ContractError extends Error {
  override readonly name = "ContractError";
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;

  /**
   * @param message Replaces the table's text, where the contract gives a field an exact text of its own.
   */
  constructor(
    code: ErrorCode,
    details?: Record<string, unknown>,
    options: { cause?: unknown; message?: string } = {},
  ) {
    super(options.message ?? errorText(code, details), { cause: options.cause });
    this.code = code;
    this.details = details;
  }

  /** HTTP status of this error. */
  get status(): (typeof ERRORS)[ErrorCode]["status"] {
    return ERRORS[this.code].status;
  }

  /** Exit status of this error on the command line. */
  get exit(): number {
    return ERRORS[this.code].exit;
  }

  /** The wire shape. */
  toJSON(): ErrorBody {
    return { code: this.code, message: this.message, ...(this.details && { details: this.details }) };
  }

  /** Rebuilds an error from the wire; an unknown code (a newer server) becomes `Internal` with its own text. */
  static fromBody(body: unknown): ContractError {
    const { code, message, details } = (body ?? {}) as { [K in keyof ErrorBody]?: unknown };
    const known = typeof code === "string" && Object.hasOwn(ERRORS, code);
    return new ContractError(
      known ? code as ErrorCode : "Internal",
      isRecord(details) ? details : undefined,
      typeof message === "string" && message !== "" ? { message } : {},
    );
  }
}
