/**
 * Labels of fields, by the names that the contract gives them. A noun's texts have, for the field `discard`,
 * `field.discard`, where it needs one `hint.discard`, for lists `short.discard`, and for its words
 * `value.discard.unmap`. A command that means something else by a field has a text of its own:
 * `field.create_network.mode`. Pure.
 */
import { textsOf } from "../i18n/mod.ts";

type Texts = Readonly<Record<string, string>>;

/** Texts of fields. */
export interface FieldTexts {
  /** Its label; its name where there is no text. */
  label(field: string, command?: string): string;
  hint(field: string, command?: string): string | undefined;
  /** Short label for a list; else its label. */
  short(field: string): string;
  /** A word that it takes; as it is where there is no text. */
  word(field: string, word: string, command?: string): string;
  /** Whether it has a label. */
  has(field: string, command?: string): boolean;
}

/** The texts of fields in some areas. */
export function fieldTexts(...areas: readonly Texts[]): FieldTexts {
  const all: Texts = Object.assign({}, ...areas), { t } = textsOf(all);
  /** Of a field in a part of the input, its own name is enough. */
  const find = (kind: string, field: string, command: string | undefined, rest = "") => {
    const name = field.slice(field.lastIndexOf(".") + 1);
    const key = [command && `${command}.${field}`, command && `${command}.${name}`, field, name]
      .map((of) => `${kind}.${of}${rest}`).find((each) => Object.hasOwn(all, each));
    return key === undefined ? undefined : t(key);
  };
  return {
    label: (field, command) => find("field", field, command) ?? field,
    short: (field) => find("short", field, undefined) ?? find("field", field, undefined) ?? field,
    hint: (field, command) => find("hint", field, command),
    word: (field, word, command) => find("value", field, command, `.${word}`) ?? word,
    has: (field, command) => find("field", field, command) !== undefined,
  };
}
