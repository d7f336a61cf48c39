/**
 * Programs that parts of the bench need besides libvirt and QEMU, made available before their host is made, which has
 * no network.
 */
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { ensureGrpcClient } from "../testbed/grpc.ts";
import { ensurePackages } from "../testbed/packages.ts";

/** Needs of parts. Each throws `Unavailable` if it cannot be had. */
export const NEEDS = {
  agentGuest: buildAgentGuest,
  borg: () => ensurePackages("borgbackup"),
  c: () => ensurePackages("gcc", "libc6-dev", "libvirt0", "libxml2"),
  // What drives it takes a third of a second to load
  chromium: async () => await (await import("../testbed/chromium.ts")).ensureChromium(),
  curl: () => ensurePackages("curl"),
  grpcClient: ensureGrpcClient,
  python: () => ensurePackages("python3-libvirt"),
  restic: () => ensurePackages("restic"),
  strace: () => ensurePackages("strace"),
  tmux: () => ensurePackages("tmux"),
  websockify: () => ensurePackages("websockify"),
} satisfies Record<string, () => Promise<unknown>>;

/** The name of a need. */
export type Need = keyof typeof NEEDS;
