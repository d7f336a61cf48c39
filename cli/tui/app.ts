/** The terminal UI: panes upon each other, the keys that go to the topmost, frames when something has changed. */
import { SettingsError } from "../../agent/settings_error.ts";
import { ApiError } from "../../lib/client/api.ts";
import { CONSOLE_CLOSE, type ConsoleTicket, type VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Server } from "../connect/server.ts";
import { openLine, talk } from "../console_line.ts";
import { UsageError } from "../verb/values.ts";
import { header, keyHelp, rule, said } from "./chrome.ts";
import type { Desk, DeskMessage, Tone, Work } from "./desk.ts";
import { KeyReader, type Typed } from "./keys.ts";
import { line, type StyledLine } from "./line.ts";
import { LiveData, type Redraw } from "./live_data.ts";
import { type Look, paint, pressedAt } from "./paint.ts";
import { ConfirmPane } from "./pane/confirm.ts";
import { HostsPane } from "./pane/hosts.ts";
import { KeysPane } from "./pane/keys.ts";
import { MessagesPane } from "./pane/messages.ts";
import { PalettePane } from "./pane/palette.ts";
import { TasksPane } from "./pane/tasks.ts";
import { TextPane } from "./pane/text.ts";
import { VmsPane } from "./pane/vms.ts";
import type { Binding, Pane, PaneArea } from "./pane.ts";
import { isTerminalGone, type Screen } from "./screen.ts";
import { TypedBytes } from "./typed_bytes.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(tui);
const { t: told } = textsOf(shell);

/** Milliseconds that changes are collected for, by what changed. */
const SOON_MS: Readonly<Record<Redraw, number>> = { now: 30, figures: 1000 };
/** … that an Esc waits for: it may begin a sequence. */
const ESC_MS = 40;
/** … that a message is shown for; all of them are kept. */
const SAID_MS = 12_000;
/** Messages that are kept. */
const MOST_MESSAGES = 200;
/** The smallest terminal. */
const SMALLEST = { columns: 40, rows: 10 } as const;

/** Functions of the process that the UI needs. */
export interface Process {
  /** Stops the process as Ctrl+Z does; undefined where that is not possible. */
  readonly suspend: () => void;
}

export class TuiApp implements Desk {
  readonly data: LiveData;
  readonly messages: DeskMessage[] = [];
  readonly #pages: readonly Pane[];
  #page = 0;
  /** The panes above the page, the topmost last. */
  #above: Pane[] = [];
  #working = 0;
  #typedCount = 0;
  /** When the next frame is due, by performance.now(); undefined for none. */
  #due: { readonly at: number; readonly timer: ReturnType<typeof setTimeout> } | undefined;
  #escTimer: ReturnType<typeof setTimeout> | undefined;
  /** The lines that are shown, for clicks. */
  #lines: readonly StyledLine[] = [];
  readonly #keys = new KeyReader();
  /** Receiver of typed bytes in place of the UI: a console. */
  #taker: TypedBytes | undefined;
  readonly #stop = new AbortController();

