/** Errors: hosts other than the one that KVM Manager runs on. */
import type { ErrorKind } from "./kind.ts";

export const HOST_ERRORS = {
  HostNotFound: { text: "Host not found: {host}", status: 404, exit: 4 },
  HostExists: {
    text: "There is a host {host} already: it has this name or this connection.",
    status: 409,
    exit: 5,
  },
  HostInMaintenance: {
    text:
      "{host} is in maintenance ({reason}): VMs cannot be created, moved to it or started. End the maintenance, or choose another host.",
    status: 409,
    exit: 5,
  },
  HostNotInMaintenance: { text: "{host} is not in maintenance.", status: 409, exit: 5 },
  DrainUnderWay: {
    text: "VMs of {host} are being moved just now. Stop that first, or wait for its end.",
    status: 409,
    exit: 5,
  },
  PlacementRuleNotFound: { text: "Placement rule not found: {ruleId}", status: 404, exit: 4 },
  PlacementRuleExists: { text: "Placement rule name already exists: {name}", status: 409, exit: 5 },
  TooManyPlacementRules: {
    text: "There are {limit} placement rules already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  HostUriRefused: { text: "This connection cannot be used: {reason}.", status: 400, exit: 2 },
  HostStays: { text: "KVM Manager runs on this host: it cannot be removed.", status: 409, exit: 5 },
  HostUnreachable: { text: "No connection to this libvirt: {reason}", status: 502, exit: 1 },
  HostKeyUnknown: {
    text:
      "The SSH host key of {host} is not known yet: {key}. Compare it with what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub shows there, and give it as the host key if it is the same.",
    status: 409,
    exit: 5,
  },
  HostKeyChanged: {
    text:
      "{host} shows the SSH host key {key}, and not {before}: it is another host, or somebody is in between. Nothing was sent to it.",
    status: 409,
    exit: 5,
  },
  SshKeyNotRotated: {
    text:
      "The SSH key is the same as before, because these hosts do not take another one: {hosts}. See to their connections, or use force and add the new key there by hand.",
    status: 502,
    exit: 1,
  },
  HostMoveKeeps: {
    text:
      "{host} has {things}. With another connection they would be taken for files of whatever host that leads to. Delete them first, or use force if it leads to the same host.",
    status: 409,
    exit: 5,
  },
  HostKeeps: {
    text:
      "{host} has {things}. KVM Manager would forget them; their files stay on the host. Delete them first, or use force.",
    status: 409,
    exit: 5,
  },
  HostBusy: {
    text: "Work is under way on {host} ({work}). Wait for it to end or cancel it, then try again.",
    status: 409,
    exit: 5,
  },
  HostInstallNoProgram: {
    text:
      "This KVM Manager runs from source, and has no program that could be copied. Build one (deno task build) and start dist/kvm-manager.",
    status: 409,
    exit: 5,
  },
  HostInstallFailed: {
    text: "KVM Manager was not installed on {host}. {step}: {reason}. {state}",
    status: 502,
    exit: 1,
  },
  InvitationRefused: {
    text:
      "This invitation is no longer valid: it was used, its time is over, or KVM Manager was restarted there. Make another one on that host.",
    status: 409,
    exit: 5,
  },
  InvitationUnreadable: {
    text:
      "This is no invitation. It is one line that begins with https://, as that host's page Settings → Hosts or kvm-manager host invite shows it.",
    status: 400,
    exit: 2,
  },
  LinkAddressRefused: { text: "Other hosts cannot link to {address}: {reason}.", status: 409, exit: 5 },
  LinkRefused: { text: "The other KVM Manager is not let in: {reason}.", status: 403, exit: 6 },
  LinkFailed: { text: "No link to {address}: {reason}", status: 502, exit: 1 },
  LinkedHostAway: {
    text: "KVM Manager on {host} does not answer: {reason}. Nothing was done there.",
    status: 503,
    exit: 3,
  },
  LinkUndecided: {
    text:
      "The link to {host} was cut while this was carried out: {reason}. Whether it was done is not known. Look at {host}, then try again where it was not.",
    status: 502,
    exit: 1,
  },
  LinkedHostNonsense: {
    text:
      "KVM Manager on {host} answers what this version does not understand: {reason}. Install the same version on both.",
    status: 502,
    exit: 1,
  },
  PeerNotFound: { text: "KVM Manager not found: {peerId}", status: 404, exit: 4 },
} as const satisfies Record<string, ErrorKind>;
