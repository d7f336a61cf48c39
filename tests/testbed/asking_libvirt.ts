/** A private libvirtd that asks who connects: by SASL for a user and a password, by TLS for a certificate. */
import { freePort } from "./free_port.ts";
import { type PrivateLibvirt, privateLibvirt } from "./private_libvirt.ts";
import { run } from "./process.ts";

/** Listeners that ask for a user: its socket, or its port for TLS. */
export interface AskingOptions {
  readonly socket: boolean;
  readonly port: boolean;
  /** Mechanisms of SASL instead of passwords, and what libvirtd needs for them. */
  readonly mechanisms?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Certificates as libvirt wants them, in folders for `pkipath`. */
export interface Certificates {
  /** Folder with the certificates of a client that is accepted. */
  readonly good: string;
  /** A CA that knows nothing of the server's, and a client's certificate of it. */
  readonly stranger: string;
  /** The server's CA, and no certificate of a client. */
  readonly nameless: string;
}

export interface AskingLibvirt extends AsyncDisposable {
  readonly host: PrivateLibvirt;
  readonly certificates: Certificates;
  /** Port for TLS, at 127.0.0.1, which its certificate is for. */
  readonly port: number;
  /** Gives a user another password. */
  setPassword(username: string, password: string): Promise<void>;
  /** Has it take these mechanisms of SASL alone, once it is started again. */
  setMechanisms(list: string): Promise<void>;
  /** How many sign-ins it has refused. */
  refusals(): Promise<number>;
}

/** Credentials of virsh. */
const ADMIN = { username: "testbed", password: "testbed's own" } as const;
const MECHANISMS = "scram-sha-256 digest-md5";

const extensionsFor = (address: string): string =>
  [
    `subjectAltName=IP:${address}`,
    "basicConstraints=CA:FALSE",
    "keyUsage=digitalSignature,keyEncipherment",
    "extendedKeyUsage=serverAuth,clientAuth",
  ].join("\n");
/** Days that each is valid: a clock that is set ahead makes the server's expire first, then the client's. */
const VALID_DAYS = { server: 30, client: 200 } as const;
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Makes a CA in a folder (`cacert.pem`). */
export async function makeCa(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const files = ["-keyout", `${folder}/cakey.pem`, "-out", `${folder}/cacert.pem`];
  await run(["openssl", "req", "-x509", ...NEW_KEY, ...files, "-days", "400", "-subj", "/CN=Test CA"]);
}

/** Makes a key and a certificate of the folder's CA. @param who `server` or `client`, as libvirt calls the files */
export async function makeCertificate(
  folder: string,
  who: "server" | "client",
  address = "127.0.0.1",
): Promise<void> {
  const at = (end: string) => `${folder}/${who}${end}`;
  await Deno.writeTextFile(`${folder}/extensions`, extensionsFor(address));
  const request = ["-keyout", at("key.pem"), "-out", at(".csr"), "-subj", `/CN=${who}`];
  await run(["openssl", "req", ...NEW_KEY, ...request]);
  const signed = ["-CA", `${folder}/cacert.pem`, "-CAkey", `${folder}/cakey.pem`, "-CAcreateserial"];
  const files = ["-in", at(".csr"), "-out", at("cert.pem"), "-extfile", `${folder}/extensions`];
  await run(["openssl", "x509", "-req", ...files, ...signed, "-days", String(VALID_DAYS[who])]);
}

async function makeCertificates(folder: string): Promise<Certificates> {
  const places = {
    good: `${folder}/good`,
    stranger: `${folder}/stranger`,
    nameless: `${folder}/nameless`,
  };
  for (const each of [places.good, places.stranger]) {
    await makeCa(each);
    await makeCertificate(each, "client");
  }
  await makeCertificate(places.good, "server");
  await Deno.mkdir(places.nameless);
  await Deno.copyFile(`${places.good}/cacert.pem`, `${places.nameless}/cacert.pem`);
  return places;
}

/** Starts one, where the need `sasl` is met. */
export async function askingLibvirt(purpose: string, asks: AskingOptions): Promise<AskingLibvirt> {
  await using undo = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-asking-" }), users = `${folder}/users.db`;
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  const certificates = await makeCertificates(folder), port = freePort(), authfile = `${folder}/auth.conf`;
  const setMechanisms = (list: string) =>
    Deno.writeTextFile(`${folder}/libvirt.conf`, `mech_list: ${list}\nsasldb_path: ${users}\n`);
  const setPassword = async (username: string, password: string) => {
    await run(["saslpasswd2", "-p", "-c", "-a", "libvirt", "-f", users, username], { stdin: password });
  };
  await setMechanisms(asks.mechanisms ?? MECHANISMS);
  await setPassword(ADMIN.username, ADMIN.password);
  const login = [`authname=${ADMIN.username}`, `password=${ADMIN.password}`].join("\n");
  await Deno.writeTextFile(
    authfile,
    `[credentials-own]\n${login}\n[auth-libvirt-default]\ncredentials=own\n`,
  );
  const host = undo.use(
    await privateLibvirt(purpose, {
      log: "1:rpc 1:remote",
      access: {
        conf: {
          listen_tls: 1,
          listen_tcp: 0,
          listen_addr: "127.0.0.1",
          tls_port: String(port),
          auth_tls: asks.port ? "sasl" : "none",
          auth_unix_rw: asks.socket ? "sasl" : "none",
          key_file: `${certificates.good}/serverkey.pem`,
          cert_file: `${certificates.good}/servercert.pem`,
          ca_file: `${certificates.good}/cacert.pem`,
        },
        env: { SASL_CONF_PATH: folder, ...asks.env },
        listens: true,
        ...(asks.socket && { authfile }),
      },
    }),
  );
  const cleanup = undo.move();
  return {
    host,
    certificates,
    port,
    setPassword,
    setMechanisms,
    refusals: async () => {
      const lines = (await Deno.readTextFile(host.logFile)).split("\n");
      return lines.filter((line) =>
        /error : remoteDispatchAuthSasl\w+:\d+ : authentication failed/.test(line)
      ).length;
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}
