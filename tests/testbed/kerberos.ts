/** A Kerberos realm of a test's own: a KDC of MIT's on loopback, its database and keytabs in a temporary folder. */
import { freePort } from "./free_port.ts";
import { ProcessError, run } from "./process.ts";
import { until } from "./wait.ts";

const REALM = "KVMM.TEST";

export interface Kerberos extends AsyncDisposable {
  /** A folder for keytabs and tickets, which is removed in the end. */
  readonly folder: string;
  /** Variables by which services and clients find the realm. */
  readonly env: Readonly<Record<string, string>>;
  /** Adds a principal with a random key. @returns path of a keytab with that key */
  principal(name: string): Promise<string>;
  /** Forgets a principal. */
  remove(name: string): Promise<void>;
  /** Gets a ticket by a keytab. @param lifetime as kinit takes it: `5s` @param cache where it is kept, as KRB5CCNAME names it */
  ticket(keytab: string, name: string, lifetime: string, cache: string): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const lines = (...all: readonly string[]) => all.join("\n") + "\n";

/** Starts one, where the need `kerberos` is met. */
export async function kerberosRealm(): Promise<Kerberos> {
  await using undo = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-kerberos-" }), port = freePort();
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  const env = {
    KRB5_CONFIG: `${folder}/krb5.conf`,
    KRB5_KDC_PROFILE: `${folder}/kdc.conf`,
    // Nothing is kept outside the folder: tickets that were seen, and those of the machine's users
    KRB5RCACHENAME: "none:",
    KRB5CCNAME: `FILE:${folder}/tickets`,
  };
  await Deno.writeTextFile(
    env.KRB5_CONFIG,
    lines(
      "[libdefaults]",
      ...[`default_realm = ${REALM}`, "dns_lookup_kdc = false", "dns_lookup_realm = false", "rdns = false"],
      ...["dns_canonicalize_hostname = false", "ignore_acceptor_hostname = true", "udp_preference_limit = 1"],
      "[realms]",
      `${REALM} = {`,
      `  kdc = 127.0.0.1:${port}`,
      "}",
      "[logging]",
      `kdc = FILE:${folder}/kdc.log`,
    ),
  );
  await Deno.writeTextFile(
    env.KRB5_KDC_PROFILE,
    lines(
      "[realms]",
      `${REALM} = {`,
      `  database_name = ${folder}/principal`,
      `  key_stash_file = ${folder}/stash`,
      `  kdc_listen = 127.0.0.1:${port}`,
      `  kdc_tcp_listen = 127.0.0.1:${port}`,
      "}",
    ),
  );
  await run(["/usr/sbin/kdb5_util", "create", "-s", "-r", REALM, "-P", crypto.randomUUID()], { env });
  const admin = (command: string) => run(["/usr/sbin/kadmin.local", "-r", REALM, "-q", command], { env });
  let kdc: Deno.ChildProcess | undefined;
  const answers = async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return false;
      throw error;
    }
  };
  const start = async () => {
    const command = new Deno.Command("/usr/sbin/krb5kdc", {
      args: ["-n", "-r", REALM],
      env,
      stdout: "null",
      stderr: "null",
    });
    kdc = command.spawn();
    await until("the KDC", answers);
  };
  const stop = async () => {
    if (kdc === undefined) return;
    kdc.kill("SIGTERM");
    await kdc.status;
    kdc = undefined;
  };
  undo.defer(stop);
  await start();
  const cleanup = undo.move();
  return {
    folder,
    env,
    start,
    stop,
    principal: async (name) => {
      const keytab = `${folder}/${name.replaceAll("/", "-")}.keytab`;
      await admin(`addprinc -randkey ${name}`);
      await admin(`ktadd -k ${keytab} ${name}`);
      // kadmin.local ends with 0 whatever it says
      if (!(await run(["klist", "-k", keytab], { env })).includes(`${name}@${REALM}`)) {
        throw new ProcessError(["ktadd", name], 0, "the keytab lacks it");
      }
      return keytab;
    },
    remove: async (name) => {
      await admin(`delprinc -force ${name}`);
    },
    ticket: async (keytab, name, lifetime, cache) => {
      await run(["kinit", "-k", "-t", keytab, "-c", cache, "-l", lifetime, name], { env });
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}
