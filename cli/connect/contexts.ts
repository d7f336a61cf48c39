/** Servers somebody has logged in to, with the API token for each: a file that is theirs alone. */
import { message, render } from "../../lib/i18n/message.ts";
import { SettingsError } from "../../agent/settings_error.ts";
import { parseJson } from "../../lib/text/json.ts";
import { messageOf } from "../../lib/text/message.ts";

/** A server that is known by a name. */
export interface ServerContext {
  readonly server: string;
  readonly token: string;
  /** SHA-256 of the server's certificate, where no authority vouches for it. */
  readonly fingerprint?: string;
  /** File with the authorities' certificates, PEM. */
  readonly ca?: string;
}

/** All of them. */
export interface Contexts {
  /** Server → the host of it that verbs are for (`host use`); this host's server is `local`. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** The context that is used when none is named. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, ServerContext>>;
}

type Env = (name: string) => string | undefined;

/** Path of the file that contexts are kept in. */
export function contextsFile(env: Env): string {
  return `${env("XDG_CONFIG_HOME") || `${env("HOME") || "/root"}/.config`}/kvm-manager/contexts.json`;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function checked(value: unknown, file: string): Contexts {
  const { current, contexts, hosts = {} } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const known = Object.values((contexts ?? {}) as Record<string, Partial<ServerContext> | null>);
  const isRight = Object.values(hosts ?? {}).every(isText) &&
    known.every((each) => isText(each?.server) && isText(each?.token)) &&
    (current === undefined || isText(current));
  if (!isRight) {
    throw new SettingsError(
      render(message`${file} is not what kvm-manager login writes. Remove it and log in again`),
    );
  }
  return value as Contexts;
}

/** @throws {SettingsError} for a file that is broken, or that others can read */
export function readContexts(env: Env): Contexts {
  const file = contextsFile(env);
  let text: string;
  try {
    const { mode } = Deno.statSync(file);
    if ((mode ?? 0) & 0o077) {
      throw new SettingsError(
        render(message`${file} can be read by others, and holds tokens. Say chmod 600 ${file}`),
      );
    }
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return { contexts: {} };
    }
    throw error;
  }
  try {
    return checked(parseJson(text), file);
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(render(message`${file} is not JSON: ${messageOf(error)}`));
  }
}

/** Writes them, whole or not at all. */
export async function writeContexts(env: Env, contexts: Contexts): Promise<void> {
  const file = contextsFile(env);
  await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  const draft = `${file}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(draft, JSON.stringify(contexts, null, 2) + "\n", { mode: 0o600, createNew: true });
  await Deno.rename(draft, file);
}
