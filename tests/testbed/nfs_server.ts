/**
 * A real NFS server (NFS-Ganesha, without a kernel's help) in the network of a private libvirtd, whose QEMUs reach it by
 * their own client: kernels of machines for tests often have none.
 */
import { filesOf, releaseName, testName } from "./names.ts";
import { freeze, thaw } from "./pid.ts";
import type { PrivateLibvirt } from "./private_libvirt.ts";
import { ensurePackages } from "./packages.ts";
import { removeFiles } from "./removal.ts";
import { until } from "./wait.ts";

/** Makes sure there can be one. @throws {Unavailable} */
export function ensureNfsServer(): Promise<void> {
  return ensurePackages("nfs-ganesha", "nfs-ganesha-vfs", "rpcbind", "qemu-block-extra");
}

/** A server at 127.0.0.1 of its libvirtd's network. It goes with that. */
export interface NfsServer extends AsyncDisposable {
  /** The folder that it gives away, under the same path. */
  readonly folder: string;
  /** Makes it answer nothing more. Disposing of what is given lets it go on. */
  hang(): Promise<AsyncDisposable>;
}

/** Its /run is its own: sockets and locks of rpcbind and Ganesha are not for the machine's. */
const SERVE = `mount -t tmpfs tmpfs /run && mkdir -p /run/ganesha /run/rpcbind /run/sendsigs.omit.d
rpcbind -f & exec ganesha.nfsd -F -f "$1/ganesha.conf" -L "$1/ganesha.log" -p "$1/ganesha.pid"`;

/** Without locks and quotas, which have servers of their own. */
const settings = (folder: string) =>
  `NFS_CORE_PARAM { Protocols = 3; NFS_Port = 2049; MNT_Port = 20048; Enable_NLM = false; Enable_RQUOTA = false; }
EXPORT { Export_Id = 1; Path = ${folder}; Pseudo = /all; Access_Type = RW; Squash = No_Root_Squash; Protocols = 3;
  SecType = sys; FSAL { Name = VFS; } }
`;

/** Starts one. */
export async function nfsServer(host: PrivateLibvirt): Promise<NfsServer> {
  await using undo = new AsyncDisposableStack();
  const name = await testName("nfs");
  undo.defer(() => releaseName(name));
  undo.defer(() => removeFiles(name));
  const own = filesOf(name), folder = `${own}/export`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${own}/ganesha.conf`, settings(folder));
  const [program, ...args] = host.argvInside("unshare", "--mount", "sh", "-c", SERVE, "sh", own);
  const child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const server = () => host.processOf("ganesha.nfsd");
  undo.defer(async () => {
    for (const each of ["ganesha.nfsd", "rpcbind"]) {
      const pid = await host.processOf(each);
      if (pid !== null) Deno.kill(pid, "SIGKILL");
    }
    await child.status;
  });
  const log = () => Deno.readTextFile(`${own}/ganesha.log`).catch(() => "no log yet");
  await until("NFS-Ganesha", async () => (await log()).includes("NFS SERVER INITIALIZED"), {
    seconds: 10,
    lastSeen: async () => (await log()).slice(-500),
  });
  const all = undo.move();
  return {
    folder,
    hang: async () => {
      const pid = await server();
      if (pid === null) throw new Error("the NFS server is gone by itself");
      await freeze(pid);
      return {
        [Symbol.asyncDispose]: async () => {
          await thaw(pid);
          await thaw(child.pid); // nsenter stops with what it has started
        },
      };
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
