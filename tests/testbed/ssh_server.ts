/** Debian's own sshd on a port of its own, with a key of its own, for one user: root, by a key. */
import { freePort } from "./free_port.ts";
import { run } from "./process.ts";
import { until } from "./wait.ts";

export interface SshServer extends AsyncDisposable {
  readonly port: number;
  /** `SHA256:…`, as ssh-keygen shows it. */
  readonly hostKey: string;
  /** The user's private key. */
  readonly privateKey: string;
  /** A folder for what is kept, which is removed with the rest. */
  readonly folder: string;
  /** The user's authorized_keys, in a home folder of its own. */
  readonly authorizedKeys: string;
  /** Lets another key in, a line of authorized_keys. */
  authorize(line: string): Promise<void>;
  /** How many connections there are. */
  connections(): Promise<number>;
  /** Gives the host another key. */
  renew(): Promise<string>;
  /** Ends the connections that there are, as a host that was switched off does. */
  cut(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
  /** Starts it again, with the same key. */
  start(): Promise<void>;
}

/** Starts one, where the need `ssh` is met. */
export async function sshServer(): Promise<SshServer> {
  await using undo = new AsyncDisposableStack();
  const at = await Deno.makeTempDir({ prefix: "kvmm-test-ssh-" }), port = freePort();
  undo.defer(() => Deno.remove(at, { recursive: true }));
  await Deno.mkdir("/run/sshd", { recursive: true });
  const makeKey = async (name: string) => {
    await Deno.remove(`${at}/${name}`).catch(() => {/* there is none yet */});
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${at}/${name}`]);
    return (await run(["ssh-keygen", "-l", "-f", `${at}/${name}.pub`])).split(" ")[1]!;
  };
  await makeKey("user");
  const authorizedKeys = `${at}/home/.ssh/authorized_keys`;
  await Deno.mkdir(`${at}/home/.ssh`, { recursive: true });
  await Deno.copyFile(`${at}/user.pub`, authorizedKeys);
  let hostKey = await makeKey("host");
  await Deno.mkdir(`${at}/folder`);
  await Deno.writeTextFile(
    `${at}/config`,
    [
      ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${at}/host`, `PidFile ${at}/pid`],
      ...[`AuthorizedKeysFile ${authorizedKeys}`, "StrictModes no", "PasswordAuthentication no", "UsePAM no"],
      ...["PermitRootLogin yes", `SetEnv HOME=${at}/home`, "Subsystem sftp internal-sftp", ""],
    ].join("\n"),
  );
  const pid = async () => (await Deno.readTextFile(`${at}/pid`)).trim();
  const start = async () => {
    await run(["/usr/sbin/sshd", "-f", `${at}/config`, "-E", `${at}/log`]);
    await until("sshd", () => Deno.stat(`${at}/pid`).then(() => true, () => false));
  };
  let last = "";
  const sessions = async () => {
    // Those of this one alone: the host may have an sshd of its own.
    last = await pid().catch(() => last);
    return (await run(["sh", "-c", `pgrep -P ${last} || true`])).split("\n").filter((line) => line !== "");
  };
  const cut = async () => {
    const all = await sessions();
    if (all.length > 0) await run(["sh", "-c", `kill -9 ${all.join(" ")} 2>/dev/null || true`]);
  };
  const stop = async () => {
    await cut();
    await run(["sh", "-c", `kill ${await pid()} 2>/dev/null || true`]);
    await until("its end", () => Deno.stat(`${at}/pid`).then(() => false, () => true));
  };
  await start();
  undo.defer(async () => {
    await cut();
    if (await Deno.stat(`${at}/pid`).then(() => true, () => false)) await stop();
  });
  const cleanup = undo.move();
  return {
    port,
    get hostKey() {
      return hostKey;
    },
    privateKey: await Deno.readTextFile(`${at}/user`),
    folder: `${at}/folder`,
    authorizedKeys,
    authorize: (line) => Deno.writeTextFile(authorizedKeys, `${line}\n`, { append: true }),
    connections: async () => (await sessions()).length,
    renew: async () => {
      await stop();
      hostKey = await makeKey("host");
      await start();
      return hostKey;
    },
    cut,
    stop,
    start,
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}
