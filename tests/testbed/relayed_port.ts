/** A port of our loopback whose connections go on to the same port in a network namespace. */

/** Copies between its standard streams and a port of its network. */
const COPY = `exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
cat <&3 &
cat >&3
kill $!`;

export class RelayedPort implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** Lines of qemu.conf by which screens are at this port. */
  get conf(): string {
    const { port } = this.#listener.addr;
    return `remote_display_port_min = ${port}\nremote_display_port_max = ${port + 1}\n`;
  }

  /** Relays from now on, until it is disposed of. @param pid a process of the network that connections go to */
  relay(pid: number): void {
    void this.#accept(pid);
  }

  async #accept(pid: number): Promise<void> {
    for await (const connection of this.#listener) {
      const { port } = this.#listener.addr;
      const args = ["--target", String(pid), "--net", "--", "bash", "-c", COPY, "bash", String(port)];
      const child = new Deno.Command("nsenter", { args, stdin: "piped", stdout: "piped", stderr: "null" })
        .spawn();
      // Either end may close it: the other one's pipe breaks, which is its end
      const ended = () => undefined;
      void connection.readable.pipeTo(child.stdin).catch(ended);
      void child.stdout.pipeTo(connection.writable).catch(ended);
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}
