/** The SSH connection to a host: libvirt goes through it, and what listens there is reached by it. */
import { requireOutside } from "../../outbound/outside.ts";
import { type SshDestination, sshDestination, sshWords } from "../../../lib/host/ssh_destination.ts";
import { log } from "../../log.ts";
import { isTaken } from "../../machine/files.ts";
import { killAndWait, runProgram } from "../../machine/programs.ts";
import type { SshFiles } from "./files.ts";
import { lastSaid } from "./said.ts";
import { urlHost } from "../../../lib/text/url_host.ts";

/** Milliseconds until a forward must be there, between looks for it, and to end the shared connection. */
const FORWARD_MS = 15_000, LOOK_MS = 20, EXIT_MS = 3000;

/** A listener on the other host: a TCP port, or a socket. */
export type RemotePlace =
  | { readonly host: string; readonly port: number }
  | { readonly socket: string };

/** A socket here that leads to a place there, until disposed of. */
export interface Forward extends Disposable {
  readonly path: string;
}

const placeWord = (place: RemotePlace): string =>
  "socket" in place ? place.socket : `${urlHost(place.host)}:${place.port}`;

export class SshConnection {
  readonly #forwards = new Set<Forward>();

  constructor(private readonly files: SshFiles, private readonly destination: SshDestination) {}

  /** The connection of a libvirt URI; undefined for a way without SSH. */
  static of(files: SshFiles, uri: string): SshConnection | undefined {
    const destination = sshDestination(uri);
    return destination && new SshConnection(files, destination);
  }

  /** The URI that has libvirt use our ssh: with our key, pinned host keys and one shared connection. */
  libvirtUri(uri: string): string {
    return `${uri}${uri.includes("?") ? "&" : "?"}command=${encodeURIComponent(this.files.program)}`;
  }

  /**
   * Has a socket here lead to a place there.
   *
   * @throws {Error} with what ssh said
   */
  async forward(place: RemotePlace): Promise<Forward> {
    await this.files.ready();
    const path = await this.files.socket();
    requireOutside();
    const child = new Deno.Command("ssh", {
      args: [
        ...["-N", "-T", "-F", this.files.config, "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes"],
        ...["-o", "StreamLocalBindMask=0177", "-L", `${path}:${placeWord(place)}`],
        ...sshWords(this.destination),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    let isOver = false;
    const ended = child.status.then(() => void (isOver = true));
    const forward: Forward = {
      path,
      [Symbol.dispose]: () => {
        this.#forwards.delete(forward);
        void killAndWait(child, "ssh");
        Deno.remove(path).catch((error) => {
          if (!(error instanceof Deno.errors.NotFound)) log.warn("a socket stays", { path, error });
        });
      },
    };
    this.#forwards.add(forward);
    const until = performance.now() + FORWARD_MS;
    while (!await isTaken(path)) {
      if (isOver || performance.now() > until) {
        forward[Symbol.dispose]();
        await ended;
        throw new Error(lastSaid(await said, "ssh did not answer in time"));
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return forward;
  }

  /** Ends all forwards, and the shared connection, which would stay open for a while. */
  async close(): Promise<void> {
    for (const forward of [...this.#forwards]) forward[Symbol.dispose]();
    const args = ["-F", this.files.config, "-O", "exit", ...sshWords(this.destination)];
    try {
      await runProgram("ssh", args, { limitMs: EXIT_MS });
    } catch (error) {
      log.debug("a shared SSH connection ends by itself", { error });
    }
  }
}
