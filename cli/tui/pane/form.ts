/** A command's form, field by field from its schema. */
import { ApiError } from "../../../lib/client/api.ts";
import { wholeList } from "../../../lib/contract/lookups.ts";
import { type CommandName, COMMANDS } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { SettingsError } from "../../../agent/settings_error.ts";
import { at } from "../../verb/cells.ts";
import { type Verb, verbOf } from "../../verb/find.ts";
import { wordHere } from "../../verb/words.ts";
import { UsageError } from "../../verb/values.ts";
import { prepare, type Prepared } from "../carry_out.ts";
import type { Desk } from "../desk.ts";
import { formFields, type PaneField, wordsOf } from "../form_fields.ts";
import { InputLine } from "../input_line.ts";
import { line, span, type StyledLine } from "../line.ts";
import type { Binding, Pane, PaneArea } from "../pane.ts";
import { folded } from "../width.ts";
import { ConfirmPane } from "./confirm.ts";
import { translated } from "../../../lib/i18n/locale.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** Columns of the names, at most. */
const NAMES = 26;
/** Names of things that are shown below a field. */
const KNOWN = 8;

/**
 * Fields filled in but not carried out, by command: the form shows them when it is opened again. Secrets are not kept.
 */
const drafts = new Map<CommandName, ReadonlyMap<string, string>>();

/** Opens the form of a command. @param given values by the names of options */
export function openForm(desk: Desk, name: CommandName, given: Readonly<Record<string, string>> = {}): void {
  desk.open(new FormPane(desk, verbOf(name), given));
}

/** A value as it is shown: yes and no are words, all else is typed as it is. */
const shownValue = ({ kind }: PaneField, value: string) => kind === "boolean" ? wordHere(value) : value;

export class FormPane implements Pane {
  readonly #fields: readonly PaneField[];
  readonly #values: readonly InputLine[];
  #at = 0;
  #top = 0;
  #error = "";
  /** Work in progress; empty if there is none. */
  #doing = "";
  #isClosed = false;
  /** Names of things, by the command that lists them; null while they are read. */
  readonly #names = new Map<CommandName, readonly string[] | null>();

