/** noVNC, loaded when a screen is first wanted: the types of the part we use (its own package has none). */

/** A viewer in an element. Events: `connect`, `disconnect`, `clipboard`. */
export interface Rfb extends EventTarget {
  scaleViewport: boolean;
  resizeSession: boolean;
  clipViewport: boolean;
  dragViewport: boolean;
  viewOnly: boolean;
  focusOnClick: boolean;
  showDotCursor: boolean;
  background: string;
  sendKey(keysym: number, code: string, down?: boolean): void;
  clipboardPasteFrom(text: string): void;
  focus(options?: FocusOptions): void;
  blur(): void;
  disconnect(): void;
}

type RfbClass = new (target: HTMLElement, channel: WebSocket, options?: { shared?: boolean }) => Rfb;

let loading: Promise<RfbClass> | undefined;

/** Loads noVNC, once. A failure is not kept. */
export function loadNoVnc(): Promise<RfbClass> {
  loading ??= import("@novnc/novnc").then(
    (module: { default: unknown }) => module.default as RfbClass,
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