  constructor(
    readonly server: Server,
    private readonly screen: Screen,
    private readonly look: Look,
    private readonly process: Process,
  ) {
    this.data = new LiveData(server, (change) => this.#drawSoon(change));
    this.#pages = [new VmsPane(this), new TasksPane(this), new HostsPane(this)];
  }

  /** Runs until it is left. @throws unexpected errors */
  async run(): Promise<void> {
    this.screen.enter();
    this.#draw();
    const following = this.data.run(this.#stop.signal);
    const over = Promise.withResolvers<void>();
    this.#stop.signal.addEventListener("abort", () => over.resolve(), { once: true });
    following.catch(over.reject);
    this.#read().then(
      () => this.leave(),
      (error) => isTerminalGone(error) ? this.leave() : over.reject(error),
    );
    try {
      await over.promise;
    } finally {
      this.#stop.abort();
      clearTimeout(this.#due?.timer);
      clearTimeout(this.#escTimer);
    }
  }

  /** Ends it. */
  leave(): void {
    this.#stop.abort();
  }

  /** The terminal has another size, or was used by others. */
  resized(): void {
    this.screen.forget();
    this.#drawSoon("now");
  }

  open(pane: Pane): void {
    this.#above.push(pane);
    this.refresh();
  }

  close(pane: Pane): void {
    const at = this.#above.indexOf(pane);
    if (at >= 0) this.#above = this.#above.slice(0, at);
    this.refresh();
  }

  say(text: string, tone: Tone): void {
    this.messages.push({ text, tone, at: Date.now() });
    if (this.messages.length > MOST_MESSAGES) this.messages.shift();
    setTimeout(() => this.refresh(), SAID_MS + 100);
    this.refresh();
  }

  fail(error: unknown): void {
    const isKnown = error instanceof ApiError || error instanceof UsageError ||
      error instanceof SettingsError;
    if (!isKnown) throw error;
    const { allowed } = (error instanceof ApiError ? error.details ?? {} : {}) as { allowed?: unknown };
    const { message } = error;
    this.say(
      typeof allowed === "string" ? t("tui.said.allowed", { message, allowed }) : messageOf(error),
      "bad",
    );
  }

  mark(): number {
    return this.#typedCount;
  }

  show(title: string, text: string, mark: number): void {
    if (mark !== this.#typedCount) return this.say(t("tui.named", { name: title, text }), "ok");
    const pane: TextPane = new TextPane(title, text, () => this.close(pane), true);
    this.open(pane);
  }

  work({ name, input, doing, done }: Work): void {
    this.async(doing, async () => {
      const text = done(await this.server.call(name, input));
      if (text !== undefined) this.say(text, "ok");
    });
  }

  async(doing: string, run: () => Promise<void>): void {
    this.#working++;
    this.say(doing, "info");
    run().catch((error) => this.fail(error)).finally(() => {
      this.#working--;
      this.refresh();
    }).catch((error) => this.#crash(error));
  }

  console({ id: vmId, name }: VM): void {
    this.#openConsole(vmId, name, false);
  }

  refresh(): void {
    this.#drawSoon("now");
  }

  /** An unexpected error ends the UI: it is thrown by {@link run}. */
  #crash(error: unknown): void {
    Promise.reject(error); // unhandled: the process puts the terminal right and tells it
  }

  #openConsole(vmId: string, name: string, force: boolean): void {
    this.async(t("tui.said.opening_console", { name }), async () => {
      const mark = this.#typedCount;
      let socket;
      try {
        const ticket = await this.server.call("open_console", {
          vmId,
          kind: "serial",
          force,
        }) as ConsoleTicket;
        socket = await openLine(this.server, ticket);
      } catch (error) {
        throw error instanceof ApiError ? error : new ApiError("Unreachable", messageOf(error));
      }
      if (mark !== this.#typedCount || this.#taker !== undefined) {
        // What is typed now is meant for what is seen.
        socket.terminate();
        return this.say(t("tui.said.console_late", { name }), "warn");
      }
      const ending = await this.#talk(name, socket);
      if (ending.code === CONSOLE_CLOSE.inUse && !force) return this.#askToTake(vmId, name, ending.reason);
      this.say(
        ending.reason === ""
          ? t("tui.said.left_console", { name })
          : t("tui.named", { name, text: ending.reason }),
        "info",
      );
    });
  }

  /** Gives the terminal to a line until one of them ends. */
  async #talk(name: string, socket: Awaited<ReturnType<typeof openLine>>): ReturnType<typeof talk> {
    const typed = this.#taker = new TypedBytes();
    await this.screen.idle();
    this.screen.leave({ keepsKeys: true });
    console.error(`${told("shell.console_open", { name: JSON.stringify(name) })}\r`);
    try {
      return await talk(socket, typed);
    } finally {
      typed.end();
      this.#taker = undefined;
      this.screen.goBelow();
      if (!this.#stop.signal.aborted) {
        this.screen.enter();
        this.#draw();
      }
    }
  }

  #askToTake(vmId: string, name: string, reason: string): void {
    const pane: ConfirmPane = new ConfirmPane({
      text: t("tui.ask.take_over", { name }),
      note: t("tui.ask.other_ends", { reason }),
      yes: t("tui.ask.take_over_yes"),
      run: () => this.#openConsole(vmId, name, true),
    }, () => this.close(pane));
    this.open(pane);
  }

  /** Reads the terminal until its end. */
  async #read(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    for (;;) {
      const count = await Deno.stdin.read(buffer);
      if (count === null || this.#stop.signal.aborted) return;
      const bytes = buffer.subarray(0, count);
      if (this.#taker !== undefined) {
        this.#taker.push(bytes);
        continue;
      }
      clearTimeout(this.#escTimer);
      this.#take(this.#keys.read(bytes));
      if (this.#keys.isWaiting) this.#escTimer = setTimeout(() => this.#take(this.#keys.flush()), ESC_MS);
    }
  }

  #take(typed: readonly Typed[]): void {
    for (const each of typed) {
      this.#typedCount++;
      if (each.kind === "key") this.#press(each.key);
      else if (each.kind === "paste") this.#top.paste?.(each.text);
      else if (each.button === "left") this.#click(each.x, each.y);
      else for (let step = 0; step < 3; step++) this.#press(each.button === "wheel-up" ? "up" : "down");
    }
    this.refresh();
  }

  get #top(): Pane {
    return this.#above.at(-1) ?? this.#pages[this.#page]!;
  }

  /** The keys of the topmost pane, and those that mean the same everywhere while no text is typed. */
  #bindings(): readonly Binding[] {
    return [...this.#top.bindings(), ...this.#ownBindings()];
  }