  constructor(
    private readonly desk: Desk,
    private readonly verb: Verb,
    given: Readonly<Record<string, string>>,
  ) {
    this.#fields = formFields(verb);
    const draft = drafts.get(verb.name);
    this.#values = this.#fields.map(({ flag }) => new InputLine(given[flag] ?? draft?.get(flag) ?? ""));
    const first = this.#fields.findIndex((field, index) =>
      field.required && this.#values[index]!.text === ""
    );
    this.#go(Math.max(0, first));
  }

  get title(): string {
    return this.verb.words.join(" ");
  }

  /** Whether it asks for anything. */
  get isEmpty(): boolean {
    return this.#fields.length === 0;
  }

  lines(place: PaneArea): readonly StyledLine[] {
    const { columns, rows, look: { glyphs } } = place;
    const fold = (text: string) => folded(text, columns - 4, glyphs);
    const head = [
      ...fold(translated(this.verb.command.summary)).map((each) => line(` ${each}`, "strong")),
      line(""),
    ];
    const foot = this.#foot(fold).slice(0, Math.max(1, rows - head.length - 3));
    const room = Math.max(1, rows - head.length - foot.length);
    this.#top = Math.max(0, Math.min(this.#top, this.#at, this.#fields.length - room));
    if (this.#at >= this.#top + room) this.#top = this.#at - room + 1;
    const width = Math.min(NAMES, 3 + Math.max(8, ...this.#fields.map(({ flag }) => flag.length)));
    const fields = this.#fields.slice(this.#top, this.#top + room).map((field, index) =>
      this.#line(field, this.#top + index, width, place)
    );
    return [...head, ...fields, ...foot];
  }

  bindings(): readonly Binding[] {
    const field = this.#fields[this.#at], value = this.#values[this.#at];
    const isChoice = field !== undefined && field.kind !== "text";
    const suggested = this.#suggestions()[0];
    return [
      { keys: ["ctrl+s"], shown: "Ctrl+s", label: t("tui.key.carry_out"), run: () => this.#send() },
      {
        keys: ["enter"],
        shown: "Enter",
        label: this.#at >= this.#fields.length - 1 ? t("tui.key.carry_out") : t("tui.key.next_field"),
        run: () => this.#at >= this.#fields.length - 1 ? this.#send() : this.#go(this.#at + 1),
      },
      {
        keys: ["tab", "down"],
        shown: "Tab",
        label: t("tui.key.next_field"),
        isMinor: true,
        run: () => this.#go(this.#at + 1),
      },
      {
        keys: ["shift+tab", "up"],
        shown: "Up",
        label: t("tui.key.field_before"),
        run: () => this.#go(this.#at - 1),
      },
      ...(isChoice
        ? [
          {
            keys: ["right", " "],
            shown: "Right",
            label: t("tui.key.next_choice"),
            run: () => this.#choose(1),
          },
          { keys: ["left"], shown: "Left", label: t("tui.key.choice_before"), run: () => this.#choose(-1) },
        ]
        : []),
      ...(suggested === undefined ? [] : [{
        keys: ["ctrl+n"],
        shown: "Ctrl+n",
        label: t("tui.key.take", { name: suggested }),
        run: () => value!.set(this.#with(suggested)),
      }]),
      {
        keys: ["esc"],
        shown: "Esc",
        label: this.#doing === "" ? t("tui.key.back") : t("tui.key.leave_it"),
        run: () => this.#close(),
      },
    ];
  }

  type(key: string): void {
    const field = this.#fields[this.#at];
    if (field === undefined || this.#doing !== "") return;
    if (field.kind === "text" || key === "backspace" || key === "ctrl+u") this.#values[this.#at]!.press(key);
    if (field.kind !== "text" && (key === "backspace" || key === "ctrl+u")) this.#values[this.#at]!.set("");
    this.#error = "";
  }

  paste(text: string): void {
    if (this.#fields[this.#at]?.kind === "text" && this.#doing === "") {
      this.#values[this.#at]!.insert(text.trimEnd());
    }
  }

  click(press: string): void {
    const [, index] = /^row:(\d+)$/.exec(press) ?? [];
    if (index !== undefined) this.#go(Number(index));
  }

  #close(): void {
    this.#isClosed = true;
    const kept = this.#fields.flatMap(({ flag, secret }, index): [string, string][] =>
      secret ? [] : [[flag, this.#values[index]!.text]]
    );
    if (this.#doing === "") drafts.set(this.verb.name, new Map(kept));
    this.desk.close(this);
  }

  #go(to: number): void {
    this.#at = Math.max(0, Math.min(this.#fields.length - 1, to));
    const names = this.#fields[this.#at]?.names;
    if (names === undefined || this.#names.has(names.list) || !this.desk.data.may(names.list)) return;
    this.#names.set(names.list, null);
    this.#read(names).catch((error) => {
      // It can be typed all the same.
      if (!(error instanceof ApiError)) throw error;
    });
  }

  async #read(names: NonNullable<PaneField["names"]>): Promise<void> {
    const answer = await this.desk.server.call(names.list, wholeList(COMMANDS[names.list]));
    const rows = (names.in === undefined ? answer : at(answer, names.in)) as readonly unknown[];
    this.#names.set(names.list, rows.map((row) => String(at(row, names.by))));
    this.desk.refresh();
  }

  /** The text before what is typed last in a list, with a name behind it. */
  #with(name: string): string {
    const { many } = this.#fields[this.#at]!, { text } = this.#values[this.#at]!;
    return many ? text.replace(/[^,]*$/, "") + name : name;
  }

  /** Names of things that begin as what is typed does, or have it. */
  #suggestions(): readonly string[] {
    const field = this.#fields[this.#at];
    if (field?.names === undefined || field.kind !== "text") return [];
    const { text } = this.#values[this.#at]!;
    const typed = (field.many ? text.replace(/^.*,/, "") : text).trim().toLowerCase();
    const known = (this.#names.get(field.names.list) ?? []).filter((each) =>
      each.toLowerCase().includes(typed)
    );
    const rank = (each: string) => each.toLowerCase().startsWith(typed) ? 0 : 1;
    return known.filter((each) => each !== text).sort((a, b) => rank(a) - rank(b)).slice(0, KNOWN);
  }

  #choose(step: number): void {
    const { choices, required } = this.#fields[this.#at]!, value = this.#values[this.#at]!;
    const all = required ? choices : ["", ...choices];
    const next = (all.indexOf(value.text) + step + all.length) % all.length;
    value.set(all[next] ?? "");
    this.#error = "";
  }

  #foot(fold: (text: string) => readonly string[]): StyledLine[] {
    const field = this.#fields[this.#at], suggestions = this.#suggestions();
    return [
      line(""),
      ...(field === undefined
        ? fold(t("tui.form.no_fields")).map((each) => line(` ${each}`, "dim"))
        : fold(t("tui.named", { name: field.flag, text: field.hint })).slice(0, 4).map((each) =>
          line(` ${each}`, "dim")
        )),
      ...(suggestions.length === 0
        ? []
        : [line(` ${t("tui.form.there_are", { names: suggestions.join(", ") })}`, "info")]),
      ...(this.#doing === "" ? [] : [line(` ${this.#doing}`, "info")]),
      ...fold(this.#error).filter((each) => each !== "").map((each) => line(` ${each}`, "bad")),
    ];
  }

  #line(field: PaneField, index: number, width: number, { columns, look: { glyphs } }: PaneArea): StyledLine {
    const isActive = index === this.#at, value = this.#values[index]!;
    const name = `${isActive ? glyphs.marker : " "} ${field.flag}${field.required ? "*" : ""}`;
    const room = columns - width - 1;
    const shown = field.kind === "text" && isActive ? value.spans(room, glyphs, field.secret) : [
      span(
        field.secret ? glyphs.secret.repeat(value.text.length) : shownValue(field, value.text),
        isActive ? "cursor" : "plain",
      ),
      ...(isActive && value.text === "" ? [span(" ", "cursor")] : []),
    ];
    const press = `row:${index}`;
    return [
      { text: name, width, style: isActive ? "strong" : "dim", press },
      ...shown.map((each) => ({ ...each, press })),
    ];
  }

  #send(): void {
    if (this.#doing !== "") return;
    this.#error = "";
    this.#doing = t("tui.form.checking");
    this.#prepared().then((prepared) => {
      this.#doing = "";
      if (prepared.lost === undefined) return this.#run(prepared);
      this.#ask(prepared, prepared.lost);
    }).catch((error) => this.#failed(error)).finally(() => this.desk.refresh());
  }

  #prepared(): Promise<Prepared> {
    const valueOf = (field: PaneField) => this.#values[this.#fields.indexOf(field)]!.text;
    const secrets = this.#fields.flatMap((field): (readonly [readonly string[], string])[] =>
      field.secret && field.path !== undefined && valueOf(field) !== "" ? [[field.path, valueOf(field)]] : []
    );
    return prepare(this.desk.server, this.verb, wordsOf(this.#fields, valueOf), secrets);
  }

  #ask(prepared: Prepared, lost: string): void {
    if (this.#isClosed) return;
    const names = this.#fields.flatMap(({ required, secret }, index) =>
      required && !secret ? [this.#values[index]!.text] : []
    );
    const pane: ConfirmPane = new ConfirmPane({
      text: `${this.title} ${names.join(" ")}?`,
      note: t("tui.ask.loses", { lost: translated(lost) }),
      yes: t("tui.ask.go_on"),
      run: () => void this.#run(prepared).catch((error) => this.#failed(error)),
    }, () => this.desk.close(pane));
    this.desk.open(pane);
  }

  async #run(prepared: Prepared): Promise<void> {
    this.#doing = t("tui.form.working");
    this.desk.refresh();
    const mark = this.desk.mark();
    const text = await prepared.run();
    this.#doing = "";
    drafts.delete(this.verb.name);
    if (!this.#isClosed) this.desk.close(this);
    if (text === "") this.desk.say(t("tui.said.done", { command: this.title }), "ok");
    else this.desk.show(this.title, text, mark);
  }

  /** @throws what is no error of the server or of what was filled in */
  #failed(error: unknown): void {
    this.#doing = "";
    const isKnown = error instanceof ApiError || error instanceof UsageError ||
      error instanceof SettingsError;
    if (!isKnown) throw error;
    if (this.#isClosed) this.desk.fail(error);
    else this.#error = messageOf(error);
    this.desk.refresh();
  }
}
