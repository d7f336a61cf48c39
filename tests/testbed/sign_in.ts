/**
 * Tests are signed in: each server of the testbed gets a user `tester`, an administrator, made by root at its socket.
 * Requests of this process to such a server carry the tester's API token; browsers start with the session of `visitor`,
 * an administrator as well.
 * {@link anonymously} sends requests without a sign-in.
 */
export const PASSWORD = "one bed for every machine";
/** User of requests of this process. */
export const TESTER = "tester";
/** User of browsers. */
export const VISITOR = "visitor";

interface Known {
  readonly token: string;
  readonly socket: string;
  cookie?: Promise<string>;
}

/** Origin → how to get in. */
const known = new Map<string, Known>();

/** fetch() as it is without sign-in. */
export const anonymously: typeof fetch = globalThis.fetch.bind(globalThis);

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const found = known.get(new URL(request.url).origin);
  if (found === undefined || request.headers.has("authorization") || request.headers.has("cookie")) {
    return anonymously(input, init);
  }
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${found.token}`);
  return anonymously(input, { ...init, headers });
};

/** A command as root, at the server's socket. @throws {Error} with the server's answer */
export async function atSocket(socket: string, command: string, input: unknown): Promise<unknown> {
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  const response = await anonymously(`http://localhost/api/v1/commands/${command}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
    client,
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${command}: ${JSON.stringify(body)}`, { cause: body });
  return body;
}

const EVERYTHING = [{ role: "administrator", on: { kind: "everything" } }];

/** Makes the tester. Where the server's database is unusable there is none, and only root gets in. */
export async function signInTester(origin: string, socket: string): Promise<void> {
  try {
    const users = await atSocket(socket, "list_users", {}) as { id: string; name: string }[];
    const user = users.find(({ name }) => name === TESTER) ??
      await atSocket(socket, "create_user", { name: TESTER, grants: EVERYTHING }) as { id: string };
    const input = { name: "testbed", userId: user.id, grants: EVERYTHING };
    const { token } = await atSocket(socket, "create_token", input) as { token: string };
    known.set(origin, { token, socket });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    if (code !== "StoreUnavailable") throw error;
  }
}

/** The server is gone. */
export function forgetTester(origin: string): void {
  known.delete(origin);
}

/** Headers of the tester at a server, for what does not go through fetch(). */
export function testerHeaders(origin: string): Record<string, string> {
  const found = known.get(origin);
  return found === undefined ? {} : { authorization: `Bearer ${found.token}` };
}

/**
 * Makes the visitor, and signs them in: at a server that has none through a setup link, which hashes the password once and
 * not twice. A password of the tester's own would end what their token has open.
 */
async function signIn(origin: string, { socket }: Known): Promise<string> {
  const who = { name: VISITOR, password: PASSWORD };
  const users = await atSocket(socket, "list_users", {}) as { name: string }[];
  if (users.some(({ name }) => name === VISITOR)) return await sessionOf(`${origin}/api/v1/session`, who);
  const { url } = await atSocket(socket, "create_setup_link", {}) as { url: string };
  return await sessionOf(`${origin}/api/v1/setup`, { ...who, key: new URL(url).searchParams.get("key") });
}

/** The cookie of the session that a request opens. */
async function sessionOf(url: string, body: unknown): Promise<string> {
  const response = await anonymously(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const cookie = response.headers.get("set-cookie");
  if (!response.ok || cookie === null) throw new Error(`the visitor could not sign in: ${text}`);
  return cookie.split(";")[0]!;
}

/** Cookies of the visitor at every running server, for a browser's context. */
export async function testerCookies(): Promise<{ name: string; value: string; url: string }[]> {
  return await Promise.all([...known].map(async ([origin, found]) => {
    found.cookie ??= signIn(origin, found);
    const [name = "", value = ""] = (await found.cookie).split("=");
    return { name, value, url: origin };
  }));
}
