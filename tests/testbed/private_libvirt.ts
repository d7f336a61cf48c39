/**
 * A libvirtd of a test's own, to be killed and frozen without disturbing anyone: in namespaces of its own (mounts,
 * processes, network), with its own /etc/libvirt, /run/libvirt, /var/lib/libvirt, … and its own machines.
 *
 * Nothing stays, however the test ends: the first process of the namespace ends when our end of its standard
 * input closes, and the kernel ends all others with it, QEMUs included.
 */
import { type DiskXml, domainXml } from "./domain_xml.ts";
import { buildGuest, type Guest, READY } from "./guest.ts";
import { ensureLibvirtd } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import { namespaces } from "./namespaces.ts";
import { commandOf, freeze, thaw } from "./pid.ts";
import { exists, ProcessError, run } from "./process.ts";
import { removeFiles } from "./removal.ts";
import { writeDefinitions } from "./small_machines.ts";
import { Unavailable } from "./unavailable.ts";
import { RelayedPort } from "./relayed_port.ts";
import { until, type WaitOptions } from "./wait.ts";
import type { Markup } from "./xml.ts";

/** Folders of libvirt that become private: place → folder below the test's own. */
const PRIVATE = {
  "/etc/libvirt": "etc",
  "/run/libvirt": "run",
  "/var/lib/libvirt": "lib",
  "/var/log/libvirt": "log",
  "/var/cache/libvirt": "cache",
  // Locks of consoles and channels name the process that has them, which is another one in each namespace
  "/var/lock": "lock",
} as const;

/** No helpers of libvirtd: QEMU writes its own logs, files keep their owners (`guest.ts`), no cgroup stays behind. */
const QEMU_CONF = `stdio_handler = "file"
namespaces = []
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
cgroup_controllers = []
`;
const LIBVIRTD_CONF: Readonly<Record<string, string>> = { auth_unix_rw: "none", unix_sock_rw_perms: "0600" };

/** Seconds that a virsh may take: none of a test takes a fourth of that. */
const VIRSH_SECONDS = 240;

/** Folder of its logs, in its own view. */
const LOGS = "/var/log/libvirt";

/** Bash, not sh: as the first process it has to reap those that lost their parent, or a dead QEMU seems to live. */
const FIRST_PROCESS = `set -e
for pair in "$@"; do mount --bind "\${pair%%=*}" "\${pair#*=}"; done
ip link set lo up
echo ready
read -r _ || true`;

/** Options of a machine of a private libvirtd. */
export interface PrivateMachineOptions {
  readonly start?: boolean;
  /** Boots the tiny guest, or this one; without it the firmware finds nothing to boot and the machine just runs. */
  readonly guest?: boolean | Guest;
  /** A channel for our own agent, instead of QEMU's. */
  readonly ownAgent?: boolean;
  /** Whether it has a channel for QEMU's agent; one with a guest has when left out. */
  readonly agent?: boolean;
  /** A screen, at a socket that libvirt names. */
  readonly screen?: boolean;
  /** `pty` can be attached to and is logged as well; `file`, when left out, is only logged. */
  readonly serial?: "pty" | "file";
  readonly disks?: readonly DiskXml[];
  /** Further devices. */
  readonly devices?: Markup;
  /** A card on this network of the private libvirtd's. */
  readonly network?: { readonly name: string; readonly mac: string };
  readonly memoryMiB?: number;
  readonly title?: string;
  readonly description?: string;
  /** Put behind its name; anything libvirt takes. */
  readonly nameEnd?: string;
}

