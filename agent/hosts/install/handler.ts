/** The command that installs KVM Manager on a host by SSH. */
import { message } from "../../../lib/i18n/message.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import { readSshLogin, type SshDestination } from "../../../lib/host/ssh_destination.ts";
import { hosts as texts } from "../../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { fileSha256, ownBinary } from "../../machine/own_binary.ts";
import type { Peers } from "../linked/peers.ts";
import type { HostRecords } from "../records.ts";
import type { HostRegistry } from "../registry.ts";
import { requireNewHost } from "../require_new.ts";
import type { SshFiles } from "../ssh/files.ts";
import { requireHostKey, resolvedDestination } from "../ssh/host_keys.ts";
import { withSsh } from "../ssh/with_ssh.ts";
import { Installation, managerAddress, type Program, USUAL_PORT } from "./installation.ts";

const { t } = textsOf(texts);

/** Services for the command that installs a host: jobs, SSH files, peers, and hosts with their records. */
export interface HostInstallation {
  readonly jobs: Pick<Jobs, "run">;
  readonly ssh: SshFiles;
  readonly peers: Peers;
  readonly hosts: HostRegistry;
  readonly hostRecords: HostRecords;
}

/** Parses an SSH login. @throws {ContractError} HostUriRefused */
function destinationOf(text: string): SshDestination {
  const destination = readSshLogin(text);
  if (destination !== undefined) return destination;
  throw new ContractError("HostUriRefused", { reason: "it is not like root@kvm2 or ann@kvm2:2222" });
}

/** This program as a file. @throws {ContractError} HostInstallNoProgram */
async function ownProgram(): Promise<Program> {
  const path = ownBinary();
  const found = path === undefined ? undefined : await undefinedIfMissing(Deno.stat(path));
  if (path === undefined || found === undefined) throw new ContractError("HostInstallNoProgram");
  return { path, size: found.size, sha256: await fileSha256(path) };
}

/**
 * The handler.
 *
 * @param join links a host by an invitation
 */
export function installHostHandler(
  { jobs, ssh, peers, ...kept }: HostInstallation,
  join: Handlers["join_host"],
): Pick<Handlers, "install_host"> {
  /** Hosts at which one is under way. */
  const busy = new Set<string>();
  return {
    install_host: async (
      { name, destination: text, label, hostKey, password, role = "administrator", port },
      context,
    ) => {
      const destination = destinationOf(text);
      const program = await ownProgram();
      const { host: hostname } = await withSsh(async () => {
        await requireHostKey(ssh, destination, hostKey);
        return await resolvedDestination(ssh, destination);
      });
      requireNewHost(kept, name, managerAddress({ hostname, port: port ?? USUAL_PORT }));
      if (busy.has(hostname)) {
        throw new ContractError("HostBusy", { host: hostname, work: "an installation" });
      }
      busy.add(hostname);
      try {
        const { publicKey } = await peers.identity.ready();
        return await jobs.run({
          command: "install_host",
          title: message`Install KVM Manager on ${hostname} as ${name}`,
          subject: name,
          actor: context.principal.name,
          ifInterrupted: t("hosts.install_interrupted"),
        }, (job) => {
          const services = {
            ssh,
            publicKey,
            join: async (invitation: string) =>
              await join({ name, invitation, ...label !== undefined && { label } }, context),
          };
          return Installation.run(
            { destination, hostname, port, role, password, program },
            services,
            job,
          );
        });
      } finally {
        busy.delete(hostname);
      }
    },
  };
}
