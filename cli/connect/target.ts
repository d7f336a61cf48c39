/** The server that a command is sent to: this host's, by its socket, or a remote one, over HTTPS with an API token. */
import { message, render } from "../../lib/i18n/message.ts";
import {
  CONFIG_ENV,
  DEFAULT_CONFIG,
  defaultRuntimeDir,
  HOST_RUNTIME_DIR,
  RUNTIME_DIR_ENV,
  RUNTIME_DIR_FLAG,
} from "../../agent/runtime_dir.ts";
import { SettingsError } from "../../agent/settings_error.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { environment, SOCKET_FILE } from "../environment.ts";
import { unreadable } from "../unreadable.ts";
import { readContexts, type ServerContext } from "./contexts.ts";

/** Options that say which server is meant, for `parseArgs`. */
export const TARGET_OPTIONS = {
  socket: { type: "string" },
  "runtime-dir": { type: "string" },
  server: { type: "string" },
  "token-file": { type: "string" },
  ca: { type: "string" },
  fingerprint: { type: "string" },
  context: { type: "string" },
} as const;
/** Values of these options. */
export type TargetValues = { readonly [N in keyof typeof TARGET_OPTIONS]?: string | undefined };

/** The same for help and man page: option, value, what it says, its variable. */
export const TARGET_HELP: readonly (readonly [flag: string, value: string, text: string, env?: string])[] = [
  ["socket", "FILE", "the socket of a server on this host", "KVMM_SOCKET"],
  ["runtime-dir", "DIR", `folder of that socket, ${SOCKET_FILE}`, RUNTIME_DIR_ENV],
  ["server", "URL", "a server elsewhere, https://host:8440", "KVMM_SERVER"],
  [
    "token-file",
    "FILE",
    "file with the API token for it; the token itself may be in KVMM_TOKEN",
    "KVMM_TOKEN_FILE",
  ],
  ["ca", "FILE", "certificates of the authorities to trust, PEM", "KVMM_CA"],
  ["fingerprint", "SHA256", "trust the server's certificate by its fingerprint instead", "KVMM_FINGERPRINT"],
  ["context", "NAME", "a server from kvm-manager login", "KVMM_CONTEXT"],
];

/** The host of a server that verbs are for, where that is not the one it runs on. */
interface OnHostOf {
  readonly host?: string;
}

/** A server, and how to get in. */
export type Target =
  | OnHostOf & { readonly kind: "socket"; readonly path: string }
  | OnHostOf & {
    readonly kind: "remote";
    readonly url: URL;
    readonly token: string;
    readonly ca?: string;
    /** SHA-256 of the certificate, 64 hexadecimal digits. */
    readonly fingerprint?: string;
  };

/** The name of this host's own server. */
export const HERE = "local";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** An address that a token may be sent to. @throws {SettingsError} */
export function serverUrl(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `https://${text}`);
  if (
    !url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "" || url.hash !== ""
  ) {
    throw new SettingsError(render(message`${JSON.stringify(text)} is not a server like https://host:8440`));
  }
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname)) {
    throw new SettingsError(
      render(message`the token would go over the network in the clear. Use https://${url.host}`),
    );
  }
  return url;
}

/** 64 hexadecimal digits, from whatever way they are written in. @throws {SettingsError} */
export function fingerprintOf(text: string): string {
  const digits = text.replace(/^sha-?256:/i, "").replace(/[:\s]/g, "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits)) {
    throw new SettingsError("--fingerprint must be a SHA-256: 64 hexadecimal digits, with or without colons");
  }
  return digits;
}

function read(file: string, what: string): string {
  try {
    return Deno.readTextFileSync(file === "-" ? "/dev/stdin" : file);
  } catch (error) {
    throw new SettingsError(render(unreadable(what, file, error)));
  }
}

/** A server elsewhere. @throws {SettingsError} */
export function remoteTarget({ server, token, ca, fingerprint }: ServerContext): Target {
  // What a header cannot carry is no token, and must not get as far as an error that shows it.
  if (!/^[\w.~+/=-]{1,256}$/.test(token)) {
    throw new SettingsError("the API token has characters that none has");
  }
  return {
    kind: "remote",
    url: serverUrl(server),
    token,
    ...(ca !== undefined && { ca: read(ca, render(message`the file of --ca ${ca}`)) }),
    ...(fingerprint !== undefined && { fingerprint: fingerprintOf(fingerprint) }),
  };
}

