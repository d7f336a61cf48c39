/** Two hosts between which VMs move: each a libvirtd in namespaces of its own with the product on it, linked. */
import { type CutLine, cutLine } from "./cut_line.ts";
import { filesOf, releaseName, testName } from "./names.ts";
import { openOperations } from "./open_operations.ts";
import { freeze, thaw } from "./pid.ts";
import { call } from "./product.ts";
import { type PrivateLibvirt, privateLibvirt } from "./private_libvirt.ts";
import { run } from "./process.ts";
import { removeFiles } from "./removal.ts";
import { type PrivateServer, privateServer } from "./private_server.ts";
import type { TestServer } from "./server.ts";
import { until } from "./wait.ts";

/** A port of loopback that is free now, for a server that is to come back at it. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** One of them, with a pool `images` that it alone has, in the same folder as the other's. */
export class MigrationHost implements AsyncDisposable {
  #product: PrivateServer | undefined;
  readonly #port = freePort();
  /** The line by which the other one reaches it. */
  readonly line: CutLine = cutLine(this.#port);

  private constructor(
    readonly libvirt: PrivateLibvirt,
    readonly dataDir: string,
    private readonly args: readonly string[],
  ) {}

  /** @param args more of them for the product */
  static async start(
    purpose: string,
    undo: AsyncDisposableStack,
    args: readonly string[] = [],
  ): Promise<MigrationHost> {
    const name = await testName(purpose);
    undo.defer(() => releaseName(name));
    undo.defer(() => removeFiles(name));
    const libvirt = undo.use(await privateLibvirt(purpose));
    const host = new MigrationHost(libvirt, `${filesOf(name)}/data`, args);
    await Deno.mkdir(host.images, { recursive: true });
    await Deno.mkdir(host.dataDir, { recursive: true });
    await libvirt.virsh("pool-define-as", "images", "dir", "--target", "/var/lib/libvirt/images");
    await libvirt.virsh("pool-autostart", "images");
    await libvirt.virsh("pool-start", "images");
    await host.startServer();
    return undo.use(host);
  }

  /** Starts the product there, again where it was stopped or killed. */
  async startServer(): Promise<void> {
    await this.#product?.[Symbol.asyncDispose]();
    this.#product = undefined;
    this.#product = await privateServer(this.libvirt, {
      dataDir: this.dataDir,
      args: ["--listen", `https://127.0.0.1:${this.#port}`, ...this.args],
      env: { KVMM_BIN_DAYS: "7" },
    });
  }

  /** Whether the product answers there. */
  async answers(): Promise<boolean> {
    const answer = await fetch(`${this.server.url}/api/v1/health`).catch(() => null);
    await answer?.body?.cancel();
    return answer !== null;
  }

  get server(): TestServer {
    return this.#product!.server;
  }

  /** Ends the product there without warning. */
  killServer(): void {
    Deno.kill(this.#product!.pid, "SIGKILL");
  }

  /** Stops the product there where it stands. @returns what has it go on */
  async freezeServer(): Promise<() => Promise<void>> {
    const { pid } = this.#product!;
    await freeze(pid);
    return async () => {
      await thaw(pid);
      // nsenter, its parent, has stopped itself with it
      const [, parent] = /^PPid:\s+(\d+)$/m.exec(await Deno.readTextFile(`/proc/${pid}/status`))!;
      Deno.kill(Number(parent), "SIGCONT");
    };
  }

  /** Folder of the pool, as the test sees it. */
  get images(): string {
    return this.libvirt.stateFile("images");
  }

  /** Address for the other host. */
  get url(): string {
    return `https://127.0.0.1:${this.line.port}`;
  }

  /** Names of VMs that libvirt has, running or not. */
  async vms(...which: readonly string[]): Promise<string[]> {
    const names = await this.libvirt.virsh("list", "--name", ...which.length === 0 ? ["--all"] : which);
    return names.split("\n").filter((name) => name !== "");
  }

  /** Names of images in the pool, but for those in the bin. */
  async volumes(): Promise<string[]> {
    const names = (await Array.fromAsync(Deno.readDir(this.images))).map(({ name }) => name);
    return names.filter((name) => !name.startsWith(".")).toSorted();
  }

  /** Folders of sockets that moves have left. */
  async left(): Promise<string> {
    const line = "ls -d /run/libvirt/qemu/kvm-manager-* 2>/dev/null || true";
    return (await this.libvirt.inside("sh", "-c", line)).trim();
  }

  /** Operations that are not settled. */
  open(): string[] {
    return openOperations(this.dataDir);
  }

  /** Waits until it knows the other one by a name. */
  async linked(name = "there"): Promise<void> {
    await until(
      "the link",
      async () =>
        (await call(this.server, "list_hosts")).some(({ id, status }) =>
          id === name && status === "connected"
        ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.line[Symbol.dispose]();
    await this.#product?.[Symbol.asyncDispose]();
  }
}

/** Links one host to another, which it knows by a name from then on. @param role the most that it may do there */
export async function link(
  a: MigrationHost,
  b: MigrationHost,
  name: string,
  role: "administrator" | "operator" = "administrator",
): Promise<void> {
  const { invitation } = await call(b.server, "invite_host", { address: b.url, role });
  await call(a.server, "join_host", { name, invitation });
  await a.linked(name);
}

/** Starts them. Each knows the other as `there`. @param args more of them for the product */
export async function migrationHosts(args: readonly string[] = []) {
  await using undo = new AsyncDisposableStack();
  const from = await MigrationHost.start("leaves", undo, args),
    to = await MigrationHost.start("comes", undo, args);
  await link(from, to, "there");
  await link(to, from, "there");
  const kept = undo.move();
  return { from, to, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Makes an image in the pool of a host, with random content at its beginning. @returns its path there */
export async function randomImage(
  { images, libvirt }: MigrationHost,
  name: string,
  mebibytes: number,
): Promise<string> {
  const path = `${images}/${name}`;
  const line =
    'head -c "$1"M /dev/urandom >"$2.raw" && qemu-img convert -O qcow2 "$2.raw" "$2" && rm "$2.raw"';
  await run(["sh", "-c", line, "sh", String(mebibytes), path]);
  await libvirt.virsh("pool-refresh", "images");
  return `/var/lib/libvirt/images/${name}`;
}
