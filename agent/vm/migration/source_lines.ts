/** The sockets of this host by which libvirt and QEMU reach the host that a VM moves to. */
import {
  MIGRATION_LINES,
  type MigrationAnswers,
  type MigrationLine,
  migrationLinePath,
  socketOf,
} from "../../../lib/host/migration_protocol.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { openFarSocket } from "../../http/far_socket.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { MigrationConversation } from "./conversation.ts";
import { LINE_DONE, relay } from "./relay.ts";

/** URIs that libvirt and QEMU connect to. */
export interface SourceUris {
  readonly libvirt: string;
  readonly memory: string;
  readonly disks: string;
  /** The socket of that, as a path. */
  readonly disksSocket: string;
}

export class SourceLines implements AsyncDisposable {
  readonly #listeners: Deno.UnixListener[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #over = new AbortController();

  private constructor(
    private readonly conversation: MigrationConversation,
    private readonly secret: string,
    readonly uris: SourceUris,
  ) {}

  /** Listens, in a folder that is there. @param folder its sockets are gone with it */
  static async open(
    host: LibvirtHost,
    conversation: MigrationConversation,
    { folder, secret }: Pick<MigrationAnswers["prepare"], "folder" | "secret">,
    vmName: string,
  ): Promise<SourceLines> {
    const path = (line: MigrationLine) => socketOf(folder, line, vmName);
    const lines = new SourceLines(conversation, secret, {
      libvirt: `qemu+unix:///system?socket=${encodeURIComponent(path("libvirt"))}`,
      memory: `unix://${path("memory")}`,
      disks: `unix://${path("disks")}`,
      disksSocket: path("disks"),
    });
    const user = await host.capabilities.qemuUser();
    for (const line of MIGRATION_LINES) {
      const listener = Deno.listen({ transport: "unix", path: path(line) });
      lines.#listeners.push(listener);
      await hostFiles.chmod(path(line), 0o600);
      // The disks are connected to by QEMU itself
      if (user !== undefined && line !== "libvirt") await hostFiles.chown(path(line), user.uid, user.gid);
      void lines.#accept(line, listener);
    }
    return lines;
  }

  async #accept(line: MigrationLine, listener: Deno.UnixListener): Promise<void> {
    try {
      for await (const socket of listener) {
        const running: Promise<void> = this.#carry(line, socket).finally(() => this.#running.delete(running));
        this.#running.add(running);
      }
    } catch (error) {
      if (!this.#over.signal.aborted) {
        log.warn("a line of a migration is not listened to any more", { line, error });
      }
    }
  }

  async #carry(line: MigrationLine, socket: Deno.Conn): Promise<void> {
    const { host, principal } = this.conversation;
    try {
      const { far } = await openFarSocket(
        host,
        { path: migrationLinePath(line), ticket: this.secret },
        principal,
      );
      const close = () => far.close(LINE_DONE);
      this.#over.signal.addEventListener("abort", close, { once: true });
      if (this.#over.signal.aborted) close();
      await relay(socket, far);
      this.#over.signal.removeEventListener("abort", close);
    } catch (error) {
      log.info("a line of a migration cannot be connected", { line, host: host.id, error: messageOf(error) });
      socket.close();
    }
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#running);
  }
}
