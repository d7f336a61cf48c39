/** Open vSwitch for tests: its real daemons, switching in user space, so that no kernel module is needed. */
import { aloneWith } from "./alone.ts";
import { filesOf, testName } from "./names.ts";
import { ensurePackages } from "./packages.ts";
import { exists, ProcessError, run } from "./process.ts";
import { removeFiles } from "./removal.ts";
import { Unavailable } from "./unavailable.ts";
import { until } from "./wait.ts";

/** Folder in which its tools, libvirt among their users, look for it. */
const FOLDER = "/run/openvswitch";
const SOCKET = `${FOLDER}/db.sock`;
const SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema";

/** @throws {Unavailable} where it cannot be installed, or this kernel lets no program make network devices */
export async function ensureOpenvswitch(): Promise<void> {
  await ensurePackages("openvswitch-switch");
  if (!await exists("/dev/net/tun")) {
    throw new Unavailable("no /dev/net/tun: no program can make network devices");
  }
}

/** A bridge of Open vSwitch. Disposing of it removes it, and ends the daemons where it has started them. */
export interface TestSwitch extends AsyncDisposable {
  /** Its name, at most 15 characters. */
  readonly bridge: string;
  /** Makes a port of the host itself in a VLAN, with an address like `10.1.2.3/24`. */
  hostPort(tag: number, cidr: string): Promise<void>;
  /** Columns of a port, as `ovs-vsctl get` prints them. */
  port(name: string, ...columns: string[]): Promise<string[]>;
}

/** Makes a bridge; the daemons are started where none run. */
export async function testSwitch(): Promise<TestSwitch> {
  await using undo = new AsyncDisposableStack();
  // Who has started the daemons ends them, whoever else uses them
  undo.use(await aloneWith("openvswitch"));
  if (!await answers()) await startDaemons(undo);
  const id = crypto.randomUUID().slice(0, 6);
  const bridge = `kvmmo${id}`;
  await vsctl("add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev");
  undo.defer(() => vsctl("del-br", bridge).then(() => undefined));
  const cleanup = undo.move();
  return {
    bridge,
    hostPort: async (tag, cidr) => {
      const name = `kvmmh${id.slice(0, 4)}.${tag}`;
      const add = ["add-port", bridge, name, `tag=${tag}`, "--", "set", "interface", name, "type=internal"];
      await vsctl(...add);
      await run(["ip", "address", "add", cidr, "dev", name]);
      await run(["ip", "link", "set", name, "up"]);
    },
    port: async (name, ...columns) =>
      (await vsctl("get", "port", name, ...columns)).trim().split("\n").map((line) => line.trim()),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

function vsctl(...args: string[]): Promise<string> {
  return run(["ovs-vsctl", "--timeout=20", ...args]);
}

/** Whether its database does: the socket of one that was killed is there, too. */
async function answers(): Promise<boolean> {
  try {
    await run(["ovs-vsctl", "--timeout=5", "show"]);
    return true;
  } catch (error) {
    if (error instanceof ProcessError) return false;
    throw error;
  }
}

/** The database and the switch, as children of ours. */
async function startDaemons(undo: AsyncDisposableStack): Promise<void> {
  const name = await testName("ovs");
  undo.defer(() => removeFiles(name));
  const folder = filesOf(name);
  await Deno.mkdir(folder, { recursive: true });
  if (!await exists(FOLDER)) {
    await Deno.mkdir(FOLDER);
    undo.defer(() => Deno.remove(FOLDER, { recursive: true }));
  }
  if (await exists(SOCKET)) await Deno.remove(SOCKET);
  await run(["ovsdb-tool", "create", `${folder}/conf.db`, SCHEMA]);
  const daemon = (program: string, ...args: string[]) => {
    const child = new Deno.Command(program, {
      args: [...args, `--unixctl=${folder}/${program}.ctl`, `--log-file=${folder}/${program}.log`],
      env: { OVS_RUNDIR: folder },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    undo.defer(async () => {
      child.kill("SIGTERM");
      await child.status;
    });
  };
  daemon("ovsdb-server", `${folder}/conf.db`, `--remote=punix:${SOCKET}`);
  await until("the socket of ovsdb-server", () => exists(SOCKET), { seconds: 20 });
  await vsctl("--no-wait", "init");
  daemon("ovs-vswitchd", `unix:${SOCKET}`);
}
