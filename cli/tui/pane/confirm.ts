/** A question before something is lost, or interrupted: y (the letter for yes in the language, too) or n, and nothing else. */
import { line, span, type StyledLine } from "../line.ts";
import type { Binding, Pane, PaneArea } from "../pane.ts";
import { folded } from "../width.ts";
import { shell } from "../../../lib/i18n/en/shell.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);
const { t: told } = textsOf(shell);

/** A question. */
export interface Question {
  /** `Delete web1?` */
  readonly text: string;
  readonly note: string;
  /** Label of the confirmation. */
  readonly yes: string;
  readonly run: () => void;
  /** Another way to say yes. */
  readonly other?: { readonly key: string; readonly label: string; readonly run: () => void };
}

export class ConfirmPane implements Pane {
  readonly #yes = told("shell.yes_letter");

  constructor(private readonly question: Question, private readonly close: () => void) {}

  get title(): string {
    return t("tui.confirm");
  }

  lines({ columns, look: { glyphs } }: PaneArea): readonly StyledLine[] {
    const { text, note, yes, other } = this.question;
    const fold = (each: string) => folded(each, columns - 4, glyphs);
    const choice = (key: string, label: string): StyledLine => [
      span("  "),
      { text: ` ${key} `, style: "key", press: key },
      { text: ` ${label}`, press: key },
    ];
    return [
      line(""),
      ...fold(text).map((each) => line(`  ${each}`, "strong")),
      ...(note === "" ? [] : [line(""), ...fold(note).map((each) => line(`  ${each}`, "warn"))]),
      line(""),
      choice(this.#yes, yes),
      ...(other === undefined ? [] : [choice(other.key, other.label)]),
      choice("n", t("tui.ask.no")),
    ];
  }

  bindings(): readonly Binding[] {
    const answer = (run: () => void) => () => {
      this.close();
      run();
    };
    const { yes, run, other } = this.question;
    return [
      { keys: [...new Set([this.#yes, this.#yes.toUpperCase(), "y", "Y"])], label: yes, run: answer(run) },
      ...(other === undefined ? [] : [{ keys: [other.key], label: other.label, run: answer(other.run) }]),
      { keys: ["n", "N", "esc"], label: t("tui.key.go_back"), run: this.close },
    ];
  }
}
