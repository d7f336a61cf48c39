/** The product from the moment it is started, for measuring the start itself; `startServer()` looks only every 50 ms. */
import { filesOf, testName } from "../testbed/names.ts";
import { removeFiles } from "../testbed/removal.ts";
import { URI } from "../testbed/virsh.ts";
import type { Context } from "./bench.ts";

/** A product that was just started. */
export interface Launched extends AsyncDisposable {
  readonly pid: number;
  /** `performance.now()` of the start. */
  readonly begin: number;
  /** Its API socket, where root needs no sign-in. It is there before {@link url} is told. */
  readonly socket: string;
  /** Address that it listens at, as soon as it reports it. */
  readonly url: Promise<string>;
  /** When it logged that libvirt is connected, in milliseconds since 1970. */
  readonly connectedAt: Promise<number>;
}

/** Starts it with folders of its own. @param cache where it unpacks itself */
export async function launch({ server }: Context, cache?: string): Promise<Launched> {
  const name = await testName("launch");
  const folder = filesOf(name);
  await Deno.mkdir(folder, { recursive: true });
  const begin = performance.now();
  const child = new Deno.Command(server.binary, {
    args: [
      "serve",
      ...["--listen", "127.0.0.1:0", "--uri", URI, "--log-level", "info"],
      ...["--data-dir", `${folder}/data`, "--runtime-dir", `${folder}/run`],
    ],
    env: { ...server.env, ...(cache === undefined ? {} : { KVMM_CACHE_DIR: cache }) },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const url = Promise.withResolvers<string>();
  const connectedAt = Promise.withResolvers<number>();
  const reading = (async () => {
    let log = "";
    for await (const bytes of child.stderr) {
      log += new TextDecoder().decode(bytes);
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(log) ?? [];
      if (address !== undefined) url.resolve(address);
      const [, time] = /^(\S+) info libvirt status=connected/m.exec(log) ?? [];
      if (time !== undefined) connectedAt.resolve(Date.parse(time));
    }
    for (const waiting of [url, connectedAt]) waiting.reject(new Error(`the product ended:\n${log}`));
  })();
  for (const waiting of [url, connectedAt]) waiting.promise.catch(() => {}); // a bench may want only one of them
  return {
    pid: child.pid,
    begin,
    socket: `${folder}/run/api.sock`,
    url: url.promise,
    connectedAt: connectedAt.promise,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await Promise.all([child.status, reading]);
      await removeFiles(name);
    },
  };
}
