/** The fields of a command's form, made from its schema as the options of its verb are. Pure. */
import { type NamedAs, resourceOf } from "../../lib/contract/lookups.ts";
import type { CommandName } from "../../lib/contract/mod.ts";
import { commonOptionsOf } from "../verb/common.ts";
import type { Verb } from "../verb/find.ts";
import { placeholder } from "../verb/help.ts";
import { optionsOf } from "../verb/options.ts";
import { positionalsOf } from "../verb/places.ts";
import { wordHere } from "../verb/words.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { verbHelp } from "../../lib/i18n/en/verb_help.ts";
import { translated } from "../../lib/i18n/locale.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(verbHelp), { t: said } = textsOf(tui);

/** A field. */
export interface PaneField {
  /** How the option is called that it stands for: `memory`. */
  readonly flag: string;
  readonly kind: "text" | "boolean" | "choice";
  readonly choices: readonly string[];
  readonly required: boolean;
  readonly secret: boolean;
  /** It takes several, with commas between them. */
  readonly many: boolean;
  /** Accepted values and their meaning. */
  readonly hint: string;
  /** Path in the input; undefined for a field outside the input. */
  readonly path: readonly string[] | undefined;
  /** The command that lists what it may name, and by which field. */
  readonly names: { readonly list: CommandName; readonly by: string; readonly in?: string } | undefined;
}

/** Options of the shell that are of use here: which file is sent, and where an answer goes. */
const FILES: ReadonlySet<string> = new Set(["from", "out"]);

const namesOf = (field: string, namedAs?: NamedAs): PaneField["names"] => {
  const found = resourceOf(field, namedAs);
  return found && { list: found.list, by: found.by, ...(found.in !== undefined && { in: found.in }) };
};

function hintOf(shown: string, ...texts: readonly (string | false | undefined)[]): string {
  return [shown, ...texts].filter((each) => each !== undefined && each !== false && each !== "").join("; ");
}

/** Accepted values of a switch. */
const yesOrNo = () => `${wordHere("yes")}|${wordHere("no")}`;

/** Those of a place or an option. */
function fieldOf(
  { flag, kind, choices = [], ...of }: {
    flag: string;
    kind: Parameters<typeof placeholder>[0]["kind"];
    choices?: readonly string[] | undefined;
    required: boolean;
    secret?: boolean;
    many: boolean;
    description: string | undefined;
    default?: unknown;
    path: readonly string[];
  },
  namedAs: NamedAs,
): PaneField {
  const isChoice = choices.length > 0 && !of.many && kind === "string";
  const usual = of.default === undefined || of.default === false
    ? undefined
    : t("verb_help.default", { value: String(of.default) });
  return {
    flag,
    kind: kind === "boolean" ? "boolean" : isChoice ? "choice" : "text",
    choices: kind === "boolean" ? ["yes", "no"] : choices,
    required: of.required,
    secret: of.secret === true,
    many: of.many,
    hint: hintOf(
      kind === "boolean"
        ? yesOrNo()
        : placeholder({ kind, choices: choices.length > 0 ? [...choices] : undefined }),
      of.description && translated(of.description),
      of.many && said("tui.form.many"),
      usual,
    ),
    path: of.path,
    names: namesOf(of.path.at(-1)!, namedAs),
  };
}

/** The fields in their order: what is needed first, then as the verb's help has them. */
export function formFields(verb: Verb): PaneField[] {
  const places = positionalsOf(verb),
    options = optionsOf(verb),
    { shorthands = {}, groups = [] } = verb.extras;
  const { required = [] } = verb.command.input as { required?: readonly string[] };
  const isList = (kind: string) => kind === "strings" || kind === "grants";
  const placed = new Set(places.map(({ field }) => field));
  const all: [name: string, field: PaneField][] = [
    ...places.map((place): [string, PaneField] => [
      place.field,
      fieldOf({
        ...place,
        required: !place.optional && required.includes(place.field),
        many: place.many || isList(place.kind),
        path: [place.field],
      }, verb.command.namedAs),
    ]),
    ...Object.entries(shorthands).map(([flag, { value, text, multiple }]): [string, PaneField] => [flag, {
      flag,
      kind: value === undefined ? "boolean" : "text",
      required: false,
      secret: false,
      path: undefined,
      choices: value === undefined ? ["yes", "no"] : [],
      many: multiple === true,
      names: namesOf(flag),
      hint: hintOf(value ?? yesOrNo(), translated(text), multiple && said("tui.form.many")),
    }]),
    ...options.filter(({ path }) => path.length > 1 || !placed.has(path[0]!)).map((
      option,
    ): [string, PaneField] => [
      option.path[0]!,
      fieldOf({ ...option, many: isList(option.kind) }, verb.command.namedAs),
    ]),
    ...commonOptionsOf(verb, new Set(options.map(({ flag }) => flag)))
      .filter(([name]) => FILES.has(name))
      .map(([flag, { text, value = "" }]): [string, PaneField] => [flag, {
        flag,
        kind: "text",
        choices: [],
        required: flag === "from",
        secret: false,
        many: false,
        hint: hintOf(value, translated(text)),
        path: undefined,
        names: undefined,
      }]),
  ];
  const order = groups.flatMap(([, names]) => names);
  const rank = ([name, field]: [string, PaneField]) => {
    if (field.required) return -1;
    const at = order.indexOf(name);
    return at < 0 ? order.length : at;
  };
  return all.map((entry, index) => ({ entry, index })).sort((a, b) =>
    rank(a.entry) - rank(b.entry) || a.index - b.index
  )
    .map(({ entry: [, field] }) => field);
}

/** Filled-in fields as words of a command line, without secrets, which every process could read. */
export function wordsOf(fields: readonly PaneField[], valueOf: (field: PaneField) => string): string[] {
  return fields.flatMap((field) => {
    const value = valueOf(field);
    if (field.secret || value.trim() === "") return [];
    const parts = field.many
      ? value.split(",").map((part) => part.trim()).filter((part) => part !== "")
      : [value];
    return parts.map((part) => `--${field.flag}=${part}`);
  });
}