/** How a private libvirtd is started. */
export interface PrivateLibvirtOptions {
  /** Log filters, as `log_filters` of libvirtd.conf has them; see {@link PrivateLibvirt.logged}. */
  readonly log?: string;
  /** Its names are looked up at a server that never answers; its own is short, and in no file. */
  readonly deadResolver?: boolean;
  /** Small machines that it has from the beginning: read at its start, they take a fifth of the time of defining them. */
  readonly machines?: number;
  /** Users that it accepts, and its listeners. */
  readonly access?: LibvirtAccess;
  /** The screen of one VM is reached from our network, too, at the port that libvirt tells. */
  readonly screenIsReached?: boolean;
  /** More folders that are private, as {@link PRIVATE} has them. */
  readonly folders?: Readonly<Record<string, string>>;
}

/** Users that a private libvirtd accepts, and its listeners. */
export interface LibvirtAccess {
  /** Lines of libvirtd.conf, instead of our own where they have the same name. */
  readonly conf: Readonly<Record<string, string | number>>;
  readonly env?: Readonly<Record<string, string>>;
  /** It listens at ports, too: this machine's, whose network it has. */
  readonly listens?: boolean;
  /** A file by which virsh signs in (`authfile`). */
  readonly authfile?: string;
}

/** A machine of a private libvirtd. It goes with its libvirtd. */
export interface PrivateMachine {
  readonly name: string;
  readonly uuid: string;
  /** The file with its definition. */
  readonly definition: string;
  /** Its state as virsh prints it. */
  state(): Promise<string>;
  /** Its QEMU process as we see it from outside, or null. */
  qemuPid(): Promise<number | null>;
  /** Waits until the guest has come up. */
  waitForBoot(options?: WaitOptions): Promise<void>;
}

/** A libvirtd in namespaces of its own; gone with everything in it when disposed of. */
export class PrivateLibvirt implements AsyncDisposable {
  #number = 0;

  /** Called by {@link privateLibvirt} alone. */
  constructor(
    readonly name: string,
    readonly folder: string,
    /** The first process of the namespaces. */
    private readonly first: number,
    /** Names of the machines that it has had from the beginning. */
    readonly firstMachines: readonly string[],
    private readonly cleanup: AsyncDisposableStack,
    private readonly access: LibvirtAccess = { conf: {} },
  ) {}

  /** How clients reach it. */
  get uri(): string {
    return `qemu+unix:///system?socket=${this.folder}/run/libvirt-sock`;
  }

