/** Two hosts in one process: a bare local one, and a furnished second one of libvirt's test driver. */
import { join } from "node:path";
import { localPrincipal } from "../../agent/testing.ts";
import { entry } from "../../agent/http/entry.ts";
import { listenSocket } from "../../agent/http/server.ts";
import "../../fresh.gen.ts";
import type { CommandName } from "../../lib/contract/mod.ts";
import { app as pages } from "../../main.ts";
import { appHere } from "./app_here.ts";
import { testFolder } from "./folder.ts";
import { furnish } from "./furnished.ts";

/** Id of the second host. */
export const SECOND_HOST = "lab";
/** Id of the first host's VM. */
export const LOCAL_VM = "66666666-6666-4666-8666-666666666666";
/**
 * Fixed ids: objects read from a file have another id whenever libvirt is connected to another time, unless they are
 * given one.
 */
const LOCAL_NETWORK = "66666666-6666-4666-8666-666666666667",
  LOCAL_POOL = "66666666-6666-4666-8666-666666666668";

/** The first host: what a form that lost its host would change has the same names there. */
const LOCAL = `<node><domain type="test"><name>own</name><uuid>${LOCAL_VM}</uuid>
  <memory unit="MiB">64</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>
  <network><name>default</name><uuid>${LOCAL_NETWORK}</uuid><bridge name="testbr7"/><ip address="192.168.77.1" netmask="255.255.255.0"/></network>
  <pool type="dir"><name>default-pool</name><uuid>${LOCAL_POOL}</uuid><target><path>/default-pool</path></target></pool></node>`;

/**
 * Serves both hosts' pages as root sees them.
 *
 * @returns `open()` asks without a browser; browsers reach the pages at `url`
 */
export async function twoHosts() {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder());
  await Deno.mkdir(`${folder.path}/backups`);
  await Deno.writeTextFile(`${folder.path}/local.xml`, LOCAL);
  const here = undo.use(
    await appHere([{ id: SECOND_HOST, uri: "test:///default" }], `test://${folder.path}/local.xml`),
  );
  const { app } = here, socket = join(here.dataDir, "pages.sock");
  const call = (name: CommandName, input: unknown) =>
    app.dispatch(name, input, localPrincipal("page"), undefined, SECOND_HOST);
  await furnish({ call: call as never, asRoot: call as never, isLocal: false }, `${folder.path}/backups`);
  const listener = await listenSocket(socket, entry(app, pages.handler()));
  undo.defer(() => listener.close());
  const client = undo.use(Deno.createHttpClient({ proxy: { transport: "unix", path: socket } }));
  const open = (path: string, init: RequestInit = {}) =>
    fetch(`http://localhost${path}`, { ...init, client });
  // A browser speaks to no UNIX socket
  const front = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { method, headers, body, url } = request;
    return fetch(url, { method, headers, body, redirect: "manual", client });
  });
  undo.defer(() => front.shutdown());
  const kept = undo.move();
  return {
    ...here,
    open,
    url: `http://127.0.0.1:${front.addr.port}`,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