  #ownBindings(): readonly Binding[] {
    const top = this.#top;
    const control: Binding[] = [
      { keys: ["ctrl+c"], label: t("tui.key.quit"), isMinor: true, run: () => this.leave() },
      { keys: ["ctrl+z"], label: t("tui.key.suspend"), isMinor: true, run: () => this.#suspend() },
      { keys: ["ctrl+l"], label: t("tui.key.redraw"), isMinor: true, run: () => this.resized() },
    ];
    if (this.#above.length > 0) {
      return top.type === undefined && !(top instanceof ConfirmPane)
        ? [...this.#helpBindings(), ...control]
        : control;
    }
    if (top.bindings().every(({ keys }) => !keys.includes("/"))) return control; // a text is typed
    return [
      { keys: [":", "ctrl+p"], label: t("tui.key.commands"), run: () => this.open(new PalettePane(this)) },
      ...this.#pages.map((page, index): Binding => ({
        keys: [String(index + 1)],
        label: page.title,
        isMinor: true,
        run: () => this.#page = index,
      })),
      {
        keys: ["tab"],
        label: t("tui.key.next_page"),
        isMinor: true,
        run: () => this.#page = (this.#page + 1) % this.#pages.length,
      },
      {
        keys: ["m"],
        label: t("tui.key.messages"),
        isMinor: true,
        run: () => this.open(new MessagesPane(this)),
      },
      ...this.#helpBindings(),
      { keys: ["q"], label: t("tui.key.quit"), run: () => this.leave() },
      ...control,
    ];
  }

  #helpBindings(): Binding[] {
    const groups = () =>
      [[this.#top.title, this.#top.bindings()], [t("tui.everywhere"), this.#ownBindings()]] as const;
    return [{ keys: ["?"], label: t("tui.key.keys"), run: () => this.open(new KeysPane(this, groups())) }];
  }

  #press(key: string): void {
    const found = this.#bindings().find(({ keys }) => keys.includes(key));
    if (found !== undefined) found.run();
    else this.#top.type?.(key);
  }

  #click(x: number, y: number): void {
    const lines = this.#lines[y], { columns } = this.screen.size;
    const press = lines && pressedAt(lines, x, columns, this.look);
    if (press === undefined) return;
    if (press.startsWith("row:")) this.#top.click?.(press);
    else this.#press(press);
  }

  #suspend(): void {
    this.screen.leave();
    this.process.suspend();
  }

  /** The process was continued. */
  continued(): void {
    if (this.#taker !== undefined) return this.screen.takeKeys();
    this.screen.enter();
    this.#draw();
  }

  #drawSoon(change: Redraw): void {
    const at = performance.now() + SOON_MS[change];
    if (this.#due !== undefined) {
      if (this.#due.at <= at) return;
      clearTimeout(this.#due.timer);
    }
    this.#due = { at, timer: setTimeout(() => this.#draw(), SOON_MS[change]) };
  }

  #draw(): void {
    clearTimeout(this.#due?.timer);
    this.#due = undefined;
    if (!this.screen.isEntered || this.#stop.signal.aborted) return;
    if (this.screen.isBusy) return this.#drawSoon("now");
    const { columns, rows } = this.screen.size;
    this.#lines = this.#frame({ columns, rows, look: this.look, now: Date.now() });
    this.screen.draw(this.#lines.map((each) => paint(each, columns, this.look))).catch((error) =>
      isTerminalGone(error) ? this.leave() : this.#crash(error)
    );
  }

  /** All lines of the screen. */
  #frame(place: PaneArea): readonly StyledLine[] {
    const { columns, rows, now } = place;
    if (columns < SMALLEST.columns || rows < SMALLEST.rows) {
      const text = t("tui.said.too_small", SMALLEST);
      return Array.from({ length: rows }, (_, index) => index === 0 ? line(text) : []);
    }
    const last = this.messages.at(-1);
    const isNew = last !== undefined && now - last.at < SAID_MS;
    const head = [header(this.#tabs(), this.#above.map(({ title }) => title), this.#status(), place)];
    const foot = [
      ...said(this.data.link, isNew ? last : undefined, place),
      rule(place),
      ...keyHelp(this.#bindings(), place),
    ];
    const room = rows - head.length - foot.length;
    const body = this.#top.lines({ ...place, rows: room }).slice(0, room);
    return [...head, ...body, ...Array.from({ length: room - body.length }, () => []), ...foot];
  }

  #tabs() {
    return this.#pages.map(({ title }, index) => ({
      key: String(index + 1),
      title,
      isShown: index === this.#page,
    }));
  }

  /** User of the session, with the server's name unless it is this host's. */
  #who(who: string): string {
    const { isHere, name } = this.server;
    return isHere ? who : t("tui.at_server", { who, server: name });
  }

  #status() {
    const { session, link } = this.data;
    return {
      who: session === undefined ? "" : this.#who(session.name),
      link,
      working: this.#working,
    };
  }
}
