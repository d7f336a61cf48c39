/** The palette: every command of the contract that the session may call, found by a few letters. */
import type { VM } from "../../../lib/contract/mod.ts";
import { fuzzyFind } from "../../../lib/text/fuzzy.ts";
import type { Desk } from "../desk.ts";
import { InputLine } from "../input_line.ts";
import { line, type Span, span, type StyledLine } from "../line.ts";
import { paletteVerbs } from "../palette_verbs.ts";
import type { Binding, Pane, PaneArea } from "../pane.ts";
import type { Verb } from "../../verb/find.ts";
import { positionalsOf } from "../../verb/places.ts";
import { openForm } from "./form.ts";
import { translated } from "../../../lib/i18n/locale.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** Columns of the words of a command. */
const WORDS = 30;
/** Most that are looked through to the end of the list. */
const MOST = 500;

export class PalettePane implements Pane {
  readonly #typed = new InputLine();
  readonly #verbs: readonly Verb[];
  #at = 0;
  #top = 0;
  #page = 10;

  /** @param vm the VM that commands are for; undefined: for anything */
  constructor(private readonly desk: Desk, private readonly vm?: VM) {
    this.#verbs = paletteVerbs((name) => desk.data.may(name, vm), vm !== undefined);
  }

  get title(): string {
    return this.vm === undefined ? t("tui.commands") : t("tui.commands_for", { name: this.vm.name });
  }

  lines({ columns, rows, look: { glyphs } }: PaneArea): readonly StyledLine[] {
    const found = this.#found(), room = this.#page = Math.max(1, rows - 2);
    this.#at = Math.max(0, Math.min(this.#at, found.length - 1));
    this.#top = Math.max(0, Math.min(this.#top, this.#at, found.length - room));
    if (this.#at >= this.#top + room) this.#top = this.#at - room + 1;
    const shown = found.slice(this.#top, this.#top + room).map((verb, index): StyledLine => {
      const isSelected = this.#top + index === this.#at, press = `row:${this.#top + index}`;
      const style = isSelected ? "selected" as const : "plain" as const;
      return [
        { text: isSelected ? `${glyphs.marker} ` : "  ", press },
        { text: verb.words.join(" "), width: Math.min(WORDS, columns - 3), style, press },
        { text: ` ${translated(verb.command.summary)}`, style, press },
      ];
    });
    const typed: Span[] = this.#typed.spans(columns - 4, glyphs);
    return [
      [span(" : ", "key"), ...typed],
      line(""),
      ...(shown.length === 0 ? [line(` ${t("tui.none.commands")}`, "dim")] : shown),
    ];
  }

  bindings(): readonly Binding[] {
    const move = (keys: readonly string[], shown: string, label: string, by: () => number): Binding => ({
      keys,
      shown,
      label,
      isMinor: true,
      run: () => this.#at += by(),
    });
    return [
      { keys: ["enter"], label: t("tui.key.open_form"), run: () => this.#choose() },
      { keys: ["esc"], label: t("tui.key.back"), run: () => this.desk.close(this) },
      move(["up"], "Up", t("tui.key.one_up"), () => -1),
      move(["down", "tab"], "Down", t("tui.key.one_down"), () => 1),
      move(["page-up"], "PgUp", t("tui.key.page_up"), () => -this.#page),
      move(["page-down"], "PgDn", t("tui.key.page_down"), () => this.#page),
    ];
  }

  type(key: string): void {
    if (this.#typed.press(key)) this.#at = 0;
  }

  paste(text: string): void {
    this.#typed.insert(text);
  }

  click(press: string): void {
    const [, index] = /^row:(\d+)$/.exec(press) ?? [];
    if (index === undefined) return;
    this.#at = Number(index);
    this.#choose();
  }

  /** Value of a VM in a form: its name; its id if other VMs have that name, or if the name has special characters. */
  #called({ id, name }: VM): string {
    const isOnly = this.desk.data.vms.filter((each) => each.name === name).length === 1;
    return isOnly && /^[\w.-]+$/.test(name) ? name : id;
  }

  #found(): readonly Verb[] {
    return fuzzyFind(this.#typed.text, this.#verbs, textOf, MOST).map(({ item }) => item);
  }

  #choose(): void {
    const verb = this.#found()[this.#at];
    if (verb === undefined) return;
    this.desk.close(this);
    openForm(this.desk, verb.name, this.vm === undefined ? {} : { [vmFlag(verb)]: this.#called(this.vm) });
  }
}

const textOf = ({ words, command }: Verb) => `${words.join(" ")} ${translated(command.summary)}`;

/** How the option is called that says which VM is meant. */
const vmFlag = (verb: Verb) => positionalsOf(verb).find(({ field }) => field === "vmId")?.flag ?? "vm-id";
