/** Errors: the inside of guests. */
import type { ErrorKind } from "./kind.ts";

export const GUEST_ERRORS = {
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
  GuestProgramFailed: { text: "{command} ended with exit status {code} in the guest", status: 502, exit: 1 },
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
  GuestOutputTooMuch: {
    text: "The program wrote more than {limit} MiB, and was ended. Have it write to a file, and copy that.",
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
    text: "The archive is damaged: the {algorithm} of {file} is {found}, expected {wanted}. Get it again.",
    status: 409,
    exit: 5,
  },
  SourceUnreachable: { text: "No connection to {source}: {reason}", status: 502, exit: 1 },
  SourceLoginRefused: {
    text:
      "{source} does not accept the user name or the password. Nothing was kept. Check them, and give the password again: some " +
      "servers lock an account after a few attempts.",
    status: 409,
    exit: 5,
  },
  CertificateUnknown: {
    text:
      "The certificate of {source} is not known yet: {fingerprint}. Compare it with the SHA-256 fingerprint that the server shows on " +
      "its own console, and give it as the certificate if it is the same. Nothing was sent to it.",
    status: 409,
    exit: 5,
  },
  CertificateChanged: {
    text:
      "{source} shows the certificate {fingerprint}, and not {before}: it has a new certificate, it is another server, or somebody " +
      "is in between. Nothing was sent to it.",
    status: 409,
    exit: 5,
  },
  ForeignVmRefused: { text: "This VM cannot be imported: {reason}", status: 409, exit: 5 },
  FileDamaged: {
    text: "The file {file} is damaged: its {algorithm} is {found}, expected {wanted}. Copy it again.",
    status: 409,
    exit: 5,
  },
  GuestNotClean: {
    text:
      "Windows on {file} was not shut down: {reason}. Start it at the source, run powercfg /h off, and shut it down; " +
      "or import it all the same (--allow-unclean)",
    status: 409,
    exit: 5,
  },
  DiskNotExportable: { text: "Disk {target} ({path}) cannot be exported: {reason}", status: 409, exit: 5 },
  ExportFailed: { text: "Failed to export VM: {error}", status: 502, exit: 1 },
  DisksMissing: { text: "These disks do not exist on this host: {paths}", status: 409, exit: 5 },
} as const satisfies Record<string, ErrorKind>;
