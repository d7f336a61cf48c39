/** The commands inside guests. */
import {
  ContractError,
  EXEC_SECONDS,
  EXEC_TASK_SECONDS,
  FREEZE_SECONDS,
  type guestCommands,
  MOST_FILE,
} from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { power } from "../vm/lifecycle/power.ts";
import { insertGuestTools } from "../vm/guest_tools/insert.ts";
import { execAsTask } from "./exec_task.ts";
import { installAgent } from "./install.ts";
import { copyFrom, copyTo } from "./copy.ts";
import { copyFolderFrom, copyFolderTo } from "./copy_folder.ts";
import type { GuestFreezes } from "./freezes.ts";
import type { GuestService } from "./service.ts";
import type { GuestWatch } from "./watch.ts";
import { message } from "../../lib/i18n/message.ts";

type Encoding = "text" | "base64" | undefined;

/** Decodes a text. @throws {ContractError} InvalidInput, naming the field */
function decoded(text: string, encoding: Encoding, field: string): Uint8Array<ArrayBuffer> {
  if (encoding !== "base64") return new TextEncoder().encode(text);
  try {
    return Uint8Array.fromBase64(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ContractError("InvalidInput", { reason: message`${field} is no base64`, field }, {
      cause: error,
    });
  }
}

/** The text that stands for bytes; as UTF-8, what is none of it is lost. */
function encoded(bytes: Uint8Array, encoding: Encoding): string {
  return encoding === "base64" ? bytes.toBase64() : new TextDecoder().decode(bytes);
}
/** Services for the commands inside guests: the host, its guest agents, freezes, the watch, and the clock (ms). */
interface GuestCommandServices {
  readonly host: LibvirtHost;
  readonly guests: GuestService;
  readonly freezes: GuestFreezes;
  readonly watch: Pick<GuestWatch, "note">;
  readonly now: () => number;
}

/** Commands that guests answer about themselves. */
function inspectHandlers({ guests, watch }: GuestCommandServices) {
  return {
    guest_agent_status: ({ vmId }) => guests.status(vmId),
    guest_get_info: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "info");
      const info = await agent.system(vm);
      watch.note(vmId, info);
      return info;
    },
    guest_get_network_info: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "network");
      return await agent.interfaces(vm);
    },
    guest_get_disk_usage: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "filesystems");
      return await agent.filesystems(vm);
    },
    guest_get_users: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "users");
      return await agent.users(vm);
    },
    guest_get_metrics: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "metrics");
      return await agent.metrics(vm);
    },
    guest_get_processes: async ({ vmId, sort = "cpu", limit = 50 }) => {
      const { vm, agent } = await guests.agentFor(vmId, "processes");
      return await agent.processes(vm, { sort, limit });
    },
    guest_get_services: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "services");
      return await agent.services(vm);
    },
    guest_control_service: async ({ vmId, name, action }) => {
      const { vm, agent } = await guests.agentFor(vmId, "service-control");
      await agent.controlService(vm, name, action);
      return null;
    },
    guest_get_packages: async ({ vmId, upgradesOnly = false, offset = 0, limit = 1000 }) => {
      const { vm, agent } = await guests.agentFor(vmId, "packages");
      return await agent.packages(vm, { upgradesOnly, offset, limit });
    },
    guest_get_security: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "security");
      return await agent.security(vm);
    },
    guest_get_metadata: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "metadata");
      return await agent.metadata(vm);
    },
    guest_set_metadata: async ({ vmId, key, value }) => {
      const { vm, agent } = await guests.agentFor(vmId, "metadata");
      await agent.setMetadata(vm, key, value);
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** Programs that run in guests, and our agent that comes to them. */
function programHandlers({ host, guests }: GuestCommandServices) {
  return {
    insert_guest_tools: async ({ vmId }, { principal }) => await insertGuestTools(host, vmId, principal),
    install_guest_agent: async ({ vmId }) => {
      const { vm, agent } = await guests.thisAgentFor("qemu-ga", vmId, ["exec", "files"]);
      return await installAgent(host, vm, agent);
    },
    guest_exec_task: async (input, { principal }) => {
      const seconds = input.seconds ?? EXEC_TASK_SECONDS.usual;
      return await execAsTask(
        host,
        await guests.agentFor(input.vmId, "exec"),
        { ...input, seconds },
        principal.name,
      );
    },
    guest_exec: async (
      { vmId, command, args = [], env, stdin, encoding, seconds = EXEC_SECONDS.usual },
      { content },
    ) => {
      const { vm, agent } = await guests.agentFor(vmId, "exec");
      const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
      const tell = content?.tell;
      const onOutput = tell && ((stream: "stdout" | "stderr", bytes: Uint8Array) =>
        tell({
          [stream]: encoding === "base64"
            ? bytes.toBase64()
            : decoders[stream].decode(bytes, { stream: true }),
        }));
      const { stdout, stderr, ...rest } = await agent.exec(vm, {
        command,
        args,
        ...(env !== undefined && { env }),
        ...(stdin !== undefined && { input: decoded(stdin, encoding, "stdin") }),
        seconds,
        ...(onOutput && { onOutput }),
        ...(content?.gone && { signal: content.gone }),
      });
      return { stdout: encoded(stdout, encoding), stderr: encoded(stderr, encoding), ...rest };
    },
  } satisfies Partial<Handlers>;
}

/** Files and folders of guests. */
function fileHandlers({ host, guests }: GuestCommandServices) {
  return {
    guest_list_files: async ({ vmId, path }) => {
      const { vm, agent } = await guests.agentFor(vmId, "files");
      return { path, ...await agent.listFiles(vm, path) };
    },
    guest_read_file: async ({ vmId, path, offset = 0, length = MOST_FILE, encoding }) => {
      const { vm, agent } = await guests.agentFor(vmId, "files");
      await using file = await agent.openFile(vm, path);
      if (offset > 0) await file.seek(offset);
      const bytes = await file.read(length);
      const isEnd = file.size === null ? bytes.length < length : offset + bytes.length >= file.size;
      return { content: encoded(bytes, encoding), length: bytes.length, isEnd };
    },
    guest_write_file: async ({ vmId, path, content, encoding, append = false }) => {
      const { vm, agent } = await guests.agentFor(vmId, "files");
      const bytes = decoded(content, encoding, "content"), { length } = bytes;
      if (length > MOST_FILE) throw new ContractError("BodyTooLarge", { limit: MOST_FILE });
      if (append) {
        await agent.appendToFile(vm, path, bytes);
        return { length };
      }
      const writer = await agent.createFile(vm, path);
      try {
        await writer.write(bytes);
        const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
        await writer.finish(sha256);
      } catch (error) {
        await writer.abandon();
        throw error;
      }
      return { length };
    },
    guest_create_folder: async ({ vmId, path, mode }) => {
      const { vm, agent } = await guests.agentFor(vmId, "files");
      await agent.makeFolder(vm, path, mode);
      return null;
    },
    guest_copy_to: async (input, context) =>
      await copyTo(host, await guests.agentFor(input.vmId, "files"), input, context),
    guest_copy_from: async (input, context) =>
      await copyFrom(host, await guests.agentFor(input.vmId, "files"), input, context),
    guest_copy_folder_to: async (input, context) =>
      await copyFolderTo(host, await guests.agentFor(input.vmId, "files"), input, context),
    guest_copy_folder_from: async (input, context) =>
      await copyFolderFrom(host, await guests.agentFor(input.vmId, "files"), input, context),
  } satisfies Partial<Handlers>;
}

/** Power, file systems that stand still, time and who signs in. */
function controlHandlers({ host, guests, freezes, now }: GuestCommandServices) {
  return {
    guest_shutdown: async ({ vmId, force = false }, { principal }) => {
      if (force) {
        await host.run("force_stop_vm", { vmId }, principal);
        return null;
      }
      const { agent } = await guests.agentFor(vmId, "power");
      return await power(host, "stop_vm", vmId, agent.power && ((vm) => agent.power!(vm, false)));
    },
    guest_reboot: async ({ vmId }) => {
      const { agent } = await guests.agentFor(vmId, "power");
      return await power(host, "reboot_vm", vmId, agent.power && ((vm) => agent.power!(vm, true)));
    },
    guest_freeze: async (
      { vmId, seconds = FREEZE_SECONDS.usual, mountpoints = [] },
      { principal: { name: actor } },
    ) => {
      const { vm, agent } = await guests.agentFor(vmId, "freeze");
      return await freezes.freeze(vm, agent, { seconds, mountpoints, actor });
    },
    guest_thaw: async ({ vmId }) => {
      const { vm, agent } = await guests.agentFor(vmId, "freeze");
      return { filesystems: await freezes.thaw(vm, agent) };
    },
    guest_set_time: async ({ vmId, time }) => {
      const { vm, agent } = await guests.agentFor(vmId, "time");
      await agent.setTime(vm, time ?? now());
      return null;
    },
    guest_set_password: async ({ vmId, user, password }) => {
      const { vm, agent } = await guests.agentFor(vmId, "password");
      await agent.setPassword(vm, user, password);
      return null;
    },
    guest_ssh_keys: async ({ vmId, user }) => {
      const { vm, agent } = await guests.agentFor(vmId, "ssh-keys");
      return (await agent.sshKeys(vm, user)).map((key) => ({ key }));
    },
    guest_change_ssh_keys: async ({ vmId, user, change, sshKeys }) => {
      const { vm, agent } = await guests.agentFor(vmId, "ssh-keys");
      await agent.changeSshKeys(vm, user, change, sshKeys);
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** A handler for each of them. */
export const guestHandlers = (
  services: GuestCommandServices,
): Pick<Handlers, keyof typeof guestCommands> => ({
  ...inspectHandlers(services),
  ...programHandlers(services),
  ...fileHandlers(services),
  ...controlHandlers(services),
});
