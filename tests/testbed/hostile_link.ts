/** A KVM Manager that others link to and that says what it likes: it keeps to the protocol of links alone. */
import { Secrets } from "../../agent/sealing/secrets.ts";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { newSecret } from "../../agent/access/secret.ts";
import { LinkIdentity } from "../../agent/hosts/linked/identity.ts";
import { CALLER_HEADER, readCaller } from "../../agent/hosts/linked/remote_caller.ts";
import { Certificates } from "../../agent/system/certificate/certificates.ts";
import type { ConnectionStatus, Job, VM } from "../../lib/contract/mod.ts";
import { CLOCK_HEADER, invitationText, LINK_PATHS, serverStatement } from "../../lib/host/link_protocol.ts";
import { testFolder } from "./folder.ts";

/** Milliseconds between two bytes of an answer that never ends. */
const DRIP_MS = 1000;

/** A call that it got. */
interface Got {
  readonly path: string;
  readonly body: string;
  readonly caller: ReturnType<typeof readCaller>;
}

/** Starts one on loopback. */
export async function hostileLink(status: ConnectionStatus) {
  await using folder = await testFolder();
  const { pair } = await Certificates.open({ dataDir: folder.path, names: () => ["127.0.0.1"] });
  const identity = await new LinkIdentity(folder.path, new Secrets(folder.path).readKey()).ready();
  const certificate = pair.facts.fingerprint.replaceAll(":", "").toLowerCase();
  const got: Got[] = [], streams = new Set<ServerResponse>(), figures = new Set<ServerResponse>();
  const said = {
    vms: [] as VM[],
    jobs: [] as Job[],
    answers: {} as Record<string, unknown>,
    /** Id of the newest event, as its answers tell it. */
    eventId: undefined as string | undefined,
  };
  /** Command → what it is refused with. */
  const refusals: Record<string, { readonly code: string; readonly message: string }> = {};
  /** Its clock, as each answer tells it. */
  const clock = { aheadMs: 0 };
  /** Commands that are never answered. */
  const hanging = new Set<string>();
  /** Command, `hello` or `events` → what of its answer comes by one byte in {@link DRIP_MS}, for ever. */
  const dripping = new Map<string, "heads" | "body">();
  /** Command → what answers it instead, down to the status and the heads. */
  const raw: Record<string, (response: ServerResponse) => void> = {};
  const drips = new Set<ReturnType<typeof setInterval>>();
  const drip = (response: ServerResponse, part: "heads" | "body", type: string) => {
    const socket = response.socket!;
    socket.write("HTTP/1.1 200 OK\r\n");
    socket.write(part === "heads" ? "x-more: " : `content-type: ${type}\r\nconnection: close\r\n\r\n`);
    // White space before JSON, and a line of a comment before events, are nothing yet
    const timer = setInterval(
      () => socket.write(part === "heads" ? "x" : type.includes("json") ? " " : ":"),
      DRIP_MS,
    );
    drips.add(timer);
    socket.on("close", () => clearInterval(timer));
  };
  const session = { secret: newSecret(), hostname: "hostile", version: "0", role: "administrator" };
  const answers: Readonly<Record<string, (input: { challenge: string }) => unknown>> = {
    [LINK_PATHS.hello]: ({ challenge }) => ({
      publicKey: identity.publicKey,
      certificate,
      challenge: newSecret(),
      signature: identity.sign(serverStatement(certificate, challenge)),
    }),
    [LINK_PATHS.join]: () => ({ ...session, expiresInSeconds: 3600 }),
    [LINK_PATHS.session]: () => ({ ...session, expiresInSeconds: 3600 }),
    "/api/v1/commands/get_vms": () => said.vms,
    "/api/v1/commands/list_jobs": () => said.jobs,
    "/api/v1/commands/get_connection_status": () => status,
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url!, body = await text(request), header = request.headers[CALLER_HEADER];
    response.setHeader(CLOCK_HEADER, String(Date.now() + clock.aheadMs));
    if (said.eventId !== undefined) response.setHeader("x-event-id", said.eventId);
    got.push({ path, body, caller: readCaller(header === undefined ? null : String(header)) });
    const named = /^\/api\/v1\/commands\/(\w+)/.exec(path)?.[1] ?? (path === LINK_PATHS.hello ? "hello" : "");
    const isEvents = path.startsWith("/api/v1/events"), dripped = dripping.get(isEvents ? "events" : named);
    if (dripped !== undefined) {
      drip(response, dripped, isEvents ? "text/event-stream" : "application/json");
      return;
    }
    if (isEvents) {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(": begun\n\n");
      const kind = path.includes("figures=only") ? figures : streams;
      kind.add(response);
      response.on("close", () => kind.delete(response));
      return;
    }
    const known = answers[path];
    if (hanging.has(named)) return;
    if (Object.hasOwn(raw, named)) {
      raw[named]!(response);
      return;
    }
    const own = Object.hasOwn(said.answers, named) ? said.answers[named] : known?.(JSON.parse(body));
    const refusal = own === undefined ? refusals[named] ?? { code: "Internal", message: "no" } : undefined;
    response.writeHead(refusal === undefined ? 200 : 500, { "content-type": "application/json" });
    response.end(JSON.stringify(refusal ?? own));
  };
  // It gives a sign of life, as the real one does
  const alive = setInterval(() => {
    for (const stream of [...streams, ...figures]) stream.write(": alive\n\n");
  }, 10_000);
  const server = createServer({ cert: pair.cert, key: pair.key }, (request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    got,
    said,
    refusals,
    hanging,
    dripping,
    raw,
    /** Session that it answers with as a link is opened. */
    session,
    clock,
    invitation: invitationText({ address, publicKey: identity.publicKey, secret: newSecret() }),
    /** Tells figures to all that want them, as their streams have them. */
    tellFigures(frames: string): void {
      for (const stream of figures) stream.write(frames);
    },
    /** Tells an event to all that listen. */
    tell(name: string, data: unknown, id?: string): void {
      const head = id === undefined ? "" : `id: ${id}\n`;
      for (const stream of [...streams, ...figures]) {
        stream.write(`${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
      }
    },
    /** Cuts what it tells events by, as a host does that is started again. */
    cut(): void {
      for (const stream of [...streams, ...figures]) stream.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(alive);
      drips.forEach(clearInterval);
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}