/**
 * The server that is meant: options win over the environment, that over the context of `login`; else it is this host's.
 *
 * @throws {SettingsError}
 */
export async function targetOf(values: TargetValues): Promise<Target> {
  const { target, context } = await serverTarget(values), { env } = environment();
  const host = env("KVMM_HOST") || (context === undefined ? undefined : readContexts(env).hosts?.[context]);
  return host === undefined || host === LOCAL_HOST ? target : { ...target, host };
}

/** The name that the host of the server is kept by; undefined for a server that options or variables name. @throws {SettingsError} */
export async function contextOf(values: TargetValues): Promise<string | undefined> {
  return (await serverTarget(values)).context;
}

/** The server, and the name that its host is kept by. @throws {SettingsError} */
async function serverTarget(values: TargetValues): Promise<{ target: Target; context?: string }> {
  const { env } = environment();
  const of = (name: keyof TargetValues, variable: string) => values[name] ?? (env(variable) || undefined);
  const folder = values["runtime-dir"];
  if (values.socket !== undefined || folder !== undefined) {
    return { target: { kind: "socket", path: values.socket ?? `${folder}/${SOCKET_FILE}` } };
  }
  // A context that was asked for by option is not overridden by what happens to be in the environment.
  const server = values.server ??
    (values.context === undefined ? env("KVMM_SERVER") || undefined : undefined);
  const ca = of("ca", "KVMM_CA"), fingerprint = of("fingerprint", "KVMM_FINGERPRINT");
  if (server !== undefined) {
    const file = of("token-file", "KVMM_TOKEN_FILE");
    const token = file === undefined
      ? env("KVMM_TOKEN")
      : read(file, render(message`the file of --token-file ${file}`));
    if (!token) {
      throw new SettingsError(
        render(
          message`an API token is needed for ${server}: --token-file FILE, KVMM_TOKEN, or kvm-manager login`,
        ),
      );
    }
    const context = {
      server,
      token: token.trim(),
      ...(ca !== undefined && { ca }),
      ...(fingerprint !== undefined && { fingerprint }),
    };
    return { target: remoteTarget(context) };
  }
  const socket = values.context === undefined ? env("KVMM_SOCKET") : undefined;
  if (socket) return { target: { kind: "socket", path: socket } };
  const { current, contexts } = readContexts(env);
  const name = of("context", "KVMM_CONTEXT") ?? current ?? HERE;
  if (name !== HERE) {
    if (!Object.hasOwn(contexts, name)) {
      throw new SettingsError(
        render(message`there is no context ${JSON.stringify(name)}. See kvm-manager context list`),
      );
    }
    return { target: remoteTarget(contexts[name]!), context: name };
  }
  return { target: { kind: "socket", path: await hereSocket() }, context: HERE };
}

/** This host's socket: one's own server's where there is one, else the host's. */
async function hereSocket(): Promise<string> {
  const own = `${await ownRuntimeDir()}/${SOCKET_FILE}`;
  const host = `${HOST_RUNTIME_DIR}/${SOCKET_FILE}`;
  return !isThere(own) && isThere(host) ? host : own;
}

/** The folder that settings name. They are read as a whole only where the config file names it. @throws {SettingsError} */
async function ownRuntimeDir(): Promise<string> {
  const { env } = environment();
  const named = env(CONFIG_ENV) || undefined;
  const said = env(RUNTIME_DIR_ENV);
  if (said) return said;
  if (named === undefined && !mentions(DEFAULT_CONFIG, RUNTIME_DIR_FLAG)) {
    return defaultRuntimeDir(environment());
  }
  const { readSettings } = await import("../../agent/settings.ts");
  return readSettings([], environment()).runtimeDir;
}

/** Whether a text is in a file; one that is not there, or not for us to read, has none. */
function mentions(file: string, text: string): boolean {
  try {
    return Deno.readTextFileSync(file).includes(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    // It is there, for others: that is said when it is used.
    return error instanceof Deno.errors.PermissionDenied;
  }
}
