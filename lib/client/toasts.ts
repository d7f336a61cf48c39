/** Messages about what was done or failed: shown in a corner, and said to screen readers. */
import { signal } from "@preact/signals";
import { type Notice, noticeCookie } from "../text/notice.ts";
import { based } from "./base.ts";
import { type Failure, failureOf } from "../text/failure.ts";
import { type PlainKey, t } from "../i18n/mod.ts";

/** One message. Failures, and what has warnings, stay until they are closed; the rest goes by itself. */
export interface Toast {
  readonly id: number;
  readonly title: string;
  readonly failure?: Failure;
  /** How good or bad it is; where nothing is said: bad with a failure, else good. */
  readonly tone?: ToastTone;
  /** Button that is offered while the message is shown. */
  readonly action?: ToastAction;
}

/** How good or bad a message is. */
export type ToastTone = "ok" | "info" | "warn" | "bad";

/** A button in a message. */
export interface ToastAction {
  readonly label: string;
  readonly run: () => unknown;
}

const SHOWN_MS = 5_000;
/** Time that a message with an action stays: enough to decide. */
const ACTION_MS = 20_000;
/** More at once are noise; the oldest goes. */
const MOST = 4;

let last = 0;

/** The messages on the screen, oldest first. */
export const toasts = signal<readonly Toast[]>([]);

function show(toast: Omit<Toast, "id">): number {
  const id = ++last;
  toasts.value = [...toasts.peek(), { id, ...toast }].slice(-MOST);
  return id;
}

/** Takes a message away. */
export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id);
}

/** Says that something was done, or happened. */
export function report(title: string, action?: ToastAction, tone: ToastTone = "ok"): void {
  const id = show({ title, tone, ...(action && { action }) });
  setTimeout(() => dismiss(id), action ? ACTION_MS : SHOWN_MS);
}

/** Says that something was done, and the warnings of its answer (`answerWarnings`): with those it stays. */
export function reportDone(title: string, warnings: readonly string[] = []): void {
  if (warnings.length === 0) report(title);
  else show({ title: [title, ...warnings].join(" · "), tone: "warn" });
}

/**
 * Says that something failed, why, and what to do.
 *
 * @param what What failed: a sentence, or a text's key; undefined where the reason alone says it.
 */
export function reportFailure(what: PlainKey | { sentence: string } | undefined, error: unknown): void {
  const failure = failureOf(error);
  const title = what === undefined
    ? t("failed.something")
    : typeof what === "string"
    ? t(what)
    : what.sentence;
  // The same failure again (a host that is away, asked by several) is shown once.
  if (toasts.peek().some((toast) => toast.title === title && toast.failure?.why === failure.why)) return;
  show({ title, failure });
}

/** Goes to another page, which says what was done: as after a form that the browser sent. */
export function leave(path: string, notice: Omit<Notice, "is">): void {
  document.cookie = noticeCookie({ is: "done", ...notice });
  location.assign(based(path));
}
