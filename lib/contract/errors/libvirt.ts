/** Errors: libvirt as a whole. */
import type { ErrorKind } from "./kind.ts";

export const LIBVIRT_ERRORS = {
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
  LibvirtNotResponding: {
    text:
      "Libvirt has not responded since {since} ({call}). If it stays so, restart libvirtd: running VMs go on.",
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
} as const satisfies Record<string, ErrorKind>;
