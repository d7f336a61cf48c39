/** The door for MCP, behind its HTTP: who is let in, whose session it is, and how often they may call. */
import { ContractError } from "../../lib/contract/errors.ts";
import { type McpMessage, SESSION_HEADER } from "../../lib/mcp/protocol.ts";
import type { Principal } from "../access.ts";
import type { Clock } from "../clock.ts";
import { Rate } from "../limits.ts";
import type { ActivityLog } from "../store/activity.ts";
import { cappedPrincipal, McpCalls, type McpWorld } from "./calls.ts";
import { clientIn, type ClientSession, McpSessions } from "./sessions.ts";
import type { McpSettings } from "./settings.ts";

/** By what somebody is let in. A browser's session is not asked: what a page of somebody else's makes it send is none of a program's. */
const OPENED_BY: ReadonlySet<Principal["via"]> = new Set(["token", "socket", "demo"]);
/** Method that begins a session. */
const INITIALIZE = "initialize";
/** Methods that count as calls; all others keep the session itself going. */
const COUNTED: ReadonlySet<string> = new Set([INITIALIZE, "tools/call", "resources/read", "resources/list"]);
/** Milliseconds after which a request without an answer is given up, as one that was cancelled. */
const MOST_MS = 60_000;

/** A request, parsed. */
export interface McpRequest {
  readonly request: Request;
  readonly message: McpMessage;
  /** The host of the context that it comes from. */
  readonly on: string | undefined;
}

export class McpDoor {
  readonly sessions: McpSessions;
  readonly calls: McpCalls;
  #rate: { readonly perMinute: number; readonly of: Rate } | undefined;

  constructor(
    readonly settings: McpSettings,
    world: Omit<McpWorld, "settings" | "now">,
    private readonly activity: Pick<ActivityLog, "record">,
    private readonly clock: Clock,
  ) {
    this.sessions = new McpSessions(clock);
    this.calls = new McpCalls({ ...world, settings: () => settings.current, now: () => clock.now() });
  }

  /** Lets somebody in, or does not. @throws {ContractError} NotSignedIn, McpOff */
  admit({ via }: Principal): void {
    if (!OPENED_BY.has(via)) throw new ContractError("NotSignedIn");
    if (!this.settings.current.enabled) throw new ContractError("McpOff");
  }

  /** Switches it off, and ends what is open: first of all, whether or not it can be written down. */
  stop(): void {
    this.settings.switchOff();
    this.sessions.endAll();
    this.settings.set({ enabled: false });
  }

  /** Answers a message. @throws {ContractError} McpSessionNotFound, TooManyRequests */
  async answer({ request, message, on }: McpRequest, principal: Principal): Promise<Response> {
    const id = request.headers.get(SESSION_HEADER);
    if (id === null && message.method !== INITIALIZE) {
      throw new ContractError("InvalidInput", {
        reason: {
          $text: "a session begins with initialize, and each message after it has the head {header}",
          args: { header: SESSION_HEADER },
        },
      });
    }
    if (COUNTED.has(message.method ?? "")) this.#count(principal);
    const session = id === null ? await this.#begin(message, principal) : this.sessions.of(id, principal);
    const response = await this.#inSession(session, { request, message, on }, principal);
    // What was no initialize after all leaves nothing
    if (id === null && !response.ok) this.sessions.end(session.id);
    return response;
  }

  /** Ends a session. @throws {ContractError} McpSessionNotFound */
  end(request: Request, principal: Principal): void {
    this.sessions.end(this.sessions.of(request.headers.get(SESSION_HEADER) ?? "", principal).id);
  }

  async #begin(message: McpMessage, principal: Principal): Promise<ClientSession> {
    const { params } = message as { params?: { clientInfo?: unknown } };
    const client = clientIn(params?.clientInfo);
    const { openSession } = await import("./server.ts");
    const session = await this.sessions.begin(
      principal,
      client,
      (id) => openSession(this.calls, id, () => this.settings.current.acting),
    );
    this.activity.record({
      actor: principal.name,
      door: "mcp",
      action: "mcp-session",
      result: "event",
      client,
      ...(principal.address !== "" && { address: principal.address }),
    });
    return session;
  }

  async #inSession(
    session: ClientSession,
    { request, message, on }: McpRequest,
    principal: Principal,
  ): Promise<Response> {
    using _used = session.use();
    const capped = cappedPrincipal(principal, this.settings.current, session.client);
    const over = Promise.withResolvers<Response>();
    const give = () => over.reject(session.ended.reason);
    session.ended.addEventListener("abort", give);
    const late = setTimeout(() => over.resolve(new Response(null, { status: 202 })), MOST_MS);
    const { plans, open } = session;
    try {
      return await Promise.race([
        open.handle(request, message, { principal: capped, plans, on, ended: session.ended }),
        over.promise,
      ]);
    } finally {
      clearTimeout(late);
      session.ended.removeEventListener("abort", give);
    }
  }

  /** Counts a call of a token, or of a user at the socket. @throws {ContractError} TooManyRequests */
  #count({ holder }: Principal): void {
    const { callsPerMinute: perMinute } = this.settings.current;
    if (this.#rate?.perMinute !== perMinute) {
      const rate = { perSecond: perMinute / 60, burst: perMinute };
      this.#rate = { perMinute, of: new Rate(rate, this.clock) };
    }
    if (this.#rate!.of.take(holder)) return;
    throw new ContractError("TooManyRequests", { what: "calls by MCP", limit: `${perMinute} a minute` });
  }
}
