/** People with rights of their own at a server, for tests of access. */
import type { CommandName, Grant, Input, Output } from "../../lib/contract/mod.ts";
import { CallError, type TestServer } from "./server.ts";
import { anonymously, atSocket } from "./sign_in.ts";

/** A user at a server, by an API token or a session's cookie; anonymous without headers. */
export class Person {
  constructor(readonly server: TestServer, readonly headers: Record<string, string>, readonly userId = "") {}

  /** Calls a command by its name. @throws {CallError} when the server says no */
  async call<N extends CommandName>(name: N, input?: Input<N>): Promise<Output<N>> {
    return await this.raw(name, input ?? {}) as Output<N>;
  }

  /** The same with whatever input. @throws {CallError} */
  async raw(name: string, input: unknown): Promise<unknown> {
    const response = await this.fetch(`/api/v1/commands/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    });
    const body: unknown = JSON.parse(await response.text());
    if (!response.ok) throw new CallError(name, response.status, body);
    return body;
  }

  /** A request as this person, following no redirect. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(this.headers)) headers.set(name, value);
    return anonymously(this.server.url + path, { redirect: "manual", ...init, headers });
  }
}

/** Root at the server's socket. */
export async function asRoot<N extends CommandName>(
  server: TestServer,
  name: N,
  input: Input<N>,
): Promise<Output<N>> {
  return await atSocket(server.socket, name, input) as Output<N>;
}

/** A user with these grants, by a token that has all of them. @param picked what the token has instead */
export async function personWith(
  server: TestServer,
  name: string,
  grants: Grant[],
  picked: Grant[] = grants,
): Promise<Person> {
  const { id: userId } = await asRoot(server, "create_user", { name, grants });
  const { token } = await asRoot(server, "create_token", { name: "test", userId, grants: picked });
  return new Person(server, { authorization: `Bearer ${token}` }, userId);
}

/** The cookie that an answer sets; empty when it sets none. */
export function cookieOf(response: Response): string {
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** Signs in with a password; gives the session. @throws {CallError} */
export async function signedIn(server: TestServer, name: string, password: string): Promise<Person> {
  const response = await new Person(server, {}).fetch("/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  const body = await response.json();
  if (!response.ok) throw new CallError("sign_in", response.status, body);
  return new Person(server, { cookie: cookieOf(response) });
}