  /** How virsh reaches it. */
  get #virshUri(): string {
    const { authfile } = this.access;
    return authfile === undefined ? this.uri : `${this.uri}&authfile=${authfile}`;
  }

  /** How virt-admin reaches it. */
  get adminUri(): string {
    return `libvirtd:///system?socket=${this.folder}/run/libvirt-admin-sock`;
  }

  /**
   * Runs virsh on it.
   *
   * @throws {ProcessError}
   * @throws {Error} when it does not end: a libvirtd that was killed or is stopped may hold a machine for good
   */
  async virsh(...args: string[]): Promise<string> {
    const argv = ["virsh", "--quiet", "--connect", this.#virshUri, ...args];
    return (await run(argv, { seconds: VIRSH_SECONDS })).trim();
  }

  /** Moves a running machine to another private libvirtd; what was defined stays defined here. @throws {ProcessError} */
  async migrate(name: string, to: PrivateLibvirt): Promise<void> {
    // Each has a loopback of its own: a socket in the folder, which both see
    const socket = `unix://${to.folder}/migration`;
    await this.virsh("migrate", "--live", name, to.uri, "--migrateuri", socket);
  }

  /** Many virsh commands in one process, which is much faster. @throws {ProcessError} */
  async virshBatch(commands: readonly string[]): Promise<void> {
    await run(["virsh", "--quiet", "--connect", this.#virshUri], { stdin: commands.join("\n") + "\n" });
  }

  /** Its process as we see it from outside, or null. */
  async pid(): Promise<number | null> {
    return await this.#find((argv) => argv[0]?.endsWith("libvirtd") === true);
  }

  /** The QEMU of a machine, as a process that we see from outside, or null. */
  async qemuOf(name: string): Promise<number | null> {
    return await this.#find((argv) => argv.some((argument) => argument.startsWith(`guest=${name},`)));
  }

  /** The swtpm of a machine, as a process that we see from outside, or null. */
  async swtpmOf(uuid: string): Promise<number | null> {
    return await this.#find(([program, ...args]) =>
      program?.endsWith("swtpm") === true && args.some((argument) => argument.includes(uuid))
    );
  }

  /** The file it logs to, where it was told what; see {@link PrivateLibvirtOptions.log}. */
  get logFile(): string {
    return `${this.folder}/libvirtd.log`;
  }

  /** How many lines of its log hold a text. */
  async logged(text: string): Promise<number> {
    return (await Deno.readTextFile(this.logFile)).split("\n").filter((line) => line.includes(text)).length;
  }

  /** Starts libvirtd and waits until it answers. */
  async start(): Promise<void> {
    await this.launch();
    await until("the private libvirtd to answer", async () => {
      try {
        return await this.virsh("version") !== "";
      } catch (error) {
        if (error instanceof ProcessError) return false;
        throw error;
      }
    }, { seconds: 30, every: 20 });
  }

  /** Starts libvirtd, whether it lets virsh in or not. */
  async launch(): Promise<void> {
    const { env = {}, listens = false } = this.access;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const argv = ["env", ...variables, "libvirtd", ...listens ? ["--listen"] : [], "--daemon"];
    // A child of the one that was killed may still hold its lock for a moment.
    await until("the lock of the one before", async () => {
      try {
        await run([...this.#inside(), ...argv, "--pid-file", `${this.folder}/libvirtd.pid`]);
        return true;
      } catch (error) {
        if (error instanceof ProcessError && error.message.includes("obtain pidfile")) return false;
        throw error;
      }
    }, { seconds: 10 });
  }

  /** Ends libvirtd without warning (SIGKILL) and waits until it is gone; its machines run on. */
  async kill(): Promise<void> {
    const pid = await this.pid();
    if (pid === null) return;
    Deno.kill(pid, "SIGKILL");
    await until("the private libvirtd to end", async () => await commandOf(pid) === null, {
      seconds: 10,
      every: 5,
    });
  }

  /** Path of the file in which libvirtd keeps the state of a running machine. */
  statusOf(name: string): string {
    return `${this.folder}/${PRIVATE["/run/libvirt"]}/qemu/${name}.xml`;
  }

  /**
   * Has libvirtd lose a machine that runs on: killed, and started with a status file that it refuses, as libvirt 9.0
   * itself writes one in the last moment of a merge of images.
   */
  async lose(name: string): Promise<void> {
    await this.kill();
    const status = this.statusOf(name), text = await Deno.readTextFile(status);
    await Deno.writeTextFile(status, text.replace("<domain type='qemu'", "<domain type=''"));
    await this.start();
  }

  /** Has libvirtd, which is killed for it, forget the state of a machine that it holds. */
  async forget(name: string): Promise<void> {
    await this.kill();
    await Deno.remove(this.statusOf(name));
    await this.start();
  }

  /** Stops libvirtd where it stands. Disposing of what is given lets it go on. */
  async freeze(): Promise<AsyncDisposable> {
    const pid = await this.pid();
    if (pid === null) throw new Error("there is no libvirtd to freeze");
    await freeze(pid);
    return { [Symbol.asyncDispose]: () => thaw(pid) };
  }

  /** Defines a machine, and starts it when asked to. */
  async machine(options: PrivateMachineOptions = {}): Promise<PrivateMachine> {
    const guest = options.guest === true ? await buildGuest() : options.guest || undefined;
    const number = ++this.#number;
    const name = `${this.name}-${number}${options.nameEnd ?? ""}`;
    const uuid = crypto.randomUUID();
    const log = `${this.folder}/${number}.log`;
    const definition = `${this.folder}/${number}.xml`;
    const text = domainXml({
      name,
      uuid,
      memoryMiB: options.memoryMiB ?? (guest === undefined ? 64 : 256),
      vcpus: 1,
      machine: "pc",
      ...(options.title === undefined ? {} : { title: options.title }),
      ...(options.description === undefined ? {} : { description: options.description }),
      ...(guest === undefined ? {} : { guest }),
      agent: options.agent ?? (guest !== undefined && options.ownAgent !== true),
      ...(options.ownAgent === true ? { ownAgent: true } : {}),
      ...(options.network === undefined ? {} : { network: options.network }),
      ...(options.screen === true ? { vnc: { socket: true } } : {}),
      ...(options.devices === undefined ? {} : { devices: options.devices }),
      serial: { kind: options.serial ?? "file", log },
      disks: options.disks ?? [],
    });
    await Deno.writeTextFile(definition, String(text));
    await this.virsh("define", definition);
    if (options.start === true) await this.virsh("start", name);
    return {
      name,
      uuid,
      definition,
      state: () => this.virsh("domstate", name),
      qemuPid: () => this.qemuOf(name),
      waitForBoot: async (wait) => {
        await until(
          `${name} to boot`,
          async () => await exists(log) && (await Deno.readTextFile(log)).includes(READY),
          wait,
        );
      },
    };
  }

  /** Defines many small machines at once. @returns their names */
  async machines(count: number): Promise<string[]> {
    const names = await writeDefinitions(this.folder, `${this.name}-many`, count, LOGS);
    await this.virshBatch(names.map((name) => `define ${this.folder}/${name}.xml`));
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup.disposeAsync();
  }

  /** Runs a program in its namespaces. @throws {ProcessError} */
  async inside(...argv: string[]): Promise<string> {
    return await run(this.argvInside(...argv));
  }

  /** The arguments that run a program in its namespaces. */
  argvInside(...argv: string[]): string[] {
    return [...this.#inside(), ...argv];
  }

  /** A process in its namespaces by its program's name, as we see it from outside, or null. */
  async processOf(program: string): Promise<number | null> {
    return await this.#find(([path]) => path?.split("/").at(-1) === program);
  }

  /** A line of sh that runs a program with this libvirtd as `qemu:///system`, in our network: `exec … "$@"`. */
  get line(): string {
    // Its /proc has its own processes alone, and Deno wants to see itself.
    const own = `mount -t proc proc /proc && exec "$@"`;
    return `exec nsenter --target ${this.first} --mount -- unshare --mount sh -c '${own}' sh "$@"`;
  }

  /**
   * The same in its process namespace, too, where the ids in libvirt's files are those that the program sees; signals go
   * on to it. The process that is started with this line is not the program: see {@link programOf}.
   */
  get lineInPidNamespace(): string {
    const own = `mount -t proc proc /proc && exec "$@"`;
    return `nsenter --target ${this.first} --mount --pid -- unshare --mount sh -c '${own}' sh "$@" &
outer=$!
trap 'kill -TERM $(cat /proc/$outer/task/$outer/children)' TERM
while kill -0 $outer 2>/dev/null; do wait $outer; status=$?; done
exit $status`;
  }

  /** The program that was started with {@link lineInPidNamespace}, by the process that was started. @throws {Error} when it is gone */
  static async programOf(started: number): Promise<number> {
    const childOf = async (pid: number) =>
      Number((await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim().split(" ")[0]);
    const program = await childOf(await childOf(started));
    if (!program) throw new Error(`process ${started} has started nothing, or it is gone`);
    return program;
  }

  /** A file of libvirt's own below /var/lib/libvirt, as we see it from outside. */
  stateFile(path: string): string {
    return `${this.folder}/${PRIVATE["/var/lib/libvirt"]}/${path}`;
  }

  #inside(): string[] {
    return ["nsenter", "--target", String(this.first), "--mount", "--pid", "--net", "--"];
  }

  /** A live process of the namespace, by its arguments. */
  async #find(fits: (argv: readonly string[]) => boolean): Promise<number | null> {
    const space = await readLink(`/proc/${this.first}/ns/pid`);
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name) || await readLink(`/proc/${name}/ns/pid`) !== space) continue;
      const argv = (await readOrEmpty(`/proc/${name}/cmdline`)).split("\0");
      if (fits(argv) && await commandOf(Number(name)) !== null) return Number(name);
    }
    return null;
  }
}

