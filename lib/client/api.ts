/**
 * The typed client: `api.startVm({ vmId })`. Islands and the command line use it; it carries types of the contract
 * only, no schemas, so it costs a page almost nothing. Every call goes to `POST /api/v1/commands/{name}`.
 */
import type { Api } from "../contract/api.ts";
import { messageOf } from "../text/message.ts";
import { InFlight } from "../in_flight.ts";
import { base, based } from "./base.ts";

/** An error answer of the server, or `Unreachable` when it did not answer at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly code: string, message: string, readonly details?: unknown, readonly status = 0) {
    super(message);
  }
}

/** How a call reaches the server. The default posts to the page's own origin. */
export type Transport = (command: string, input: unknown, accept?: string) => Promise<Response>;

/** Commands that change nothing, by their first word: they can be asked again. */
const READ = /^(?:get|list|check|find)_/;
/** Milliseconds before a question is asked again that did not get through. */
const AGAIN_MS = 300;

/** Posts to the page's own origin. */
export const postCommand: Transport = async (command, input, accept) => {
  const ask = () =>
    fetch(based(`/api/v1/commands/${command}`), {
      method: "POST",
      headers: { "content-type": "application/json", ...(accept !== undefined && { accept }) },
      body: JSON.stringify(input ?? {}),
    });
  // A browser drops what is under way whenever an interface of its host comes or goes, as they do where VMs start.
  const response = await ask().catch(async (error) => {
    if (!READ.test(command)) throw error;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return await ask();
  });
  if (response.status === 401) signInAgain();
  return response;
};

/** The session has ended: to the sign-in, and back here after it. */
function signInAgain(): void {
  if (typeof location === "undefined" || location.pathname === based("/sign-in")) return;
  const to = location.pathname.slice(base().length) + location.search;
  location.assign(based(`/sign-in?to=${encodeURIComponent(to)}`));
}

/** Calls one command by its wire name. @throws {ApiError} */
export async function call(
  command: string,
  input: unknown,
  transport: Transport = postCommand,
): Promise<unknown> {
  let response: Response, text: string;
  try {
    response = await transport(command, input);
    text = await response.text();
  } catch (cause) {
    const why = messageOf(cause);
    throw new ApiError("Unreachable", `KVM Manager does not answer (${why}). Is it still running?`);
  }
  let body: unknown;
  try {
    body = text === "" ? null : JSON.parse(text);
  } catch {
    throw new ApiError(
      "BadAnswer",
      `KVM Manager answered with something that is not JSON (HTTP ${response.status})`,
    );
  }
  if (response.ok) return body;
  const error = (body ?? {}) as { code?: string; message?: string; details?: unknown };
  throw new ApiError(
    error.code ?? "Internal",
    error.message ?? `HTTP ${response.status}`,
    error.details,
    response.status,
  );
}

/** Answer of `/do/{command}` to a script. */
export interface FormAnswer {
  readonly done: string;
  readonly warnings: readonly string[];
}

/**
 * Sends a form of a page that is one command (`/do/{command}`), as the browser would without a script.
 *
 * @param submitter the button, which may have an address of its own
 * @returns what is said when it was done, and what is to be known of it
 * @throws {ApiError}
 */
export async function callByForm(form: HTMLFormElement, submitter: HTMLElement | null): Promise<FormAnswer> {
  const button = submitter instanceof HTMLButtonElement && submitter.hasAttribute("formaction")
    ? submitter
    : null;
  const address = button?.formAction ?? form.action;
  const answer = await call(address, new FormData(form, submitter), async (_address, body) => {
    const response = await fetch(address, {
      method: "POST",
      headers: { accept: "application/json" },
      body: body as FormData,
      redirect: "manual",
    });
    // Pages send whoever is not signed in to the sign-in.
    if (response.type === "opaqueredirect") signInAgain();
    return response;
  });
  return answer as FormAnswer;
}

/** Every command as a method, over anything that carries one out by its wire name. */
export function commandMethods(carryOut: (command: string, input: unknown) => Promise<unknown>): Api {
  return new Proxy({} as Api, {
    get: (_target, method) => {
      // Without a `then` it is no promise: an async function may give it, and await does not call the server.
      if (typeof method !== "string" || method === "then") return undefined;
      const command = method.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
      return (input: unknown) => carryOut(command, input);
    },
  });
}

/** Builds a client over a transport (a page's `fetch`, a UNIX socket, a remote host). */
export function client(transport: Transport = postCommand): Api {
  return commandMethods((command, input) => call(command, input, transport));
}

/** Commands whose repetition is intended: keys are pressed twice, programs run twice. */
const REPEATED = /^(?:send_keys|guest_exec\w*)$/;

/** The client of a page: what is clicked twice is called once, while it is carried out. */
function pageClient(transport: Transport = postCommand): Api {
  const calls = new InFlight<unknown>();
  return commandMethods((command, input) =>
    READ.test(command) || REPEATED.test(command)
      ? call(command, input, transport)
      : calls.join([command, input], () => call(command, input, transport))
  );
}

/** The page's own client. */
export const api: Api = pageClient();
