/**
 * The product on a private libvirtd, as on a host of its own: `qemu:///system` is that libvirtd, its folders are where
 * libvirt has them, and the process ids in its files are those that the product sees. The network is ours.
 */
import { filesOf, releaseName, testName } from "./names.ts";
import { PrivateLibvirt } from "./private_libvirt.ts";
import { readyServer } from "./product.ts";
import { buildBinary } from "./product_binary.ts";
import { removeFiles } from "./removal.ts";
import { type ServerOptions, startServer, type TestServer } from "./server.ts";

/** A server, and its process: `server.pid` is the shell's that has started it. */
export interface PrivateServer extends AsyncDisposable {
  readonly server: TestServer;
  readonly pid: number;
}

/** Milliseconds that the product has to stop: less than the testbed gives what it has started. */
const GRACE_MS = 4500;

/** Options of {@link privateServer} besides the libvirtd. */
export interface PrivateServerOptions extends Omit<ServerOptions, "binary" | "main" | "uri"> {
  /** Whether it is waited for until it has read its libvirt whole; so when left out. */
  readonly ready?: boolean;
}

/** Starts one. */
export async function privateServer(
  host: PrivateLibvirt,
  options: PrivateServerOptions = {},
): Promise<PrivateServer> {
  const { ready = true, ...rest } = options;
  const name = await testName("product");
  await using undo = new AsyncDisposableStack();
  undo.defer(() => releaseName(name));
  undo.defer(() => removeFiles(name));
  const folder = filesOf(name), binary = `${folder}/start`;
  await Deno.mkdir(folder, { recursive: true });
  const script = `#!/bin/sh\nset -- ${await buildBinary()} "$@"\n${host.lineInPidNamespace}\n`;
  await Deno.writeTextFile(binary, script, { mode: 0o700 });
  const server = undo.use(await (ready ? readyServer : startServer)({ ...rest, binary }));
  const pid = await PrivateLibvirt.programOf(server.pid);
  const all = undo.move();
  return {
    server,
    pid,
    [Symbol.asyncDispose]: async () => {
      // The testbed kills the shell, whose child would stay
      let killed = false;
      const timer = setTimeout(() => {
        killed = true;
        Deno.kill(pid, "SIGKILL");
      }, GRACE_MS);
      await all.disposeAsync();
      clearTimeout(timer);
      if (killed) throw new Error(`the product did not stop within ${GRACE_MS} ms of SIGTERM`);
    },
  };
}