/** Makes a private libvirtd and starts it. @throws {Unavailable} when namespaces cannot be made here */
export async function privateLibvirt(
  purpose = "private",
  options: PrivateLibvirtOptions = {},
): Promise<PrivateLibvirt> {
  await ensureLibvirtd(); // the packages
  if (Deno.uid() !== 0) throw new Unavailable("only root can make a private libvirtd");
  const name = await testName(purpose);
  const folder = filesOf(name);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(name));
  const places = { ...PRIVATE, ...options.folders };
  for (const part of Object.values(places)) await Deno.mkdir(`${folder}/${part}`, { recursive: true });
  const screen = options.screenIsReached === true ? undo.use(new RelayedPort()) : undefined;
  await Deno.writeTextFile(`${folder}/etc/qemu.conf`, QEMU_CONF + (screen?.conf ?? ""));
  const logging = options.log === undefined
    ? ""
    : `log_filters = "${options.log}"\nlog_outputs = "1:file:${folder}/libvirtd.log"\n`;
  // Nothing migrates between two that say they are the same host
  const identity = `host_uuid = "${crypto.randomUUID()}"\n`;
  const conf = Object.entries({ ...LIBVIRTD_CONF, ...options.access?.conf }).map(([key, value]) =>
    `${key} = ${JSON.stringify(value)}\n`
  );
  await Deno.writeTextFile(`${folder}/etc/libvirtd.conf`, conf.join("") + identity + logging);
  // What libvirt found out about QEMU on this machine, so that it need not be found out again.
  await run(["cp", "-a", "/var/cache/libvirt/.", `${folder}/cache`]);
  const own = `${folder}/etc/qemu`; // where libvirt has its definitions
  await Deno.mkdir(own, { recursive: true });
  const machines = await writeDefinitions(own, `${name}-many`, options.machines ?? 0, LOGS);
  const pairs = Object.entries(places).map(([place, part]) => `${folder}/${part}=${place}`);
  if (options.deadResolver === true) pairs.push(...await deadResolver(folder));
  const { access } = options, ownNetwork = access?.listens !== true;
  const first = await namespaces(FIRST_PROCESS, pairs, undo, { ownNetwork });
  const host = new PrivateLibvirt(name, folder, first, machines, new AsyncDisposableStack(), access);
  if (options.deadResolver === true) {
    // Dropped where it arrives: what is dropped where it leaves is told to the sender
    await host.inside("iptables", "-A", "INPUT", "-d", DEAD_RESOLVER, "-j", "DROP");
  }
  await host.start();
  screen?.relay(first);
  host["cleanup"].use(undo.move());
  return host;
}

/** The address of a server of names that gets nothing and says nothing. */
const DEAD_RESOLVER = "127.0.0.9";

/** Files with which names are asked of {@link DEAD_RESOLVER}. @returns them as `file=place` */
async function deadResolver(folder: string): Promise<string[]> {
  const files = {
    "/etc/resolv.conf": `nameserver ${DEAD_RESOLVER}\noptions timeout:15 attempts:3\n`,
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  };
  return await Promise.all(
    Object.entries(files).map(async ([place, text]) => {
      const file = `${folder}/${place.slice("/etc/".length)}`;
      await Deno.writeTextFile(file, text);
      return `${file}=${place}`;
    }),
  );
}

async function readLink(path: string): Promise<string | null> {
  try {
    return await Deno.readLink(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null; // ended in between
    if (error instanceof Deno.errors.PermissionDenied) return null; // of the machine around a container
    throw error;
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return ""; // ended in between: NotFound, or ESRCH while reading
  }
}
