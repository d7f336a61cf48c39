/** A screen's connection in the browser: ticket, WebSocket, noVNC; again by itself, with growing pauses, when it ends. */
import { based } from "./base.ts";
import { type ReadonlySignal, signal } from "@preact/signals";
import { CONSOLE_CLOSE } from "../contract/console_close.ts";
import type { RfbKey } from "../formats/rfb/keys.ts";
import { failureOf } from "../text/failure.ts";
import { oneLine } from "../text/text.ts";
import { api } from "./api.ts";
import { loadNoVnc, type Rfb } from "./novnc.ts";

/**
 * How the connection is. `waiting`: it ended or failed, for this reason, and will be tried again. `connecting`: of an attempt
 * after a failure, with the reason of that, for one may take longer than the pause before it.
 */
export type VncPhase =
  | { readonly is: "idle" | "connected" }
  | { readonly is: "connecting"; readonly reason?: string }
  | { readonly is: "waiting"; readonly reason: string };

/** How a screen is shown: scaled to the space, pixel for pixel, or the guest asked to change its mode. */
export const SCALINGS = ["fit", "actual", "remote"] as const;
export type Scaling = typeof SCALINGS[number];

/** Milliseconds before the first attempt after a failure; each further one waits twice as long, up to the last. */
const PAUSE = { first: 300, longest: 8000 };
/** … when the VM stopped: the page will hear of that by itself, and then there is nothing to try. */
const STOPPED_MS = 2000;
/** Milliseconds between two keys of a text: QEMU lets each event wait 10. */
const STROKE_MS = 24;
/** Characters kept of what was copied in a guest. */
const LONGEST_CLIPBOARD = 65_536;

export class VncSession {
  readonly #phase = signal<VncPhase>({ is: "idle" });
  readonly #clipboard = signal("");
  #rfb: Rfb | undefined;
  #scaling: Scaling = "fit";
  #viewOnly = false;
  #isPanning = false;
  #takesFocus = true;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts attempts: whatever an earlier one still brings is of no interest. */
  #attempt = 0;

  constructor(private readonly vmId: string, private readonly screen: () => HTMLElement | null) {}

  get phase(): ReadonlySignal<VncPhase> {
    return this.#phase;
  }

  /** Text that was last copied in the guest: foreign text. */
  get clipboard(): ReadonlySignal<string> {
    return this.#clipboard;
  }

  /** Connects, now. */
  start(): void {
    this.#failures = 0;
    this.#connect();
  }

  /** Disconnects, and stays so. */
  stop(): void {
    this.#attempt++;
    clearTimeout(this.#timer);
    this.#drop();
    this.#phase.value = { is: "idle" };
  }

  set scaling(scaling: Scaling) {
    this.#scaling = scaling;
    this.#applyScaling();
  }

  /** Whether dragging moves the picture, where that is larger than the space, instead of the guest's pointer. */
  set panning(isPanning: boolean) {
    this.#isPanning = isPanning;
    this.#applyScaling();
  }

  /** Whether a click or touch gives the screen the keyboard: not while a soft keyboard is shown, which it would hide. */
  set takesFocus(takesFocus: boolean) {
    this.#takesFocus = takesFocus;
    if (this.#rfb !== undefined) this.#rfb.focusOnClick = takesFocus;
  }

  /** The server keeps to it, so the connection is made again. */
  set viewOnly(viewOnly: boolean) {
    if (viewOnly === this.#viewOnly) return;
    this.#viewOnly = viewOnly;
    if (this.#phase.peek().is !== "idle") this.start();
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true });
  }

  blur(): void {
    this.#rfb?.blur();
  }

  /** Presses keys together, and lets them go. */
  press(keys: readonly RfbKey[]): void {
    for (const { keysym, code } of keys) this.#rfb?.sendKey(keysym, code, true);
    for (const { keysym, code } of keys.toReversed()) this.#rfb?.sendKey(keysym, code, false);
  }

  /** Presses one after another. @returns whether all were pressed, while the connection lasted */
  async type(strokes: readonly (readonly RfbKey[])[], signal: AbortSignal): Promise<boolean> {
    const rfb = this.#rfb;
    for (const keys of strokes) {
      if (signal.aborted || rfb === undefined || this.#rfb !== rfb) return false;
      this.press(keys);
      await new Promise((resolve) => setTimeout(resolve, STROKE_MS));
    }
    return true;
  }

  /** Offers a text to the guest's clipboard. */
  giveClipboard(text: string): void {
    this.#rfb?.clipboardPasteFrom(text);
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#timer);
    this.#drop();
    const attempt = ++this.#attempt;
    const isCurrent = () => attempt === this.#attempt, before = this.#phase.peek();
    this.#phase.value = { is: "connecting", ...(before.is === "waiting" && { reason: before.reason }) };
    try {
      const [Viewer, { path, ticket }] = await Promise.all([
        loadNoVnc(),
        api.openConsole({ vmId: this.vmId, kind: "vnc", viewOnly: this.#viewOnly }),
      ]);
      const screen = this.screen();
      if (!isCurrent() || screen === null) return;
      const address = new URL(based(`${path}?ticket=${ticket}`), location.href);
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      const socket = new WebSocket(address);
      let end: Pick<CloseEvent, "code" | "reason"> = { code: 0, reason: "" };
      socket.addEventListener("close", (event) => end = event);
      const rfb = this.#rfb = new Viewer(screen, socket, { shared: true });
      rfb.viewOnly = this.#viewOnly;
      rfb.background = "transparent";
      rfb.focusOnClick = this.#takesFocus;
      this.#applyScaling();
      rfb.addEventListener("connect", () => {
        if (!isCurrent()) return;
        this.#failures = 0;
        this.#phase.value = { is: "connected" };
      });
      rfb.addEventListener("disconnect", () => {
        if (!isCurrent()) return;
        this.#rfb = undefined;
        this.#again(oneLine(end.reason), end.code === CONSOLE_CLOSE.vmStopped ? STOPPED_MS : 0);
      });
      rfb.addEventListener("clipboard", (event) => {
        const { text } = (event as CustomEvent<{ text: string }>).detail;
        this.#clipboard.value = text.slice(0, LONGEST_CLIPBOARD);
      });
    } catch (error) {
      if (isCurrent()) this.#again(failureOf(error).why);
    }
  }

  #again(reason: string, least = 0): void {
    const pause = Math.max(least, Math.min(PAUSE.first * 2 ** this.#failures++, PAUSE.longest));
    this.#phase.value = { is: "waiting", reason };
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  #drop(): void {
    this.#rfb?.disconnect();
    this.#rfb = undefined;
  }

  #applyScaling(): void {
    if (this.#rfb === undefined) return;
    this.#rfb.scaleViewport = this.#scaling !== "actual";
    this.#rfb.resizeSession = this.#scaling === "remote";
    this.#rfb.clipViewport = this.#rfb.dragViewport = this.#isPanning && this.#scaling === "actual";
  }
}
