/** Users of this host at one listener: a user who takes as many connections as possible does not keep others out. */
import assert from "node:assert/strict";
import { Certificates } from "../../agent/system/certificate/certificates.ts";
import { MOST_CONNECTIONS, MOST_PER_USER, ofConnection } from "../../agent/http/connections.ts";
import { type Answer, type Listener, listenTcp } from "../../agent/http/server.ts";
import { asUser } from "../../ffi/effective_user.ts";
import { inOwnProcess } from "../testbed/own_process.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";
import { until } from "../testbed/wait.ts";

const FIRST = 61_001;
/** Connections that may be accepted before their owners are looked up. */
const UNSEEN = 32;

/** A connection that somebody holds. */
class Held {
  isOpen = true;
  text = "";

  constructor(private readonly connection: Deno.Conn) {
    this.#read();
  }
  async #read(): Promise<void> {
    try {
      for await (const piece of this.connection.readable) this.text += new TextDecoder().decode(piece);
    } catch (error) {
      const { ConnectionReset, BadResource, UnexpectedEof } = Deno.errors;
      if (![ConnectionReset, BadResource, UnexpectedEof].some((kind) => error instanceof kind)) throw error;
    }
    this.isOpen = false;
  }
  async send(text: string): Promise<void> {
    await this.connection.write(new TextEncoder().encode(text));
  }
}

class Clients {
  readonly #port: number;

  constructor(private readonly listener: Listener, private readonly caCerts: string[] = []) {
    this.#port = Number(new URL(listener.address).port);
  }

  /** As many connections as somebody gets, without a request. */
  async hold(uid: number, count: number): Promise<Held[]> {
    return await asUser({ uid, gid: uid }, async () => {
      const open: Held[] = [];
      for (let index = 0; index < count; index++) open.push(new Held(await this.#connect()));
      return open;
    });
  }

  /** A request on a connection of its own, which stays open. */
  async ask(uid: number, path = "/"): Promise<Held> {
    return await asUser({ uid, gid: uid }, async () => {
      const { hostname, host } = new URL(this.listener.address);
      const plain = await this.#connect();
      const held = new Held(
        this.caCerts.length === 0 ? plain : await Deno.startTls(plain, { hostname, caCerts: this.caCerts }),
      );
      await held.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await until(
        `an answer for user ${uid}`,
        () => Promise.resolve(held.text.includes("answer") || !held.isOpen),
      );
      assert.match(held.text, /^HTTP\/1\.1 200 /, `user ${uid} was not answered`);
      return held;
    });
  }

  async #connect(): Promise<Deno.TcpConn> {
    return await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
  }
}

const answer: Answer = (request) => {
  if (new URL(request.url).pathname === "/signed-in") ofConnection(request).signedIn();
  return Promise.resolve(new Response("answer"));
};
const countOpen = (all: readonly Held[]) => all.filter(({ isOpen }) => isOpen).length;

async function shareOut(clients: Clients): Promise<void> {
  const signedIn = await clients.ask(FIRST, "/signed-in");
  // One who wants everything.
  const one = await clients.hold(FIRST, MOST_CONNECTIONS + 100);
  await clients.ask(FIRST + 1);
  await until("one user to have a share", () => Promise.resolve(countOpen(one) <= MOST_PER_USER + UNSEEN));
  assert.ok(countOpen(one) >= MOST_PER_USER - 1, `one user holds ${countOpen(one)}`);
  // Five who want it together: all places are taken then.
  const greedy = [one];
  for (let index = 1; index < 5; index++) {
    greedy.push(await clients.hold(FIRST + index, MOST_PER_USER + UNSEEN));
  }
  const total = () => countOpen(greedy.flat());
  await until("all places to be taken", () => Promise.resolve(total() <= MOST_CONNECTIONS));
  assert.ok(total() > MOST_CONNECTIONS - UNSEEN, `all hold ${total()}`);
  for (let count = 0; count < 20; count++) await clients.ask(FIRST + 10);
  assert.ok(signedIn.isOpen, "who is signed in loses nothing to who is not");
}

async function inTurn(secure: boolean): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const certificates = secure
      ? await Certificates.open({ dataDir, names: () => ["127.0.0.1"] })
      : undefined;
    const listener = await listenTcp(`${secure ? "https" : "http"}://127.0.0.1:0`, answer, { certificates });
    try {
      await shareOut(new Clients(listener, certificates && [certificates.pair.cert]));
    } finally {
      await listener.close();
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

for (const secure of [false, true]) {
  const name = `users of the host share the connections${secure ? " of a listener with TLS" : ""}: ` +
    "no one of them, nor five, keep another out";
  Deno.test({
    name,
    ignore: skippedUnlessRoot(),
    fn: inOwnProcess(import.meta.url, name, () => inTurn(secure)),
  });
}
