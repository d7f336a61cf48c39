/** Credentials for the servers that VMs are imported from: in memory alone, for one user, and for a short while. */
import {
  ContractError,
  FOREIGN_SERVERS,
  type ForeignKind,
  type ForeignServer,
  type Input,
} from "../../../../lib/contract/mod.ts";
import type { Clock } from "../../../clock.ts";
import type { Principal } from "../../../access.ts";
import { message } from "../../../../lib/i18n/message.ts";

/** Milliseconds after its last use that a sign-in is forgotten. */
const KEPT_MS = 15 * 60_000;
/** Sign-ins at the same time. */
const MOST_LOGINS = 100;
const USUAL_USER = "root";

/** User name and password for a server. */
export interface ServerLogin {
  readonly username: string;
  readonly password: string | undefined;
}

/** The server and the credentials in a call. */
export type AskedLogin = Pick<Input<"list_foreign_vms">, "origin" | "username" | "password"> & {
  readonly kind: ForeignServer;
};

export class ForeignLogins {
  readonly #kept = new Map<string, { readonly login: ServerLogin; until: number }>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** The call's credentials, else the last ones of the same user for the same server. */
  of(asked: AskedLogin, principal: Pick<Principal, "name">): ServerLogin {
    this.sweep();
    const kept = this.#kept.get(keyOf(asked, principal));
    if (asked.password !== undefined) {
      return { username: asked.username ?? kept?.login.username ?? USUAL_USER, password: asked.password };
    }
    const isOther = asked.username !== undefined && asked.username !== kept?.login.username;
    if (kept === undefined || isOther) return { username: asked.username ?? USUAL_USER, password: undefined };
    kept.until = this.clock.now() + KEPT_MS;
    return kept.login;
  }

  /** An import with what is needed to sign in for as long as it runs. */
  filled<I extends Omit<AskedLogin, "kind"> & { readonly kind: ForeignKind }>(
    input: I,
    principal: Pick<Principal, "name">,
  ): I {
    const kind = FOREIGN_SERVERS.find((each) => each === input.kind);
    if (kind === undefined) return input;
    const { username, password } = this.of({ ...input, kind }, principal);
    return { ...input, username, ...(password !== undefined && { password }) };
  }

  /** The server has let it in. */
  keep(asked: AskedLogin, principal: Pick<Principal, "name">, login: ServerLogin): void {
    if (login.password === undefined) return;
    const key = keyOf(asked, principal);
    this.#kept.delete(key);
    if (this.#kept.size >= MOST_LOGINS) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(key, { login, until: this.clock.now() + KEPT_MS });
  }

  /** The server does not let it in. */
  forget(asked: AskedLogin, principal: Pick<Principal, "name">): void {
    this.#kept.delete(keyOf(asked, principal));
  }

  /** Forgets those whose time is over. */
  sweep(): void {
    const now = this.clock.now();
    for (const [key, { until }] of this.#kept) if (until <= now) this.#kept.delete(key);
  }
}

const keyOf = ({ kind, origin }: AskedLogin, { name }: Pick<Principal, "name">): string =>
  JSON.stringify([name, kind, origin]);

/** @throws {ContractError} InvalidInput where a server that asks for a password gets none */
export function requirePassword({ username, password }: ServerLogin): { username: string; password: string } {
  if (password !== undefined) return { username, password };
  throw new ContractError("InvalidInput", {
    field: "password",
    reason: message`password is missing: the server asks for that of ${username}`,
  });
}
